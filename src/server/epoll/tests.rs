//! What the engine makes of an event that comes late, and of an `EAGAIN`.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;

use super::*;
use crate::server::deadline::in_time;
use crate::server::shell::config::{Config, EpollConfig};
use crate::sys::socket;

/// Waits until an event has put the connection in slot 0 on the ready ring.
fn reap_input(server: &mut EpollServer) {
    while server.peers.at(Slot(0)).input != Input::Told {
        server.reap().unwrap();
    }
    assert!(server.ready.contains(Slot(0)));
}

fn iterate_until(server: &mut EpollServer, holds: impl Fn(&Counters) -> bool) {
    while !holds(&server.counters) {
        server.iterate().unwrap();
    }
}

fn listening() -> EpollServer {
    let config = EpollConfig { common: Config::for_one_connection(), strategy: Readying::Edge };
    EpollServer::start(&config).unwrap()
}

/// A client, accepted in slot 0.
fn client_of(server: &mut EpollServer) -> TcpStream {
    let accepted = server.counters.accepted + 1;
    let client = TcpStream::connect(server.addr()).unwrap();
    iterate_until(server, |counters| counters.accepted == accepted);
    client
}

#[test]
fn a_late_event_of_a_closed_connection_does_not_touch_the_next_one_in_its_slot() {
    in_time(|| {
        let mut server = listening();
        let first = client_of(&mut server);
        let stale = Token { op: Op::Connection, generation: server.peers.generation(Slot(0)), slot: Slot(0) };
        drop(first);
        iterate_until(&mut server, |counters| counters.closed == 1);
        let mut second = client_of(&mut server);

        // Readable, as the token says, is something else.
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let reader = OwnedFd::from(reader);
        server.kernel.watch(&reader, stale.to_bits(), Interest::READ_EDGE).unwrap();
        let mut expected = server.counters;
        (expected.iterations, expected.syscalls, expected.stale) =
            (expected.iterations + 1, expected.syscalls + 1, 1);
        server.iterate().unwrap();
        assert_eq!(server.counters, expected);
        assert_eq!(server.peers.at(Slot(0)).input, Input::Drained);
        assert!(server.ready.is_empty());

        second.write_all(b"echo").unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == 4);
        let mut echo = [0; 4];
        second.read_exact(&mut echo).unwrap();
        assert_eq!(&echo, b"echo");
    });
}

#[test]
fn an_eagain_after_bytes_is_believed() {
    in_time(|| {
        let mut server = listening();
        let mut client = client_of(&mut server);
        let buffer_bytes = server.hot.len();
        let calls_but_waits = |counters: &Counters| counters.syscalls - counters.iterations;
        let before = calls_but_waits(&server.counters);
        client.write_all(&vec![7; buffer_bytes]).unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == buffer_bytes as u64);
        assert_eq!(server.peers.at(Slot(0)).input, Input::Drained);
        assert_eq!(calls_but_waits(&server.counters) - before, 3, "receive, send, receive, and no question");
        client.write_all(b"more").unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == buffer_bytes as u64 + 4);
    });
}

#[test]
fn an_eagain_that_denies_an_edge_is_asked_about() {
    in_time(|| {
        let mut server = listening();
        let mut client = client_of(&mut server);
        client.write_all(b"stolen").unwrap();
        reap_input(&mut server);
        assert_eq!(socket::recv(server.peers.at(Slot(0)).socket.as_fd(), &mut [0; 16]), Ok(6));
        let syscalls = server.counters.syscalls;
        server.serve(Slot(0));
        assert_eq!(server.counters.syscalls - syscalls, 2, "a receive and the question");
        assert_eq!(server.peers.at(Slot(0)).input, Input::Drained);
        client.write_all(b"more").unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == 4);
    });
}

#[test]
fn a_tick_does_not_close_a_connection_whose_bytes_wait_for_their_turn() {
    in_time(|| {
        let mut server = listening();
        let mut client = client_of(&mut server);
        server.peers.at(Slot(0)).connection.on(Event::Stop);
        client.write_all(b"late").unwrap();
        reap_input(&mut server);
        server.on_tick();
        assert_eq!(server.counters.closed, 0, "it was closed with bytes unread");
        iterate_until(&mut server, |counters| counters.sent_bytes == 4);
        let mut echo = [0; 4];
        client.read_exact(&mut echo).unwrap();
        assert_eq!(&echo, b"late");
        server.on_tick();
        server.on_tick();
        assert_eq!(server.counters.closed, 1, "silence closes it");
    });
}

#[test]
fn a_connection_closed_while_on_the_ready_ring_leaves_it() {
    in_time(|| {
        let mut server = listening();
        let mut client = client_of(&mut server);
        client.write_all(b"never echoed").unwrap();
        reap_input(&mut server);
        server.close(Slot(0));
        assert!(server.ready.is_empty());
        let mut second = client_of(&mut server);
        second.write_all(b"echo").unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == 4);
    });
}

#[test]
fn a_connection_that_cannot_be_watched_is_looked_at_without_an_event() {
    in_time(|| {
        let mut server = listening();
        let mut client = client_of(&mut server);
        client.write_all(b"seen").unwrap();
        reap_input(&mut server);
        // As after a denial: off the ring, and no edge to come.
        server.ready.remove(Slot(0));
        let peer = server.peers.at(Slot(0));
        peer.input = Input::Drained;
        // A duplicate is not the descriptor that epoll knows, so the watch is refused.
        let duplicate = peer.socket.try_clone().unwrap();
        let known = std::mem::replace(&mut peer.socket, duplicate);
        server.watch(Slot(0));
        server.iterate().unwrap();
        assert_eq!(server.counters.sent_bytes, 4);
        drop(known);
    });
}
