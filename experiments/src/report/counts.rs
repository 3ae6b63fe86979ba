//! Counts of instructions as a table that is kept, and what a recording has against it.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::control::Controls;
use super::grid::Grid;
use super::instructions::{instructions, spread};
use crate::clock::Clock;
use crate::recording::Recording;

/// What a count may differ by where its repetitions lie closer together, in percent: five builds that did the same differed by up to 0.41.
const LIMIT_MIN_PERCENT: f64 = 0.5;

/// Times the spread of its repetitions that a count may differ by.
const SPREADS: f64 = 2.0;

/// What it may differ by on another kernel than that of the table, in percent: such a difference is the kernel's.
const LIMIT_OF_ANOTHER_KERNEL_PERCENT: f64 = 3.0;

/// The instructions a message of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The release of the guest's kernel.
    pub(super) kernel: String,
    pub(super) count: Vec<Count>,
}

/// One server in one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Count {
    pub(super) cell: String,
    pub(super) server: String,
    pub(super) instructions: f64,
    /// What it may differ by and still be the same.
    pub(super) limit_percent: f64,
}

impl Counts {
    /// Those of `recording`.
    ///
    /// # Errors
    /// When its clock is time, or a record of it cannot be read.
    pub fn of(recording: &Recording) -> anyhow::Result<Self> {
        let manifest = recording.manifest();
        ensure!(
            manifest.clock == Clock::Instructions,
            "{} was recorded in time and has no counts: record `experiments instructions`",
            manifest.recording
        );
        let grid = Grid::read(recording, &Controls::read(recording)?)?;
        let mut count = Vec::new();
        for cell in grid.cells() {
            for server in &grid.engines {
                let Some(samples) = grid.samples(cell, server) else { continue };
                let Some(found) = instructions(samples) else { continue };
                let limit_percent = (spread(samples).unwrap_or(0.0) * 100.0 * SPREADS).max(LIMIT_MIN_PERCENT);
                count.push(Count {
                    cell: cell.key(),
                    server: server.clone(),
                    instructions: (found * 10.0).round() / 10.0,
                    limit_percent: (limit_percent * 100.0).ceil() / 100.0,
                });
            }
        }
        Ok(Self { kernel: recording.kernel_release()?, count })
    }

    /// Reads a table that was kept.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no table of counts", path.display()))
    }

    /// The table to keep.
    ///
    /// # Errors
    /// Never: it is numbers and names.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// What they have against those that were `kept`.
    pub fn against(&self, kept: &Self) -> Against {
        let mut lines = Vec::new();
        let is_same_kernel = self.kernel == kept.kernel;
        if !is_same_kernel {
            let limit = LIMIT_OF_ANOTHER_KERNEL_PERCENT;
            lines.push(format!(
                "kernel {}, the table is of {}: the limit is {limit} %",
                self.kernel, kept.kernel
            ));
        }
        let mut beyond = 0;
        for count in &kept.count {
            let own = self.count.iter().find(|own| (&own.cell, &own.server) == (&count.cell, &count.server));
            let limit = if is_same_kernel { count.limit_percent } else { LIMIT_OF_ANOTHER_KERNEL_PERCENT };
            let (is_beyond, line) = compared(count, own, limit);
            beyond += usize::from(is_beyond);
            lines.push(line);
        }
        Against { lines, beyond }
    }
}

/// Whether `own` differs from `kept` by more than `limit_percent`, and the words for it.
fn compared(kept: &Count, own: Option<&Count>, limit_percent: f64) -> (bool, String) {
    let name = format!("{} {}", kept.cell, kept.server);
    let Some(own) = own else { return (true, format!("{name}: not counted, {} before", kept.instructions)) };
    let percent = (own.instructions / kept.instructions - 1.0) * 100.0;
    let is_beyond = percent.abs() > limit_percent;
    let verdict = if is_beyond { "BEYOND" } else { "within" };
    let line = format!(
        "{name}: {} instead of {}, {percent:+.2} %, {verdict} {limit_percent} %",
        own.instructions, kept.instructions
    );
    (is_beyond, line)
}

/// What a recording has against a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    lines: Vec<String>,
    beyond: usize,
}

impl Against {
    /// Whether no count differs by more than it may.
    pub fn holds(&self) -> bool {
        self.beyond == 0
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        match self.beyond {
            0 => f.write_str("every count is within its limit"),
            count => write!(
                f,
                "{count} beyond their limits; if that is meant, keep the new table: experiments counts RECORDING > FILE"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(kernel: &str, all: &[(&str, f64)]) -> Counts {
        let count = |&(server, instructions): &(&str, f64)| Count {
            cell: "req-res/256B/c8".into(),
            server: server.into(),
            instructions,
            limit_percent: 0.25,
        };
        Counts { kernel: kernel.into(), count: all.iter().map(count).collect() }
    }

    #[test]
    fn a_count_beyond_its_limit_is_told_with_cell_server_and_difference() {
        let kept = counts("6.1.1", &[("epoll", 10_000.0), ("uring", 20_000.0)]);
        assert!(counts("6.1.1", &[("epoll", 10_025.0), ("uring", 19_950.0)]).against(&kept).holds());
        let told = counts("6.1.1", &[("epoll", 10_026.0), ("uring", 20_000.0)]).against(&kept);
        assert!(!told.holds());
        let text = told.to_string();
        assert!(
            text.contains("req-res/256B/c8 epoll: 10026 instead of 10000, +0.26 %, BEYOND 0.25 %"),
            "{text}"
        );
        assert!(text.contains("1 beyond their limits"), "{text}");
    }

    #[test]
    fn what_was_not_counted_does_not_hold() {
        let kept = counts("6.1.1", &[("epoll", 10_000.0), ("uring", 20_000.0)]);
        let told = counts("6.1.1", &[("epoll", 10_000.0)]).against(&kept);
        assert!(!told.holds() && told.to_string().contains("uring: not counted"), "{told}");
    }

    #[test]
    fn another_kernel_has_a_limit_of_its_own() {
        let kept = counts("6.1.1", &[("epoll", 10_000.0)]);
        let told = counts("6.1.2", &[("epoll", 10_200.0)]).against(&kept);
        assert!(told.holds() && told.to_string().contains("the table is of 6.1.1"), "{told}");
        assert!(!counts("6.1.2", &[("epoll", 10_400.0)]).against(&kept).holds());
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let kept = counts("6.1.1", &[("epoll", 10_000.5)]);
        assert_eq!(toml::from_str::<Counts>(&kept.to_toml().unwrap()).unwrap(), kept);
    }
}
