//! What the simulations of both engines share: seeds, and the circumstances that a seed stands for.

use std::collections::HashMap;
use std::ops::Range;

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::measure::counters::Counters;
use crate::server::core::queue::SlotQueue;
use crate::server::shell::config::Config;
use crate::slab::Slot;
use crate::sys::fake_kernel::{Rules, World};
use crate::units::{Bytes, Nanos};

/// Which seeds to try, `from..to`, where others than the usual are wanted.
const SEEDS: &str = "URING_ECHO_SEEDS";

/// How many are tried otherwise.
const SEEDS_USUAL: u64 = 1000;

/// More iterations than any seed needs.
pub(super) const ITERATIONS_MAX: u64 = 100_000;

/// Says how to see a failure again.
pub(super) struct Replay(pub(super) u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {0} fails; set {SEEDS}={0}..{1} to see it again", self.0, self.0 + 1);
        }
    }
}

/// The seeds to try.
pub(super) fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var(SEEDS) else { return 0..SEEDS_USUAL };
    let (from, to) = asked.split_once("..").expect("seeds are given as from..to");
    from.parse().unwrap()..to.parse().unwrap()
}

/// Chance, settings, kernel and peers that `seed` stands for. Everything is small, so that all limits are met.
pub(super) fn circumstances(seed: u64) -> (TestRng, Config, Rules, World) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        connections_max: random.random_range(1..=12),
        backlog: random.random_range(1..=3),
        buffer_bytes: Bytes(random.random_range(3..=120)),
        budget_bytes: Bytes(random.random_range(1..=400)),
        drain: Nanos::from_millis([0, 300, 5000][random.random_range(0..3)]),
        ..Config::for_one_connection()
    };
    let rules = Rules {
        connections_max: config.connections_max,
        faults_per_mille: [0, 20, 200][random.random_range(0..3)],
        stops_early: random.random(),
    };
    let world = World::new(random.random_range(1..=20), config.backlog as usize, &mut random);
    (random, config, rules, world)
}

/// How long connections stand in line for their turns.
///
/// A turn is at most a budget. Whoever stands before a connection when it joins has one turn, begun or to come; whoever is accepted
/// later may have one as well before he, too, has to line up; and what had been asked for already may still arrive.
pub(super) struct Lines {
    budget_bytes: u64,
    since: HashMap<u32, Joined>,
}

/// What had been counted when a connection joined a line.
struct Joined {
    /// Which time it was. Whoever is served, or denied memory, joins again.
    joins: u32,
    counted: Counters,
    others: u64,
}

impl Lines {
    /// Nobody stands in line yet. A turn may bring `overshoot_bytes` beyond its budget.
    pub(super) fn new(config: &Config, overshoot_bytes: usize) -> Self {
        Self { budget_bytes: (config.budget_bytes.0 + overshoot_bytes) as u64, since: HashMap::new() }
    }

    /// Looks at `line` between two iterations.
    ///
    /// # Panics
    /// If more bytes of others have passed somebody in it than one turn of each, twice over.
    pub(super) fn observe(&mut self, line: &SlotQueue, counted: &Counters) {
        let mut standing = HashMap::new();
        let others = counted.accepted - counted.closed;
        for (slot, joins) in line.line() {
            let joined = self.since.remove(&slot.0).filter(|joined| joined.joins == joins);
            let joined = joined.unwrap_or(Joined { joins, counted: *counted, others });
            self.check(slot, &joined, counted);
            standing.insert(slot.0, joined);
        }
        self.since = standing;
    }

    fn check(&self, slot: Slot, joined: &Joined, counted: &Counters) {
        let passed_bytes = counted.received_bytes - joined.counted.received_bytes;
        let came = counted.accepted - joined.counted.accepted;
        let allowed_bytes = 2 * self.budget_bytes * (joined.others + came);
        assert!(
            passed_bytes <= allowed_bytes,
            "{passed_bytes} bytes of others passed slot {slot} in line, {allowed_bytes} may"
        );
    }
}

/// # Panics
/// If the usual seeds have not met often enough what can happen to either server: then it was not much of a kernel.
pub(super) fn assert_thorough(seen: &[Counters]) {
    assert_frequent(seen, "receives without memory", |counters| counters.starved);
    assert_frequent(seen, "short sends", |counters| counters.short_sends);
    assert_frequent(seen, "late news of closed connections", |counters| counters.stale);
    assert_frequent(seen, "broken connections", |counters| counters.peer_faults);
    assert_frequent(seen, "aborted accepts", |counters| counters.accept_aborts);
    assert_frequent(seen, "accept pauses", |counters| counters.accept_pauses);
}

/// # Panics
/// If the usual seeds have not met `what` often.
pub(super) fn assert_frequent(seen: &[Counters], what: &str, of: fn(&Counters) -> u64) {
    let count: u64 = seen.iter().map(of).sum();
    assert!(count > 100 || (seen.len() as u64) < SEEDS_USUAL, "{what}: only {count}");
}
