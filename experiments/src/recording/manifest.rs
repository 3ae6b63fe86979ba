//! The table of contents of a recording: what was to run, in which order, and what became of each run.
//!
//! `docs/RECORDING.md` describes every field.

use serde::{Deserialize, Serialize};
use uring_echo::hash::sha256;
use uring_echo::record::Verify;
use uring_echo::units::Nanos;

use crate::clock::Clock;
use crate::judge::gate::{NoiseLimit, Saturation};
use crate::plan::{Arm, Role, Run};
use crate::recording::RECORDS;
use crate::spec::factors::Factors;
use crate::spec::server_program::ServerProgram;
use crate::spec::{EngineLevel, Size, Table};

/// The version of the manifest this build writes and reads. It changes when a field changes its meaning or goes.
///
/// 3 put the records of all runs into one file; [`convert`](crate::recording::convert) makes it of 2.
pub const SCHEMA_VERSION: u32 = 3;

/// The manifest of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`] of the build that wrote it.
    pub schema_version: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Its title.
    pub title: String,
    /// What it answers.
    pub question: String,
    /// Stem of the figure that it feeds.
    pub figure: Option<String>,
    /// How it is shown.
    pub table: Table,
    /// How thoroughly it was run.
    pub size: Size,
    /// What its times are. Counts and times are never in one recording.
    #[serde(default, skip_serializing_if = "Clock::is_time")]
    pub clock: Clock,
    /// Name of the recording, unique in the experiment.
    pub recording: String,
    /// What its records call it, where that is something else: they were made by a clock that begins at a fixed date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_as: Option<String>,
    /// Where the order of the runs and their environments come from.
    pub seed: u64,
    /// Levels that were left out, as they were asked for; empty when all ran.
    pub filter: String,
    /// Wall-clock time when the recording began, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// When the last run ended. `None` while there are runs to do.
    pub finished_unix_ms: Option<u64>,
    /// When it was taken up again.
    pub resumed_unix_ms: Vec<u64>,
    /// Time that was announced, in nanoseconds.
    pub estimated_ns: Nanos,
    /// Disk that was announced.
    pub estimated_bytes: u64,
    /// Version of the runner.
    pub version: String,
    /// The last commit that changed the source of the runner, `-dirty` with changes that no commit held; or `unavailable`.
    pub revision: String,
    /// The programs under test.
    pub programs: Vec<ProgramEntry>,
    /// SHA-256 of the lock file of the packages; or `unavailable`.
    pub cargo_lock_sha256: String,
    /// SHA-256 of the lock file of the flake; or `unavailable`.
    pub flake_lock_sha256: String,
    /// The core of the server.
    pub server_cpu: usize,
    /// The cores of the client and of the runner.
    pub client_cpus: Vec<usize>,
    /// How often each cell is measured with each engine.
    pub repetitions: u32,
    /// The servers that are compared.
    pub engines: Vec<EngineEntry>,
    /// Variants that were not measured, since this machine does not have what they need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// The ratios to report, each as `numerator/denominator`.
    pub ratios: Vec<String>,
    /// Limits of the noise gate.
    pub noise: Vec<NoiseLimit>,
    /// From this share of its core's time on, the server is saturated.
    pub server_busy_share_min: f64,
    /// From this share of its core's time on, the client may be what limits.
    pub client_busy_share_max: f64,
    /// The files that belong to the recording as a whole.
    pub files: Vec<FileEntry>,
    /// The file with the records of the runs.
    pub records: RecordsEntry,
    /// Every run in its order.
    pub runs: Vec<RunEntry>,
    /// SHA-256 of the manifest's text with this field empty.
    pub sha256: String,
}

/// A program that runs were made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramEntry {
    /// Its name.
    pub name: String,
    /// SHA-256 of the executable, in hexadecimal.
    pub sha256: String,
}

/// A level of the engine factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineEntry {
    /// Name of the level.
    pub name: String,
    /// The entry of the table of servers, or the level itself where it brings its own program.
    pub engine: String,
    /// The command of its own program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Arguments beyond those the runner gives.
    pub args: Vec<String>,
    /// The level that it is a variant of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_of: Option<String>,
}

/// A variant that this machine does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Name of the level.
    pub engine: String,
    /// Why, in the words of the server.
    pub reason: String,
}

impl From<&EngineLevel> for EngineEntry {
    fn from(level: &EngineLevel) -> Self {
        let EngineLevel { name, engine, program, args, variant_of } = level.clone();
        let is_own = ServerProgram::named(&engine).is_none();
        let command = is_own.then(|| program.command().to_owned());
        Self { name, engine, command, args, variant_of }
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

/// The file with the records of the runs, as far as this manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsEntry {
    /// Path below the recording's folder.
    pub path: String,
    /// End of the last frame. What lies behind it belongs to no run.
    pub length_bytes: u64,
    /// SHA-256 of the file up to there, in hexadecimal.
    pub sha256: String,
}

impl Default for RecordsEntry {
    /// Of a file without a record.
    fn default() -> Self {
        Self { path: RECORDS.into(), length_bytes: 0, sha256: sha256(b"") }
    }
}

/// A run's record: where it is in the file of records, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordEntry {
    /// Where its frame begins.
    pub offset_bytes: u64,
    /// Length of the frame.
    pub frame_bytes: u64,
    /// SHA-256 of the document in it, in hexadecimal.
    pub sha256: String,
}

impl RecordEntry {
    /// Where its frame ends.
    pub fn end_bytes(&self) -> u64 {
        self.offset_bytes.saturating_add(self.frame_bytes)
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not run, or interrupted before it left a record.
    #[default]
    Planned,
    /// Measured, and nothing speaks against it.
    Valid,
    /// Measured, and something speaks against it. It is kept and left out of every figure.
    Invalid,
    /// Left no record.
    Failed,
}

/// One attempt at a run, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// What became of it.
    pub status: Status,
    /// Why it is invalid or failed.
    pub reasons: Vec<String>,
    /// Limits of the noise gate that it exceeds.
    pub flags: Vec<String>,
    /// Which end its throughput is about.
    pub saturation: Option<Saturation>,
    /// Where the server listened.
    pub port: Option<u16>,
    /// From before the server's start until the record was there, in nanoseconds.
    pub took_ns: Option<Nanos>,
    /// Its record. `None` when it left none.
    pub record: Option<RecordEntry>,
}

/// One run: its place in the grid, the attempt that stands, and those before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// Position in the order, counted from 1.
    pub number: usize,
    /// What it is made for.
    pub role: Role,
    /// Side of a control pair.
    pub arm: Option<Arm>,
    /// Repetition, counted from 1.
    pub repetition: u32,
    /// Level of the engine factor.
    pub engine: String,
    /// Key of the cell.
    pub cell: String,
    /// Levels of the cell.
    #[serde(flatten)]
    pub factors: Factors,
    /// Load before the window, in nanoseconds.
    pub warmup_ns: Nanos,
    /// Length of the window, in nanoseconds.
    pub window_ns: Nanos,
    /// Content checks of the client.
    pub verify: Verify,
    /// Arguments of the client beyond those the runner gives.
    pub client_args: Vec<String>,
    /// Size of what is added to the environment of both ends.
    pub environment_bytes: usize,
    /// The attempt that stands.
    #[serde(flatten)]
    pub attempt: Attempt,
    /// Attempts before it, oldest first.
    pub superseded: Vec<Attempt>,
}

impl RunEntry {
    /// `run` before it ran.
    pub fn planned(run: &Run) -> Self {
        let timing = &run.cell.timing;
        Self {
            number: run.number,
            role: run.role,
            arm: run.arm,
            repetition: run.repetition,
            engine: run.engine.name.clone(),
            cell: run.cell.factors.key(),
            factors: run.cell.factors.clone(),
            warmup_ns: timing.warmup.into(),
            window_ns: timing.window.into(),
            verify: timing.verify,
            client_args: timing.client_args.clone(),
            environment_bytes: run.environment_bytes,
            attempt: Attempt::default(),
            superseded: Vec::new(),
        }
    }

    /// Whether this is the run that was planned as `run`, whatever has become of it.
    pub fn is(&self, run: &Run) -> bool {
        let planned = Self::planned(run);
        planned == Self { attempt: Attempt::default(), superseded: Vec::new(), ..self.clone() }
    }

    /// Whether figures stand on it.
    pub fn counts(&self) -> bool {
        self.role == Role::Measured && self.attempt.status == Status::Valid
    }

    /// Every attempt, the one that stands last.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.superseded.iter().chain([&self.attempt])
    }
}

impl Manifest {
    /// How many runs have `status`.
    pub fn count(&self, status: Status) -> usize {
        self.runs.iter().filter(|run| run.attempt.status == status).count()
    }

    /// Runs that were made once more because of noise.
    pub fn repeated_for_noise(&self) -> usize {
        let is_noisy = |attempt: &Attempt| !attempt.flags.is_empty();
        self.runs.iter().filter(|run| run.superseded.iter().any(is_noisy)).count()
    }

    /// Paths of the files that it names, below the recording's folder.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str()).chain([self.records.path.as_str()])
    }

    /// The record of every attempt that left one.
    pub fn record_entries(&self) -> impl Iterator<Item = &RecordEntry> {
        self.runs.iter().flat_map(RunEntry::attempts).filter_map(|attempt| attempt.record.as_ref())
    }

    /// Its text: a run is one line, so that a thousand of them are still read, compared and written at once.
    pub fn text(&self) -> String {
        let unsigned = self.lines("");
        let sha256 = sha256(unsigned.as_bytes());
        self.lines(&sha256)
    }

    fn lines(&self, sha256: &str) -> String {
        let bare = Self { runs: Vec::new(), sha256: sha256.into(), ..self.clone() };
        let text = serde_json::to_string_pretty(&bare).expect("numbers, texts and lists have a JSON form");
        let run = |run: &RunEntry| {
            "    ".to_owned()
                + &serde_json::to_string(run).expect("numbers, texts and lists have a JSON form")
        };
        let runs: Vec<_> = self.runs.iter().map(run).collect();
        let list = format!("\"runs\": [\n{}\n  ]", runs.join(",\n"));
        text.replacen("\"runs\": []", &list, 1) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::spec;

    #[test]
    fn an_entry_survives_json_and_is_still_the_planned_run() {
        let (spec, _) = spec::find("quick", Size::Quick).unwrap().unwrap();
        let runs = plan(&spec, 1);
        let mut entry = RunEntry::planned(&runs[0]);
        entry.attempt.status = Status::Valid;
        entry.superseded.push(Attempt::default());
        let again: RunEntry = serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
        assert_eq!(again, entry);
        assert!(again.is(&runs[0]) && !again.is(&runs[1]));
    }
}
