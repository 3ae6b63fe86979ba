//! Whether a server that nobody knows echoes at all, tried before it is measured: what a load under way would only call a stall has
//! a name here.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long nothing may come that is owed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server is given to say what nobody asked for.
const SILENCE: Duration = Duration::from_millis(200);
/// Connections that send at the same time, and how much each sends: many buffers of any server, and little enough that one that serves
/// them one after the other is through with all before the last runs out of patience.
const STREAMS: usize = 8;
const STREAM_BYTES: usize = 1 << 20;

/// Tries the server at `address`: that it waits to be asked, that what it sends is what it was sent, to the last byte before the end of
/// a stream, and that it serves `connections` at a time.
///
/// # Errors
/// What it did instead, with the first wrong byte.
pub fn trial(address: SocketAddr, connections: usize) -> Result<(), String> {
    waits_to_be_asked(address)?;
    sends_what_it_was_sent(address)?;
    serves_together(address, connections)
}

fn connect(address: SocketAddr, connection: usize) -> Result<TcpStream, String> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .map_err(|error| format!("connection {connection} was not made: {error}"))?;
    let set = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
    set.map_err(|error| format!("connection {connection} takes no options: {error}"))?;
    Ok(stream)
}

fn waits_to_be_asked(address: SocketAddr) -> Result<(), String> {
    let mut stream = connect(address, 0)?;
    stream.set_read_timeout(Some(SILENCE)).map_err(|error| error.to_string())?;
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(0) => Err("it ended a connection that had sent nothing yet".into()),
        Ok(_) => Err(format!("it answered early: 0x{:02x} came before anything was sent", byte[0])),
        Err(error) if is_silence(&error) => Ok(()),
        Err(error) => Err(format!("a connection that had sent nothing yet broke: {error}")),
    }
}

fn sends_what_it_was_sent(address: SocketAddr) -> Result<(), String> {
    let (done, results) = mpsc::channel();
    for connection in 0..STREAMS {
        let done = done.clone();
        thread::spawn(move || done.send(echoes(address, connection)));
    }
    results.into_iter().take(STREAMS).collect()
}

/// What connection number `connection` sends at `position`: no two alike, nor a byte and its neighbour at a distance that a buffer
/// has.
fn byte(connection: usize, position: usize) -> u8 {
    (position % 251) as u8 ^ ((position / 251) % 241) as u8 ^ (31 * connection) as u8
}

fn echoes(address: SocketAddr, connection: usize) -> Result<(), String> {
    let mut stream = connect(address, connection)?;
    let sending = stream.try_clone().map_err(|error| error.to_string())?;
    thread::spawn(move || send_all(sending, connection));
    let (mut buffer, mut position) = (vec![0; 64 << 10], 0);
    loop {
        let came = stream.read(&mut buffer);
        let count = came.map_err(|error| broken(connection, position, &error))?;
        if count == 0 {
            return ended(connection, position);
        }
        for &found in &buffer[..count] {
            if position == STREAM_BYTES {
                return Err(format!("connection {connection} got 0x{found:02x} beyond all that it had sent"));
            }
            let expected = byte(connection, position);
            if found != expected {
                return Err(wrong(connection, position, found, expected));
            }
            position += 1;
        }
    }
}

/// Sends all, then the end of the stream. What fails is noticed by whoever waits for the echo.
fn send_all(mut stream: TcpStream, connection: usize) {
    let bytes: Vec<u8> = (0..STREAM_BYTES).map(|position| byte(connection, position)).collect();
    let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
}

fn ended(connection: usize, position: usize) -> Result<(), String> {
    if position == STREAM_BYTES {
        return Ok(());
    }
    Err(format!(
        "connection {connection} ended after {position} of {STREAM_BYTES} bytes: what was sent before its end was not all echoed"
    ))
}

fn wrong(connection: usize, position: usize, found: u8, expected: u8) -> String {
    let whose = (0..STREAMS).find(|&other| other != connection && byte(other, position) == found);
    let hint = match whose {
        Some(other) => format!("connection {other} sent that there"),
        None => "it lost, doubled or moved bytes".to_owned(),
    };
    format!(
        "connection {connection} got 0x{found:02x} at position {position} where it had sent 0x{expected:02x}: {hint}"
    )
}

fn broken(connection: usize, position: usize, error: &std::io::Error) -> String {
    match is_silence(error) {
        true => {
            format!("connection {connection} stalls: no byte came for {PATIENCE:?} after position {position}")
        }
        false => format!("connection {connection} broke at position {position}: {error}"),
    }
}

fn serves_together(address: SocketAddr, connections: usize) -> Result<(), String> {
    let mut open = Vec::with_capacity(connections);
    for connection in 1..=connections {
        let mut stream = connect(address, connection)?;
        let asked = [connection as u8];
        let mut answer = [0];
        let before = connection - 1;
        let answered = stream.write_all(&asked).and_then(|()| stream.read(&mut answer));
        match answered {
            Ok(1) if answer == asked => open.push(stream),
            Ok(1) => return Err(wrong(connection, 0, answer[0], asked[0])),
            Err(error) if is_silence(&error) => {
                return Err(format!(
                    "connection {connection} of {connections} had no answer for {PATIENCE:?} while {before} others were open"
                ));
            }
            _ => {
                return Err(format!(
                    "connection {connection} of {connections} was closed while {before} others were open"
                ));
            }
        }
    }
    Ok(())
}

/// A read timed out.
fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_send_different_bytes_and_a_shift_shows() {
        for shift in [1, 251, 1024, 4096, 65_536] {
            let same = (0..10_000).filter(|&position| byte(3, position) == byte(3, position + shift)).count();
            assert!(same < 500, "shifted by {shift}, {same} of 10000 are equal");
        }
        for other in 1..STREAMS {
            assert!((0..1000).all(|position| byte(0, position) != byte(other, position)));
        }
    }
}
