//! The io_uring server against a kernel that misbehaves on purpose, seed after seed.
//!
//! Always: what comes back is what was sent, in order; buffers are conserved; every connection is somebody's business; nothing
//! is closed while an operation of it is outstanding. In the end: every peer got everything back, and nobody waits.
//! [`fake_kernel`] asserts what only a kernel can see.

use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use super::strategy::Apart;
use super::*;
use crate::server::shell::config::{
    Config, Files, Publish, RecvMode, RingFd, SendMode, Setup, Wait, Zerocopy,
};
use crate::server::simulation::{self, Lines, Replay};
use crate::sys::fake_kernel::{self, FakeQueues, Fate};
use crate::sys::queues::Cqe;
use crate::units::{Bytes, Nanos};

/// Which strategy to try, where not all are wanted.
const STRATEGY: &str = "URING_ECHO_STRATEGY";

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

fn server<S: Strategy>(seed: u64, stubborn: bool) -> UringServer<S, FakeQueues> {
    let (mut random, common, rules, mut world) = simulation::circumstances(seed);
    let config = config::<S>(&common, &mut random);
    let common = &config.common;
    let entries =
        (S::ENTRIES_PER_COMPLETION + [1, 2, 20][random.random_range(0..3)], random.random_range(1..=24));
    // Now and then no more than one for each connection, as for a server of many, whose reserve is cut.
    let cut =
        if random.random() { usize::MAX } else { usize::from(config.buffers) + 2 * common.connections_max };
    let (buffers, private, groups) = setup::memory::<S>(&config, cut).unwrap();
    let shutdown_first = random.random();
    if !stubborn {
        world.soften();
    }
    let fate = Fate::new(rules, world, random);
    let direct = config.files == Some(Files::Direct);
    let mut ring = fake_kernel::ring(fate, entries, direct, (S::lend(buffers), private));
    ring.allow_vectors(S::SEGMENTS_MAX).unwrap();
    ring.groups = groups;
    if S::apart(&config) == Apart::Reserve {
        ring.open_group(reserve::RESERVE).unwrap();
    }
    let (listener, lifecycle) = (Listener::bind(common).unwrap(), Lifecycle::start(common).unwrap());
    let mut server = UringServer::over(ring, listener, lifecycle, &config);
    server.shutdown_first = shutdown_first;
    server
}

/// What holds between any two iterations.
fn assert_invariants<S: Strategy>(server: &mut UringServer<S, FakeQueues>) {
    let (mut leased, mut receiving, mut holding) = (0, 0, 0);
    for slot in server.peers.slots().collect::<Vec<_>>() {
        S::assert_bounded(server, slot);
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
        for op in [Op::Recv, Op::Send] {
            let over = peer.taken_back.has(op) && !peer.in_flight.has(op);
            assert!(!over, "slot {slot} waits for the end of a {op:?} that is over");
        }
        let (sends, owes) = (peer.in_flight.has(Op::Send), peer.connection.owed_bytes() > 0);
        let copies = server.config.send_kind == Zerocopy::Copy;
        let in_step = if copies { sends == owes } else { sends || !owes };
        assert!(in_step || peer.connection.is_given_up(), "slot {slot} sends what it owes");
    }
    assert_eq!(server.admission.receiving, receiving);
    assert!(server.ring.are_conserved(leased), "a buffer is lost or there twice");
    assert_one_for_each(server, holding);
}

/// There is a buffer for every connection that has none, wherever the strategy keeps it; `holding` connections have one.
fn assert_one_for_each<S: Strategy>(server: &mut UringServer<S, FakeQueues>, holding: usize) {
    let left = match S::apart(&server.config) {
        // Its own buffer is looked at above; without a cure there is no promise.
        Apart::Nothing if S::PRIVATE || !S::CURED => return,
        Apart::Nothing => server.ring.buffers.spare(),
        Apart::Reserve => server.ring.groups.at(reserve::RESERVE).spare(),
        Apart::Each(count) => return assert_groups_are_apart(server, count),
    };
    let empty = server.config.common.connections_max - holding;
    assert!(left >= empty, "{empty} connections hold nothing, and {left} buffers are left");
}

/// What a connection is owed lies in its own group of `count` buffers.
fn assert_groups_are_apart<S: Strategy>(server: &mut UringServer<S, FakeQueues>, count: usize) {
    for slot in server.peers.slots().collect::<Vec<_>>() {
        let owed = server.peers.at(slot).outbox.len();
        let spare = server.ring.groups.at(slot.index()).spare();
        assert_eq!(spare + owed, count, "slot {slot} holds buffers of another's group");
    }
}

/// Serves until told to stop and done. Returns what was counted.
pub(super) fn simulate<S: Strategy>(seed: u64) -> Counters {
    let _replay = Replay(seed);
    clock::hold();
    let mut server = server::<S>(seed, S::CURED);
    let mut lines = Lines::new(&server.config.common, S::overshoot_bytes(&server.config));
    while !server.is_finished() {
        if let Err(error) = server.iterate() {
            assert!(server.ring.queues().fate.is_lost, "{error}");
            return server.counters();
        }
        assert_invariants(&mut server);
        lines.observe(&server.admission.waiting, &server.counters);
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
    let asked = std::env::var(STRATEGY).ok();
    let is_asked = |entry: &&catalog::Entry| asked.as_ref().is_none_or(|name| name == entry.described.name);
    std::thread::scope(|scope| {
        for entry in catalog::STRATEGIES.iter().filter(is_asked) {
            let thread = std::thread::Builder::new().name(entry.described.name.to_owned());
            thread.spawn_scoped(scope, || simulate_seeds(entry)).expect("a thread can be had");
        }
    });
}

/// Goes through the seeds with one strategy.
fn simulate_seeds(entry: &catalog::Entry) {
    let seen: Vec<Counters> = simulation::seeds().map(entry.simulate).collect();
    simulation::assert_thorough(&seen);
    if entry.described.cured {
        simulation::assert_frequent(&seen, "yields", |counters| counters.yields);
    }
    simulation::assert_frequent(&seen, "overflows of the completion queue", |counters| counters.cq_overflows);
}

/// Whether peers of `seed` that do not read keep the others waiting for as long as anybody cares to look.
fn starves<S: Strategy>(seed: u64) -> bool {
    const ITERATIONS_LOOKED_AT: u64 = 20_000;
    clock::hold();
    let mut server = server::<S>(seed, true);
    while !server.is_finished() && server.counters.iterations < ITERATIONS_LOOKED_AT {
        server.iterate().unwrap();
    }
    let most = server.config.common.connections_max;
    let starves = !server.is_finished() && !server.ring.queues().fate.world.is_served_but_stubborn(most);
    server.cancel_everything();
    starves
}

/// A server of two connections or more that is stopping, and one of them that owes nothing and is being received from.
fn stopping<S: Strategy>() -> (UringServer<S, FakeQueues>, Slot) {
    clock::hold();
    for seed in 0.. {
        let mut server = server::<S>(seed, false);
        while server.config.common.connections_max > 1 && !server.is_finished() {
            server.iterate().unwrap();
            let clear = |server: &mut UringServer<S, FakeQueues>, slot: Slot| {
                let peer = server.peers.at(slot);
                peer.connection.may_receive()
                    && peer.connection.owed_bytes() == 0
                    && peer.in_flight.has(Op::Recv)
            };
            let slots: Vec<Slot> = server.peers.slots().filter(|_| server.lifecycle.is_stopping()).collect();
            if let Some(slot) = slots.into_iter().find(|&slot| clear(&mut server, slot)) {
                return (server, slot);
            }
        }
        server.cancel_everything();
    }
    unreachable!("there are more seeds than anybody can try")
}

/// Has `slot` be quiet since the last tick.
fn hush<S: Strategy>(server: &mut UringServer<S, FakeQueues>, slot: Slot) {
    let connection = &mut server.peers.at(slot).connection;
    if !connection.is_quiet() {
        connection.on(Event::Tick);
    }
    assert!(connection.is_quiet());
}

/// What the end of a receive that finds nothing makes of a quiet connection that was asked whether it is.
#[test]
fn a_quiet_connection_of_a_stopping_server_is_closed_when_its_receive_is_taken_back() {
    for asked in [true, false] {
        let (mut server, slot) = stopping::<strategy::Alternate>();
        hush(&mut server, slot);
        if asked {
            server.ask_if_quiet(slot);
        }
        let user_data = server.token(Op::Recv, slot).to_bits();
        let nothing = Cqe { user_data, result: -libc::ECANCELED, flags: 0 };
        server.on_completion(Completion::of(nothing), None);
        assert_eq!(server.peers.at(slot).connection.is_given_up(), asked);
    }
}

#[test]
fn a_receive_that_a_quota_stopped_says_nothing_of_silence() {
    let (mut server, slot) = stopping::<strategy::MultishotQuota>();
    hush(&mut server, slot);
    server.take_back(Op::Recv, slot);
    assert_eq!(server.on_taken_back(slot), Event::Idle);
    server.peers.at(slot).asked_if_quiet = true;
    assert_eq!(server.on_taken_back(slot), Event::Tick);
    server.peers.at(slot).asked_if_quiet = true;
    server.take_back(Op::Recv, slot);
    assert_eq!(server.on_taken_back(slot), Event::Idle);
    server.cancel_everything();
}

#[test]
fn a_tick_does_not_take_what_a_quota_stopped_for_silence() {
    let (mut server, slot) = stopping::<strategy::MultishotQuota>();
    hush(&mut server, slot);
    server.peers.at(slot).taken_back.forget(Op::Recv);
    server.take_back(Op::Recv, slot);
    let before = server.ring.counts().sqes;
    server.ask_if_quiet(slot);
    assert!(!server.peers.at(slot).asked_if_quiet, "it may have been stopped amid data");
    assert_eq!(server.ring.counts().sqes, before + 1, "a cancellation that came too late is asked for again");
    server.peers.at(slot).taken_back.forget(Op::Recv);
    for _ in 0..2 {
        server.ask_if_quiet(slot);
        assert!(server.peers.at(slot).asked_if_quiet);
    }
    server.cancel_everything();
}

#[test]
fn whoever_finds_no_buffer_waits_behind_those_that_wait() {
    let (mut server, slot) = stopping::<strategy::MultishotQuota>();
    let longer = Slot(u32::from(slot == Slot(0)));
    server.admission.waiting.remove(longer);
    server.admission.waiting.push_front(longer);
    server.wait_when_clear(slot);
    assert_eq!(server.admission.waiting.pop(), Some(longer));
    assert!(server.admission.waiting.contains(slot));
    server.cancel_everything();
}

#[test]
fn without_a_cure_peers_that_do_not_read_starve_the_others() {
    assert!((0..100).any(starves::<strategy::Multishot>));
    assert!(!(0..100).any(starves::<strategy::MultishotQuota>));
}

#[test]
fn what_completions_lead_to_does_not_keep_the_line_out_of_the_queue_for_ever() {
    // Of 100,000 seeds, those whose tiny queue was full whenever the line wanted in.
    simulate::<strategy::Private>(18_411);
    simulate::<strategy::PrivateLinked>(3518);
}
