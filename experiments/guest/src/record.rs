//! What the guest hands back: one JSON document a line, a `boot` first, a `step` for each step with a `file` for each
//! file that it recorded, an `end` last.
//!
//! The `end` is what tells a complete report from one that was cut off.

use std::fmt;

use serde::{Deserialize, Serialize};
use uring_echo::units::Nanos;

/// One line from the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The guest's first process runs and is about to start the first step.
    Boot(Boot),
    /// A step is over.
    Step(Step),
    /// A file that the step before it left in the folder of recordings.
    File(RecordedFile),
    /// All steps are over and the power goes off next.
    End(End),
}

/// What booted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The kernel's release, as `uname -r` prints it.
    pub release: String,
    /// The kernel's build, as `uname -v` prints it.
    pub version: String,
    /// The command line it was given.
    pub command_line: String,
    /// How many CPUs are online, isolated ones included.
    pub cpus: usize,
    /// Time since the kernel started its clock, in nanoseconds.
    pub uptime_ns: Nanos,
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name in the plan.
    pub name: String,
    /// How it ended.
    pub ended: Ended,
    /// How long it took by the guest's clock, in nanoseconds.
    pub elapsed_ns: Nanos,
    /// Processes that it left behind, which were then killed.
    pub strays: usize,
    /// The end of what it wrote to standard output and standard error, in the order written.
    pub output: String,
}

/// A file of a recording that was made in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// Path below the folder of recordings, with `/`.
    pub path: String,
    /// Its content; base64 in the line.
    #[serde(with = "base64_text")]
    pub content: Vec<u8>,
}

/// Bytes as a text that a line of JSON holds.
mod base64_text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(content: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How many steps were run.
    pub steps: usize,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By exit, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// Killed at its deadline, in seconds.
    TimedOut(u64),
    /// It never started, for this reason.
    NotStarted(String),
}

impl Ended {
    /// Whether the step did what it was asked.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exit(0))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::TimedOut(deadline_s) => write!(f, "killed at its deadline of {deadline_s} s"),
            Self::NotStarted(reason) => write!(f, "could not be started: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(ended: Ended) -> Record {
        let (name, output) = ("probe".to_string(), "two\nlines \"quoted\"\n".to_string());
        Record::Step(Step { name, ended, elapsed_ns: Nanos::from_millis(5), strays: 1, output })
    }

    #[test]
    fn a_record_is_one_line_and_reads_back() {
        for record in [
            step(Ended::Exit(0)),
            step(Ended::Signal(9)),
            step(Ended::TimedOut(300)),
            step(Ended::NotStarted("no such file".into())),
            Record::File(RecordedFile { path: "quick/r/manifest.json".into(), content: b"{\n}\n".into() }),
            Record::File(RecordedFile { path: "quick/r/runs.zst".into(), content: (0..=255).collect() }),
            Record::End(End { steps: 4 }),
        ] {
            let line = serde_json::to_string(&record).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
        }
    }

    #[test]
    fn only_exit_status_zero_is_success() {
        assert!(Ended::Exit(0).is_success());
        for ended in [Ended::Exit(1), Ended::Signal(6), Ended::TimedOut(1), Ended::NotStarted(String::new())]
        {
            assert!(!ended.is_success(), "{ended}");
        }
    }
}
