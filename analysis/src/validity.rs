//! Which runs count, and what is said of those that do not.

use experiments::recording::manifest::{Attempt, Status};
use serde::Serialize;

/// Whether a run counts. Decided by what was fixed before the recording began, never by what the run measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It counts.
    Valid,
    /// It counts, and exceeded a limit of the noise gate.
    Flagged,
    /// It left a record, and something speaks against it.
    Invalid,
    /// It left no record.
    Failed,
    /// It was not made.
    Missing,
    /// What it left cannot be read, or contradicts the manifest.
    Damaged,
}

impl Standing {
    /// What the manifest says of `attempt`, the one that stands.
    pub(crate) fn of(attempt: &Attempt) -> Self {
        match attempt.status {
            Status::Valid if attempt.flags.is_empty() => Self::Valid,
            Status::Valid => Self::Flagged,
            Status::Invalid => Self::Invalid,
            Status::Failed => Self::Failed,
            Status::Planned => Self::Missing,
        }
    }

    /// Whether figures stand on such a run. Flagged ones are among them: to leave out what was noisy would leave out
    /// what was slow.
    pub(crate) const fn counts(self) -> bool {
        matches!(self, Self::Valid | Self::Flagged)
    }

    /// Its name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Flagged => "flagged",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Damaged => "damaged",
        }
    }
}

/// How many runs stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All that were planned.
    pub planned: usize,
    /// Those that count and exceeded no limit.
    pub valid: usize,
    /// Those that count and exceeded a limit of the noise gate.
    pub flagged: usize,
    /// Those with a record that something speaks against.
    pub invalid: usize,
    /// Those without a record.
    pub failed: usize,
    /// Those that were not made.
    pub missing: usize,
    /// Those whose record cannot be read or contradicts the manifest.
    pub damaged: usize,
}

impl Counts {
    /// Counts runs by how they stand.
    pub(crate) fn of(standings: impl IntoIterator<Item = Standing>) -> Self {
        let all: Vec<Standing> = standings.into_iter().collect();
        let count = |standing| all.iter().filter(|own| **own == standing).count();
        Self {
            planned: all.len(),
            valid: count(Standing::Valid),
            flagged: count(Standing::Flagged),
            invalid: count(Standing::Invalid),
            failed: count(Standing::Failed),
            missing: count(Standing::Missing),
            damaged: count(Standing::Damaged),
        }
    }
}
