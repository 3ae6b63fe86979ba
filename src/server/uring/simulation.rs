//! The io_uring server against a kernel that misbehaves on purpose, seed after seed.
//!
//! Always: what comes back is what was sent, in order; buffers are conserved; every connection is somebody's business; nothing
//! is closed while an operation of it is outstanding. In the end: every peer got everything back, and nobody waits.
//! [`fake_kernel`] asserts what only a kernel can see.

use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use super::*;
use crate::server::shell::config::{
    Config, Files, Publish, RecvMode, RingFd, SendMode, Setup, Wait, Zerocopy,
};
use crate::server::simulation::{self, Lines, Replay};
use crate::sys::fake_kernel::{self, FakeQueues, Fate};
use crate::units::{Bytes, Nanos};

fn draw<S: Strategy>(common: Config, random: &mut TestRng) -> UringConfig {
    UringConfig {
        common,
        strategy: S::NAME,
        buffers: random.random_range(1..=6),
        hot_bytes: Bytes(random.random_range(1..=500)),
        recv: if random.random() { RecvMode::Single } else { RecvMode::PollFirst },
        send: if random.random() { SendMode::WaitAll } else { SendMode::Once },
        send_kind: if random.random_ratio(2, 3) { Zerocopy::Copy } else { Zerocopy::ZeroCopy },
        wait: Wait::Plain,
        min_wait_count: 2,
        min_wait: Nanos(0),
        ring_fd: RingFd::Plain,
        napi: Nanos(0),
        accept: if random.random() { AcceptMode::Multishot } else { AcceptMode::Single },
        files: Some(if random.random() { S::FILES } else { Files::Plain }),
        setup: Setup::Defer,
        publish: if random.random() { None } else { Some(Publish::Full) },
        skip_success: random.random(),
        shared_asked: None,
    }
}

/// One that makes sense with the strategy.
fn config<S: Strategy>(common: &Config, random: &mut TestRng) -> UringConfig {
    let drawn = std::iter::repeat_with(|| draw::<S>(common.clone(), random));
    drawn.into_iter().find(|config| setup::check::<S>(config).is_ok()).expect("some do")
}

fn server<S: Strategy>(seed: u64) -> UringServer<S, FakeQueues> {
    let (mut random, common, rules, world) = simulation::circumstances(seed);
    let config = config::<S>(&common, &mut random);
    let common = &config.common;
    let entries =
        (S::ENTRIES_PER_COMPLETION + [1, 2, 20][random.random_range(0..3)], random.random_range(1..=24));
    // Now and then no more than one for each connection, as for a server of many, whose reserve is cut.
    let cut =
        if random.random() { usize::MAX } else { usize::from(config.buffers) + 2 * common.connections_max };
    let (buffers, private) = setup::memory::<S>(&config, cut).unwrap();
    let shutdown_first = random.random();
    let fate = Fate::new(rules, world, random);
    let direct = config.files == Some(Files::Direct);
    let mut ring = fake_kernel::ring(fate, entries, direct, (S::lend(buffers), private));
    ring.allow_vectors(S::SEGMENTS_MAX).unwrap();
    let (listener, lifecycle) = (Listener::bind(common).unwrap(), Lifecycle::start(common).unwrap());
    let mut server = UringServer::over(ring, listener, lifecycle, &config);
    server.shutdown_first = shutdown_first;
    server
}

/// What holds between any two iterations.
fn assert_invariants<S: Strategy>(server: &mut UringServer<S, FakeQueues>) {
    let (mut leased, mut receiving, mut holding) = (0, 0, 0);
    for slot in server.peers.slots().collect::<Vec<_>>() {
        let waits = server.admission.waiting.contains(slot);
        let peer = server.peers.at(slot);
        let (owes, receives) = (peer.outbox.len() > 0, peer.in_flight.has(Op::Recv));
        if S::PRIVATE {
            let held = owes || peer.pinned.is_some();
            assert!(
                server.ring.private.is_with(slot, held, receives),
                "the buffer of slot {slot} is with another"
            );
        } else {
            leased += peer.outbox.len() + usize::from(peer.pinned.is_some());
            holding += usize::from(owes || peer.pinned.is_some());
        }
        receiving += usize::from(peer.in_flight.has(Op::Recv));
        assert!(waits || !peer.in_flight.is_nothing(), "slot {slot} is nobody's business");
        let (sends, owes) = (peer.in_flight.has(Op::Send), peer.connection.owed_bytes() > 0);
        let copies = server.config.send_kind == Zerocopy::Copy;
        let in_step = if copies { sends == owes } else { sends || !owes };
        assert!(in_step || peer.connection.is_given_up(), "slot {slot} sends what it owes");
    }
    assert_eq!(server.admission.receiving, receiving);
    let buffers = &server.ring.buffers;
    assert!(buffers.are_conserved(leased), "a buffer is lost or there twice");
    if S::PRIVATE {
        return;
    }
    let empty = server.config.common.connections_max - holding;
    assert!(
        buffers.spare() >= empty,
        "{empty} connections hold nothing, and {} buffers are left",
        buffers.spare()
    );
}

/// Serves until told to stop and done. Returns what was counted.
pub(super) fn simulate<S: Strategy>(seed: u64) -> Counters {
    let _replay = Replay(seed);
    clock::hold();
    let mut server = server::<S>(seed);
    let mut lines = Lines::new(&server.config.common, S::overshoot_bytes(&server.config));
    while !server.is_finished() {
        if let Err(error) = server.iterate() {
            assert!(server.ring.queues().fate.is_lost, "{error}");
            return server.counters();
        }
        assert_invariants(&mut server);
        let line = server.peers.iter().filter(|(slot, _)| server.admission.waiting.contains(*slot));
        lines.observe(line.map(|(slot, peer)| (slot, &peer.connection)), &server.counters);
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
    if server.ring.queues().fate.is_lost {
        return counters;
    }
    assert_eq!(server.ring.in_flight(), 0, "operations outlive the server");
    let (counted, fate) = (&server.counters, &server.ring.queues().fate);
    assert_eq!((counted.received_bytes, counted.sent_bytes), fate.world.moved_bytes());
    counters
}

#[test]
fn whatever_the_kernel_does_no_byte_is_lost_and_nobody_waits_for_ever() {
    for entry in catalog::STRATEGIES {
        eprintln!("strategy {}", entry.described.name);
        let seen: Vec<Counters> = simulation::seeds().map(entry.simulate).collect();
        simulation::assert_thorough(&seen);
        simulation::assert_frequent(&seen, "overflows of the completion queue", |counters| {
            counters.cq_overflows
        });
    }
}
