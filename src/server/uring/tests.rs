//! The engine on the kernel that runs: what becomes of a completion that is about a connection whose slot another one has
//! by now, whom a linked receive overtakes, what is asked again.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::strategy::{Alternate, Linked, MultishotGroup, MultishotLimit, MultishotQuota};
use super::*;
use crate::kernel_version::KernelVersion;
use crate::server::deadline::in_time;
use crate::server::shell::config::{
    Config, Files, Publish, RecvMode, RingFd, SendMode, Setup, Wait, Zerocopy,
};
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
        skip_success: false,
        shared_asked: None,
    }
}

fn iterate_until<S: Strategy>(server: &mut UringServer<S>, holds: impl Fn(&Counters) -> bool) {
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

/// A server with two connections, which wait for data.
fn with_two_connections<S: Strategy>() -> (UringServer<S>, [TcpStream; 2]) {
    let mut config = config();
    config.common.connections_max = 2;
    let mut server = UringServer::<S>::start(&config).unwrap();
    let addr = server.listener.addr();
    let streams = [(); 2].map(|()| TcpStream::connect(addr).unwrap());
    while server.counters.accepted < 2 {
        server.iterate().unwrap();
    }
    (server, streams)
}

#[test]
fn a_linked_receive_overtakes_nobody_who_waits_for_a_buffer() {
    let (mut server, _streams) = with_two_connections::<Linked>();
    server.ring.buffers.top_up(1);
    assert!(server.may_receive_next(Slot(0)));
    server.admission.waiting.push(Slot(1));
    assert!(!server.may_receive_next(Slot(0)), "somebody waits");
    server.admission.waiting.pop();
    server.peers.at(Slot(0)).backlogged = true;
    assert!(server.may_receive_next(Slot(0)));
    server.admission.admitted = server.ring.buffers.published();
    assert!(!server.may_receive_next(Slot(0)), "every buffer is promised");
}

#[test]
fn a_receive_that_a_cancellation_has_missed_is_taken_back_again_at_the_next_tick() {
    let (mut server, _streams) = with_two_connections::<Linked>();
    for slot in [Slot(0), Slot(1)] {
        server.peers.at(slot).connection.on(Event::Stop);
        server.peers.at(slot).taken_back.begin(Op::Recv);
    }
    let before = server.ring.counts().sqes;
    server.on_tick();
    assert_eq!(server.ring.counts().sqes, before + 2);
}

#[test]
fn a_connection_that_has_to_be_shut_down_first_is_closed_when_that_is_done() {
    let mut server = UringServer::<Alternate>::start(&config()).unwrap();
    server.shutdown_first = true;
    for round in 1..=3 {
        let mut stream = TcpStream::connect(server.listener.addr()).unwrap();
        stream.write_all(b"echo").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        iterate_until(&mut server, |counters| counters.closed == round);
        let mut echo = Vec::new();
        stream.read_to_end(&mut echo).unwrap();
        assert_eq!(echo, b"echo");
    }
}

#[test]
fn a_group_is_filled_up_again_while_its_receive_goes_on() {
    let config = UringConfig { strategy: MultishotGroup::NAME, ..config() };
    let mut server = UringServer::<MultishotGroup>::start(&config).unwrap();
    let mut client = TcpStream::connect(server.listener.addr()).unwrap();
    for message in 1..=20 {
        client.write_all(b"echo").unwrap();
        iterate_until(&mut server, |counters| counters.sent_bytes == 4 * message);
        client.read_exact(&mut [0; 4]).unwrap();
    }
    assert_eq!((server.counters.receives, server.counters.starved), (20, 0));
}

/// How many bytes each of eight connections gets back that all send more than is taken.
fn bytes_of_streams<S: Strategy>() -> Vec<usize> {
    let mut config =
        UringConfig { strategy: S::NAME, buffers: 8, publish: Some(Publish::Demand), ..config() };
    config.common.connections_max = 8;
    let mut server = UringServer::<S>::start(&config).unwrap();
    let addr = server.listener.addr();
    let mut streams = [(); 8].map(|()| TcpStream::connect(addr).unwrap());
    streams.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    let (mut buffer, mut received) = (vec![0; 1 << 20], vec![0; streams.len()]);
    for _ in 0..400 {
        for (stream, received) in streams.iter_mut().zip(&mut received) {
            let _may_be_full = stream.write(&buffer);
            *received += stream.read(&mut buffer).unwrap_or(0);
        }
        server.iterate().unwrap();
    }
    received
}

/// No connection gets twice as much as another.
fn assert_alike(received: &[usize]) {
    let (least, most) = (received.iter().min().unwrap(), received.iter().max().unwrap());
    assert!(2 * least >= *most, "{received:?}");
}

#[test]
fn whoever_finds_no_buffer_is_not_too_late_again_and_again() {
    in_time(|| assert_alike(&bytes_of_streams::<MultishotQuota>()));
}

#[test]
fn whoever_finds_no_buffer_is_not_too_late_again_and_again_where_the_kernel_sets_the_limit() {
    if KernelVersion::running().unwrap() >= MultishotLimit::SINCE {
        in_time(|| assert_alike(&bytes_of_streams::<MultishotLimit>()));
    }
}

#[test]
fn only_who_was_let_out_of_the_line_goes_back_to_its_head() {
    for (was_let_out, first) in [(true, Slot(1)), (false, Slot(0))] {
        let (mut server, _streams) = with_two_connections::<MultishotQuota>();
        server.admission.waiting.push(Slot(0));
        server.peers.at(Slot(1)).admitted = was_let_out;
        server.on_starved(Slot(1));
        assert_eq!(server.admission.waiting.pop(), Some(first));
    }
}
