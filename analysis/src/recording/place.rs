//! Where a run stands in the grid of its experiment.

use std::cmp::Ordering;

use experiments::plan::{Arm, Role};
use experiments::recording::manifest::RunEntry;
use experiments::spec::factors::Factors;
use serde::Serialize;
use uring_echo::record::Mode;

/// One combination of the factors other than the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Its name, unique in the experiment, such as `req-res/256B/c8`.
    pub key: String,
    /// The level of each factor.
    #[serde(flatten)]
    pub factors: Factors,
}

impl Cell {
    /// The cell of three factors that the manifest would give this name.
    pub fn new(mode: Mode, payload_bytes: usize, connections: usize) -> Self {
        let factors = Factors::new(mode, payload_bytes, connections);
        Self { key: factors.key(), factors }
    }

    /// Order of tables.
    pub fn order(&self, other: &Self) -> Ordering {
        self.factors.cmp(&other.factors).then_with(|| self.key.cmp(&other.key))
    }
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Position in the order, from 1.
    pub number: usize,
    /// What it was made for.
    pub role: Role,
    /// Side of a control pair.
    pub arm: Option<Arm>,
    /// Repetition, from 1. Runs of one cell and repetition pair up.
    pub repetition: u32,
    /// Name of the server level.
    pub engine: String,
    /// Its cell.
    pub cell: Cell,
}

impl Place {
    /// Where `entry` says that it stands.
    pub fn of(entry: &RunEntry) -> Self {
        Self {
            number: entry.number,
            role: entry.role,
            arm: entry.arm,
            repetition: entry.repetition,
            engine: entry.engine.clone(),
            cell: Cell { key: entry.cell.clone(), factors: entry.factors.clone() },
        }
    }

    /// Whether it is of `engine` in the cell called `key`.
    pub fn is_of(&self, key: &str, engine: &str) -> bool {
        self.cell.key == key && self.engine == engine
    }

    /// Whether both are the same measurement, which is made once. Runs of other roles may be made often.
    pub fn is_same_as(&self, other: &Self) -> bool {
        matches!(self.role, Role::Measured | Role::Control)
            && self.role == other.role
            && self.arm == other.arm
            && self.repetition == other.repetition
            && self.engine == other.engine
            && self.cell.key == other.cell.key
    }
}
