//! The io_uring server against a kernel that misbehaves on purpose, seed after seed.
//!
//! Always: what comes back is what was sent, in order; buffers are conserved; every connection is somebody's business; nothing
//! is closed while an operation of it is outstanding. In the end: every peer got everything back, and nobody waits.
//! [`fake_kernel`] asserts what only a kernel can see.

use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use super::*;
use crate::server::shell::config::{Config, Files, Setup};
use crate::server::simulation::{self, Replay};
use crate::sys::buf_ring::BufRing;
use crate::sys::fake_kernel::{self, FakeQueues, Fate};
use crate::units::Bytes;

fn config(common: Config, random: &mut TestRng) -> UringConfig {
    UringConfig {
        common,
        buffers: random.random_range(1..=6),
        hot_bytes: Bytes(random.random_range(1..=500)),
        recv: if random.random() { RecvMode::Single } else { RecvMode::PollFirst },
        send: if random.random() { SendMode::WaitAll } else { SendMode::Once },
        accept: if random.random() { AcceptMode::Multishot } else { AcceptMode::Single },
        files: if random.random() { Files::Direct } else { Files::Plain },
        setup: Setup::Defer,
        publish: if random.random() { Publish::Demand } else { Publish::Full },
    }
}

fn server(seed: u64) -> UringServer<FakeQueues> {
    let (mut random, common, rules, world) = simulation::circumstances(seed);
    let config = config(common, &mut random);
    let common = &config.common;
    let entries = (SQES_PER_CQE + [1, 2, 20][random.random_range(0..3)], random.random_range(1..=24));
    let count = usize::from(config.buffers) + common.connections_max;
    let buffers = BufRing::new(config.buffers, count, common.buffer_bytes).unwrap();
    let shutdown_first = random.random();
    let fate = Fate::new(rules, world, random);
    let ring = fake_kernel::ring(fate, entries, config.files == Files::Direct, buffers);
    let (listener, lifecycle) = (Listener::bind(common).unwrap(), Lifecycle::start(common).unwrap());
    let mut server = UringServer::over(ring, listener, lifecycle, &config);
    server.shutdown_first = shutdown_first;
    server
}

/// What holds between any two iterations.
fn assert_invariants(server: &mut UringServer<FakeQueues>) {
    let (mut leased, mut receiving) = (0, 0);
    for slot in server.peers.slots().collect::<Vec<_>>() {
        let waits = server.waiting.contains(slot);
        let peer = server.peers.at(slot);
        leased += usize::from(peer.lease.is_some());
        receiving += usize::from(peer.in_flight == InFlight::Recv);
        let (sends, owes) = (peer.in_flight == InFlight::Send, peer.connection.owed_bytes() > 0);
        assert_eq!(
            waits,
            peer.in_flight == InFlight::Nothing,
            "slot {slot} waits, or the kernel works for it"
        );
        assert_eq!(peer.lease.is_some(), sends, "slot {slot} holds what it sends");
        assert!(sends == owes || peer.in_flight == InFlight::Close, "slot {slot} sends what it owes");
    }
    assert_eq!(server.receiving, receiving);
    assert!(server.ring.buffers.are_conserved(leased), "a buffer is lost or there twice");
}

/// Serves until told to stop and done. Returns what was counted.
fn simulate(seed: u64) -> Counters {
    let _replay = Replay(seed);
    clock::hold();
    let mut server = server(seed);
    while !server.is_finished() {
        server.iterate().unwrap();
        assert_invariants(&mut server);
        assert!(server.counters.iterations < simulation::ITERATIONS_MAX, "the server is busy for ever");
    }
    let counters = server.counters();
    let fate = &server.ring.queues().fate;
    if server.peers.is_empty() {
        assert_eq!(counters.accepted, counters.closed);
        assert_eq!(counters.peer_faults, fate.fatal_errors);
    }
    assert!(counters.stale <= fate.late);
    server.cancel_everything();
    assert_eq!(server.ring.in_flight(), 0, "operations outlive the server");
    let (counted, fate) = (&server.counters, &server.ring.queues().fate);
    assert_eq!((counted.received_bytes, counted.sent_bytes), fate.world.moved_bytes());
    counters
}

#[test]
fn whatever_the_kernel_does_no_byte_is_lost_and_nobody_waits_for_ever() {
    let seen: Vec<Counters> = simulation::seeds().map(simulate).collect();
    simulation::assert_thorough(&seen);
    simulation::assert_frequent(&seen, "overflows of the completion queue", |counters| counters.cq_overflows);
}
