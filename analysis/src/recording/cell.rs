//! A cell of the grid of an experiment.

use std::cmp::Ordering;

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
