//! What becomes of an event that is about a connection whose slot another one has by now.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::*;
use crate::server::config::{Config, EpollConfig};

fn turn_until(server: &mut EpollServer, holds: impl Fn(&Counters) -> bool) {
    while !holds(&server.counters) {
        server.turn().unwrap();
    }
}

#[test]
fn a_late_event_of_a_closed_connection_does_not_touch_the_next_one_in_its_slot() {
    let config = EpollConfig { common: Config::for_one_connection(), trigger: Trigger::Edge };
    let mut server = EpollServer::start(&config).unwrap();
    let first = TcpStream::connect(server.addr()).unwrap();
    turn_until(&mut server, |counters| counters.accepted == 1);
    let stale = Token { op: Op::Connection, generation: server.peers.generation(Slot(0)), slot: Slot(0) };
    drop(first);
    turn_until(&mut server, |counters| counters.closed == 1);
    let mut second = TcpStream::connect(server.addr()).unwrap();
    turn_until(&mut server, |counters| counters.accepted == 2);

    // Readable, as the token says, is something else.
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"x").unwrap();
    server.epoll.add(reader.as_fd(), stale.to_bits(), Interest::READ_EDGE).unwrap();
    let mut expected = server.counters;
    (expected.turns, expected.syscalls, expected.stale) = (expected.turns + 1, expected.syscalls + 1, 1);
    server.turn().unwrap();
    assert_eq!(server.counters, expected);
    assert!(!server.peers.at(Slot(0)).readable && server.ready.is_empty());

    second.write_all(b"echo").unwrap();
    turn_until(&mut server, |counters| counters.sent_bytes == 4);
    let mut echo = [0; 4];
    second.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"echo");
}
