//! What an experiment runs: one TOML file each, checked in full before the first run starts.
//!
//! A specification is data. A new experiment is a new file; a variant of a server or of the load is a level with
//! arguments of its own. Nothing here knows any particular experiment.

mod builtin;
mod error;
mod raw;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uring_echo::record::{Mode, Verify};

pub use builtin::{built_in, find};
pub use error::SpecError;

/// Which program echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// `uring-echo serve epoll`.
    Epoll,
    /// `uring-echo serve uring`.
    Uring,
    /// `baseline-mio`, which counts nothing about itself.
    Mio,
}

/// A server as a level of the engine factor: the program and the settings that make it this level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineLevel {
    /// Unique in the specification; heads its rows.
    pub name: String,
    /// The program.
    pub engine: Engine,
    /// Arguments beyond those the runner gives.
    pub args: Vec<String>,
}

/// A comparison of two levels, by their positions in [`Spec::engines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Numerator.
    pub of: usize,
    /// Denominator.
    pub to: usize,
}

/// A workload with its timing.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Stream or request-response.
    pub mode: Mode,
    /// Load before the window opens.
    pub warmup: Duration,
    /// The measured time.
    pub window: Duration,
    /// Content checks.
    pub verify: Verify,
    /// Arguments of the client beyond those the runner gives.
    pub client_args: Vec<String>,
}

/// One experiment: the full cross of its factors, repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The stem that names the experiment everywhere.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What a run of it answers, in prose.
    pub question: String,
    /// Levels of the engine factor.
    pub engines: Vec<EngineLevel>,
    /// Ratios to report.
    pub comparisons: Vec<Comparison>,
    /// Levels of the mode factor.
    pub workloads: Vec<Workload>,
    /// Levels of the payload factor, in bytes.
    pub payload_bytes: Vec<usize>,
    /// Levels of the connection count.
    pub connections: Vec<usize>,
    /// How often each cell is measured with each engine.
    pub repetitions: u32,
}

impl Spec {
    /// Reads a specification; `file` names it in errors.
    ///
    /// # Errors
    /// The first fault, with file, line, key and reason.
    pub fn parse(file: &str, text: &str) -> Result<Self, SpecError> {
        raw::parse(file, text)
    }

    /// Names of the engine levels in order.
    pub fn engine_names(&self) -> impl Iterator<Item = &str> {
        self.engines.iter().map(|level| level.name.as_str())
    }
}
