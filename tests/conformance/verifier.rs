//! The checks themselves, held against servers that cheat. A check that lets one of these pass proves nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::fleet::{Fleet, SocketBuffers};
use crate::support::pattern::{Mismatch, Pattern};
use crate::support::{Stream, fairness};

/// Serves connections in turn; each answers with what `cheat` makes of all that it received up to its end or to
/// `message_bytes`, whichever comes first.
fn cheating_server(message_bytes: usize, cheat: fn(Vec<u8>) -> Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let mut message = Vec::new();
            (&socket).take(message_bytes as u64).read_to_end(&mut message).unwrap();
            let _ = (&socket).write_all(&cheat(message));
        }
    });
    addr
}

/// Sends 200,000 bytes to a server that returns what `cheat` makes of them.
fn echo_through(cheat: fn(Vec<u8>) -> Vec<u8>) {
    let mut stream = Stream::connect(cheating_server(200_000, cheat));
    stream.full_duplex(200_000, true);
    stream.finish();
}

#[test]
fn an_honest_server_passes() {
    echo_through(|message| message);
}

#[test]
#[should_panic(expected = "byte 70000 came back as")]
fn a_changed_byte_is_noticed() {
    echo_through(|mut message| {
        message[70_000] ^= 1;
        message
    });
}

#[test]
#[should_panic(expected = "came back as")]
fn a_lost_byte_is_noticed() {
    echo_through(|mut message| {
        message.remove(100_000);
        message
    });
}

#[test]
#[should_panic(expected = "end of stream after 199999 of 200000 bytes")]
fn a_lost_last_byte_is_noticed() {
    echo_through(|mut message| {
        message.pop();
        message
    });
}

#[test]
#[should_panic(expected = "byte 65536 came back as")]
fn a_lost_buffer_is_noticed() {
    echo_through(|mut message| {
        message.drain(65_536..131_072);
        message
    });
}

#[test]
#[should_panic(expected = "came back as")]
fn a_buffer_sent_twice_is_noticed() {
    echo_through(|mut message| {
        message.extend_from_within(65_536..131_072);
        message.rotate_right(65_536);
        message
    });
}

#[test]
#[should_panic(expected = "bytes came back of 200000 sent")]
fn an_invented_byte_at_the_end_is_noticed() {
    echo_through(|mut message| {
        let next = message.len() as u64;
        // The one byte that the pattern would accept is not enough: it was never sent.
        message.extend((0..=255).find(|&byte| pattern_of(&message).check(next, &[byte]).is_ok()));
        message
    });
}

/// The pattern that `message` is the beginning of.
fn pattern_of(message: &[u8]) -> Pattern {
    let fits = |id: &u64| Pattern::new(*id).check(0, &message[..64]).is_ok();
    Pattern::new((0..1_000_000).find(fits).expect("some connection sent it"))
}

#[test]
#[should_panic(expected = "receive failed after 100 bytes sent and 0 received")]
fn a_server_that_never_answers_is_given_up() {
    let mut stream = Stream::connect(cheating_server(200, |message| message));
    stream.socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    stream.echo(100);
}

#[test]
#[should_panic(expected = "came back as")]
fn bytes_of_another_connection_are_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut pair: Vec<TcpStream> = (0..2).map(|_| listener.accept().unwrap().0).collect();
        let mut messages = [[0; 1000]; 2];
        for (socket, message) in pair.iter_mut().zip(&mut messages) {
            socket.read_exact(message).unwrap();
        }
        for (socket, message) in pair.iter_mut().zip(messages.iter().rev()) {
            socket.write_all(message).unwrap();
        }
        pair
    });
    Fleet::connect(addr, 2, SocketBuffers::default()).echo(1000);
}

#[test]
#[should_panic(expected = "end of stream with bytes still owed")]
fn a_fleet_notices_an_early_end() {
    let mut fleet = Fleet::connect(cheating_server(1000, |_| Vec::new()), 1, SocketBuffers::default());
    fleet.echo(1000);
}

#[test]
fn the_pattern_is_checked_across_its_period() {
    let pattern = Pattern::new(7);
    let position = 1_048_573 - 10;
    let mut bytes: Vec<u8> = (0..20).map(|index| pattern.slice(position + index, 1)[0]).collect();
    assert_eq!(pattern.check(position, &bytes), Ok(()));
    let expected = bytes[15];
    bytes[15] ^= 0xFF;
    let at = position + 15;
    assert_eq!(pattern.check(position, &bytes), Err(Mismatch { at, expected, found: bytes[15] }));
}

#[test]
fn jains_index_is_one_when_equal_and_one_nth_when_one_takes_all() {
    let one = vec![Duration::from_millis(1)];
    assert!((fairness::jain(&[one.clone(), one.clone()]) - 1.0).abs() < 1e-9);
    assert!((fairness::jain(&[one, vec![]]) - 0.5).abs() < 1e-9);
}

#[test]
#[should_panic(expected = "p99 of 100 response times")]
fn a_slow_hundredth_is_noticed_when_it_is_two() {
    let mut times = vec![Duration::from_millis(1); 98];
    times.extend([Duration::from_secs(3600); 2]);
    fairness::assert_p99_below(Duration::from_millis(100), &[times]);
}
