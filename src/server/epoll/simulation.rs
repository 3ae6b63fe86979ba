//! The epoll server against a kernel that misbehaves on purpose, seed after seed.

use proptest::prelude::RngExt;

use super::*;
use crate::server::shell::config::EpollConfig;
use crate::server::simulation::{self, Lines, Replay};
use crate::sys::fake_kernel::{FakeSockets, Fate};

fn server(seed: u64) -> EpollServer<FakeSockets> {
    let (mut random, common, rules, world) = simulation::circumstances(seed);
    let strategy = if random.random_ratio(1, 4) { Readying::Level } else { Readying::Edge };
    let config = EpollConfig { common, strategy };
    let listener = Listener::bind(&config.common).unwrap();
    let lifecycle = Lifecycle::start(&config.common).unwrap();
    EpollServer::over(FakeSockets::new(Fate::new(rules, world, random)), listener, lifecycle, &config)
        .unwrap()
}

/// What holds between any two iterations.
fn assert_invariants(server: &mut EpollServer<FakeSockets>) {
    let mut spilled = 0;
    for slot in server.peers.slots().collect::<Vec<_>>() {
        let waits = server.ready.contains(slot);
        let peer = server.peers.at(slot);
        let owes = peer.connection.owed_bytes() > 0;
        spilled += usize::from(owes);
        let keeps = matches!(peer.owed, Owed::Spilled(_));
        assert_eq!(owes, keeps, "slot {slot} keeps what it owes where it lasts");
        assert!(!owes || waits || !peer.writable, "slot {slot} could send and nobody thinks of it");
    }
    assert_eq!(server.spills.unused() + spilled, server.peers.capacity(), "a spill buffer is lost");
}

/// Serves until told to stop and done. Returns what was counted.
fn simulate(seed: u64) -> Counters {
    let _replay = Replay(seed);
    clock::hold();
    let mut server = server(seed);
    let mut lines = Lines::new(&simulation::circumstances(seed).1, 0);
    while !server.is_finished() {
        server.iterate().unwrap();
        assert_invariants(&mut server);
        lines.observe(&server.ready, &server.counters);
        assert!(server.counters.iterations < simulation::ITERATIONS_MAX, "the server is busy for ever");
    }
    if server.peers.is_empty() {
        assert_eq!(server.counters.accepted, server.counters.closed);
        assert_eq!(server.counters.peer_faults, server.kernel.fate.fatal_errors);
    }
    assert!(server.counters.stale <= server.kernel.fate.late);
    let counted = (server.counters.received_bytes, server.counters.sent_bytes);
    assert_eq!(counted, server.kernel.fate.world.moved_bytes());
    server.counters
}

#[test]
fn whatever_the_kernel_does_no_byte_is_lost_and_nobody_waits_for_ever() {
    let seen: Vec<_> = simulation::seeds().map(simulate).collect();
    simulation::assert_thorough(&seen);
    simulation::assert_frequent(&seen, "yields", |counters| counters.yields);
}
