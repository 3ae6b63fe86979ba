//! The yardstick must be correct to be one: a server that loses bytes is fast for the wrong reason.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_baseline-mio"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the baseline starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(' ').nth(2).unwrap().parse().expect("the line names the address");
        assert!(line.contains("engine=mio"), "{line}");
        Self { process, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Bytes that differ by position and by connection, so that a lost, repeated or crossed one shows.
fn pattern(connection: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ connection).collect()
}

/// Sends everything and ends the stream before reading a byte back: the server must park what it owes.
fn half_closed_round_trip(mut stream: TcpStream, sent: Vec<u8>, reading_starts_after: Duration) -> Vec<u8> {
    let mut writer = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    thread::sleep(reading_starts_after);
    let mut echoed = Vec::new();
    stream.read_to_end(&mut echoed).unwrap();
    sender.join().unwrap();
    echoed
}

#[test]
fn a_reader_that_comes_late_still_gets_every_byte_and_then_the_end() {
    let server = Server::start(&[]);
    let sent = pattern(0, 32 << 20);
    let echoed = half_closed_round_trip(server.connect(), sent.clone(), Duration::from_millis(300));
    assert!(echoed == sent, "{} of {} bytes came back", echoed.len(), sent.len());
}

#[test]
fn connections_do_not_get_one_anothers_bytes() {
    let server = Server::start(&["--buffer-bytes", "1000", "--nodelay", "off"]);
    let clients: Vec<_> = (0..16)
        .map(|connection| {
            let (stream, sent) = (server.connect(), pattern(connection, 200_000));
            thread::spawn(move || half_closed_round_trip(stream, sent.clone(), Duration::ZERO) == sent)
        })
        .collect();
    assert!(clients.into_iter().all(|client| client.join().unwrap()));
}

#[test]
fn a_token_used_again_serves_the_new_connection() {
    let server = Server::start(&[]);
    for connection in 0..50 {
        let sent = pattern(connection, 10);
        assert_eq!(half_closed_round_trip(server.connect(), sent.clone(), Duration::ZERO), sent);
    }
}
