//! What becomes of a completion that is about a connection whose slot another one has by now.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::strategy::Alternate;
use super::*;
use crate::server::deadline::in_time;
use crate::server::shell::config::{Config, Files, RecvMode, RingFd, SendMode, Setup, Wait, Zerocopy};
use crate::units::Nanos;

fn config() -> UringConfig {
    UringConfig {
        common: Config::for_one_connection(),
        strategy: Alternate::NAME,
        buffers: 2,
        hot_bytes: crate::units::Bytes::kib(8),
        recv: RecvMode::Single,
        send: SendMode::WaitAll,
        send_kind: Zerocopy::Copy,
        wait: Wait::Plain,
        min_wait_count: 2,
        min_wait: Nanos(0),
        ring_fd: RingFd::Registered,
        napi: Nanos(0),
        accept: AcceptMode::Multishot,
        files: Some(Files::Direct),
        setup: Setup::Defer,
        publish: None,
    }
}

fn iterate_until(server: &mut UringServer<Alternate>, holds: impl Fn(&Counters) -> bool) {
    while !holds(&server.counters) {
        server.iterate().unwrap();
    }
}

#[test]
fn a_late_completion_of_a_closed_connection_does_not_touch_the_next_one_in_its_slot() {
    in_time(|| {
        let mut server = UringServer::<Alternate>::start(&config()).unwrap();
        let first = TcpStream::connect(server.listener.addr()).unwrap();
        iterate_until(&mut server, |counters| counters.accepted == 1);
        let generation = server.peers.generation(Slot(0));
        drop(first);
        iterate_until(&mut server, |counters| counters.closed == 1);
        let mut second = TcpStream::connect(server.listener.addr()).unwrap();
        iterate_until(&mut server, |counters| counters.accepted == 2);

        for (stale, op) in (1..).zip([Op::Recv, Op::Send, Op::Close]) {
            // It completes with an error, as there is nothing to cancel: what a broken connection looks like.
            let nothing = Token::global(Op::Discard);
            server.ring.cancel(nothing, Token { op, generation, slot: Slot(0) });
            let mut expected = server.counters;
            (expected.iterations, expected.stale) = (expected.iterations + 1, stale);
            server.iterate().unwrap();
            assert_eq!(server.counters, expected);
            assert_eq!((server.peers.len(), server.admission.receiving), (1, 1));
            assert!(server.peers.at(Slot(0)).in_flight.has(Op::Recv));
        }

        second.write_all(b"echo").unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == 4);
        let mut echo = [0; 4];
        second.read_exact(&mut echo).unwrap();
        assert_eq!(&echo, b"echo");
    });
}
