//! Which runs, in which order, and how long they take.
//!
//! The order is random, so that no level is always measured early, late or after the same other. Within a repetition
//! every cell comes once, and its engines right after each other: what drifts over minutes hits both sides of a ratio.

use std::time::Duration;

use crate::random::Random;
use crate::spec::{EngineLevel, Spec, Workload};

/// What a run spends outside warm-up and window: starting a server, connecting, draining, stopping, syncing the
/// record. An estimate to be replaced by what this machine shows.
pub const OVERHEAD_PER_RUN: Duration = Duration::from_millis(400);

/// One combination of the factors other than the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell<'a> {
    /// Mode and timing.
    pub workload: &'a Workload,
    /// Size of a message.
    pub payload_bytes: usize,
    /// Connections open during the run.
    pub connections: usize,
}

/// One server process under one load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run<'a> {
    /// Position in the order, counted from 1.
    pub number: usize,
    /// Repetition, counted from 1.
    pub repetition: u32,
    /// The server.
    pub engine: &'a EngineLevel,
    /// The load.
    pub cell: Cell<'a>,
}

impl Run<'_> {
    /// Time the load is on.
    pub fn load_time(&self) -> Duration {
        self.cell.workload.warmup + self.cell.workload.window
    }
}

/// Every run of `spec` in the order of `seed`.
pub fn plan(spec: &Spec, seed: u64) -> Vec<Run<'_>> {
    let mut random = Random::new(seed);
    let mut runs = Vec::new();
    for repetition in 1..=spec.repetitions {
        let mut cells = cells(spec);
        random.shuffle(&mut cells);
        for cell in cells {
            let mut engines: Vec<_> = spec.engines.iter().collect();
            random.shuffle(&mut engines);
            for engine in engines {
                runs.push(Run { number: runs.len() + 1, repetition, engine, cell });
            }
        }
    }
    runs
}

/// What `runs` will take, as far as can be said beforehand.
pub fn estimate(runs: &[Run<'_>]) -> Duration {
    runs.iter().map(|run| run.load_time() + OVERHEAD_PER_RUN).sum()
}

fn cells(spec: &Spec) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for workload in &spec.workloads {
        for &payload_bytes in &spec.payload_bytes {
            for &connections in &spec.connections {
                cells.push(Cell { workload, payload_bytes, connections });
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn parity() -> Spec {
        crate::spec::find("parity").unwrap().unwrap().0
    }

    fn label(run: &Run<'_>) -> String {
        let Cell { workload, payload_bytes, connections } = run.cell;
        format!("{} {} {payload_bytes} {connections} {}", run.repetition, workload.mode, run.engine.name)
    }

    #[test]
    fn every_combination_comes_exactly_once_in_every_repetition() {
        let spec = parity();
        let runs = plan(&spec, 1);
        let distinct: BTreeSet<_> = runs.iter().map(label).collect();
        assert_eq!(runs.len(), 3 * 2 * 3 * 3 * 5);
        assert_eq!(distinct.len(), runs.len());
        assert!(runs.iter().enumerate().all(|(index, run)| run.number == index + 1));
    }

    #[test]
    fn a_seed_gives_its_order_again_and_another_seed_another() {
        let spec = parity();
        assert_eq!(plan(&spec, 5), plan(&spec, 5));
        assert_ne!(plan(&spec, 5), plan(&spec, 6));
    }

    #[test]
    fn repetitions_follow_each_other_and_do_not_repeat_an_order() {
        let spec = parity();
        let runs = plan(&spec, 9);
        assert!(runs.is_sorted_by_key(|run| run.repetition));
        let order = |repetition| -> Vec<_> {
            runs.iter().filter(|run| run.repetition == repetition).map(|run| (run.cell, run.engine)).collect()
        };
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn the_engines_of_a_cell_run_right_after_each_other_and_not_always_in_the_same_order() {
        let spec = parity();
        let runs = plan(&spec, 3);
        let groups: Vec<_> = runs.chunks(spec.engines.len()).collect();
        assert!(groups.iter().all(|group| group.iter().all(|run| run.cell == group[0].cell)));
        let leaders: BTreeSet<_> = groups.iter().map(|group| &group[0].engine.name).collect();
        assert_eq!(leaders.len(), spec.engines.len());
    }

    #[test]
    fn the_first_look_takes_less_than_three_minutes() {
        let spec = crate::spec::find("quick").unwrap().unwrap().0;
        assert!(estimate(&plan(&spec, 0)) < Duration::from_secs(180));
    }
}
