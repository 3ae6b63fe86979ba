//! The table of contents of a recording: what was to run, in which order, and what became of each run.

use serde::{Deserialize, Serialize};
use uring_echo::record::{Mode, Verify};
use uring_echo::units::Nanos;

use crate::plan::Run;
use crate::spec::{Engine, EngineLevel};

/// The version of the manifest this build writes and reads. It changes when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The manifest of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`] of the build that wrote it.
    pub schema_version: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Its title.
    pub title: String,
    /// Name of the recording, unique in the experiment.
    pub recording: String,
    /// Where the order of the runs comes from.
    pub seed: u64,
    /// Levels that were left out, as they were asked for; empty when all ran.
    pub filter: String,
    /// Wall-clock time when the recording began, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// When the last run ended. `None` while there are runs to do.
    pub finished_unix_ms: Option<u64>,
    /// Version of the runner.
    pub version: String,
    /// Git revision of the checkout the runner was built in, `-dirty` with local changes; or `unavailable`.
    pub revision: String,
    /// The core of the server.
    pub server_cpu: usize,
    /// The cores of the client and of the runner.
    pub client_cpus: Vec<usize>,
    /// How often each cell is measured with each engine.
    pub repetitions: u32,
    /// The servers that are compared.
    pub engines: Vec<EngineEntry>,
    /// The ratios to report, each as `numerator/denominator`.
    pub ratios: Vec<String>,
    /// The files that belong to the recording as a whole.
    pub files: Vec<FileEntry>,
    /// Every run in its order.
    pub runs: Vec<RunEntry>,
}

/// A level of the engine factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineEntry {
    /// Name of the level.
    pub name: String,
    /// The program.
    pub engine: Engine,
    /// Arguments beyond those the runner gives.
    pub args: Vec<String>,
}

impl From<&EngineLevel> for EngineEntry {
    fn from(level: &EngineLevel) -> Self {
        Self { name: level.name.clone(), engine: level.engine, args: level.args.clone() }
    }
}

/// A file and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path below the recording's folder.
    pub path: String,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not run, or interrupted before it left a record.
    Planned,
    /// Measured, and nothing speaks against it.
    Valid,
    /// Measured, and something speaks against it. It is kept and left out of every figure.
    Invalid,
    /// Left no record.
    Failed,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEntry {
    /// Position in the order, counted from 1.
    pub number: usize,
    /// Repetition, counted from 1.
    pub repetition: u32,
    /// Level of the engine factor.
    pub engine: String,
    /// Stream or request-response.
    pub mode: Mode,
    /// Size of a message, in bytes.
    pub payload_bytes: usize,
    /// Connections open during the run.
    pub connections: usize,
    /// Load before the window, in nanoseconds.
    pub warmup_ns: Nanos,
    /// Length of the window, in nanoseconds.
    pub window_ns: Nanos,
    /// Content checks of the client.
    pub verify: Verify,
    /// What became of it.
    pub status: Status,
    /// Why it is invalid or failed.
    pub reasons: Vec<String>,
    /// Its record. `None` when it left none.
    pub file: Option<FileEntry>,
}

impl RunEntry {
    /// `run` before it ran.
    pub fn planned(run: &Run<'_>) -> Self {
        Self {
            number: run.number,
            repetition: run.repetition,
            engine: run.engine.name.clone(),
            mode: run.cell.workload.mode,
            payload_bytes: run.cell.payload_bytes,
            connections: run.cell.connections,
            warmup_ns: run.cell.workload.warmup.into(),
            window_ns: run.cell.workload.window.into(),
            verify: run.cell.workload.verify,
            status: Status::Planned,
            reasons: Vec::new(),
            file: None,
        }
    }
}

impl Manifest {
    /// How many runs have `status`.
    pub fn count(&self, status: Status) -> usize {
        self.runs.iter().filter(|run| run.status == status).count()
    }
}
