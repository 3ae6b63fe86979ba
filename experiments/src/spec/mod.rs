//! What an experiment runs: one TOML file each, checked in full before the first run starts.
//!
//! A specification is data. A new experiment is a new file; a variant of a server or of the load is a level with
//! arguments of its own. Nothing here knows any particular experiment.

pub mod factors;
pub mod filter;
pub mod in_flight;
pub mod renamed;
pub mod server_program;
pub mod workload;

mod builtin;
mod cells;
mod check;
mod engines;
mod error;
mod overlay;
mod parse;
mod raw;

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use uring_echo::record::{Mode, Verify};

use crate::clock::Clock;
use crate::judge::gate::{NoiseLimit, SaturationLimits};
use crate::spec::factors::Factors;
use crate::spec::server_program::ServerProgram;
use crate::vm::kernel::Source;

pub use builtin::{built_in, find};
pub use error::SpecError;

/// A server as a level of the engine factor: the program and the settings that make it this level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineLevel {
    /// Unique in the specification; heads its rows.
    pub name: String,
    /// Levels of one engine differ in arguments only: an entry of the table of servers, or a level that brings its own program.
    pub engine: String,
    /// How it is started.
    pub program: ServerProgram,
    /// Arguments beyond those of the program's command.
    pub args: Vec<String>,
    /// The level that this one is a variant of: it runs right before or after that one, and is left out where the machine
    /// does not have what it needs.
    pub variant_of: Option<String>,
}

impl EngineLevel {
    /// The server that the table calls `name`, as it is. `None` where the table has no such server.
    pub fn named(name: &str) -> Option<Self> {
        let program = ServerProgram::named(name)?;
        Some(Self { name: name.into(), engine: name.into(), program, args: Vec::new(), variant_of: None })
    }
}

/// A comparison of two levels, by their positions in [`Spec::engines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Numerator.
    pub of: usize,
    /// Denominator.
    pub to: usize,
}

/// How thoroughly an experiment is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Minutes: what the figure looks like.
    #[default]
    Quick,
    /// Hours: what a claim can stand on.
    Full,
}

impl Size {
    /// Both, the smaller first.
    pub const ALL: [Self; 2] = [Self::Quick, Self::Full];
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Full => "full",
        })
    }
}

/// How the terminal shows a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// Throughput, cost and ratios, a row for each cell and engine.
    #[default]
    Grid,
    /// Percentiles by offered load.
    Latency,
    /// What the victims get, by kind of hog.
    Fairness,
    /// Cost and memory by number of connections.
    Scale,
    /// What each variant changes against what it is a variant of.
    Ablation,
}

/// How a cell is run, other than its levels.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// Load before the window opens.
    pub warmup: Duration,
    /// The measured time.
    pub window: Duration,
    /// Content checks.
    pub verify: Verify,
    /// Arguments of the client beyond those the runner gives.
    pub client_args: Vec<String>,
}

/// A combination of levels, and how it is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The levels.
    pub factors: Factors,
    /// Times and checks.
    pub timing: Timing,
}

/// The same engine against itself, among the measured runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// How many cells have it, spread evenly over the grid.
    pub cells: usize,
    /// Pairs of runs for each of them.
    pub pairs: u32,
}

/// The client against a server that discards, for each payload of the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// Connections of these runs.
    pub connections: usize,
    /// How often each is made.
    pub repetitions: u32,
}

/// One experiment: engines × cells, repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The stem that names the experiment everywhere.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What a run of it answers, in prose.
    pub question: String,
    /// Stem of the figure that it feeds.
    pub figure: Option<String>,
    /// How it is shown.
    pub table: Table,
    /// Which of its sizes this is.
    pub size: Size,
    /// Levels of the engine factor.
    pub engines: Vec<EngineLevel>,
    /// Ratios to report.
    pub comparisons: Vec<Comparison>,
    /// Every combination of the other factors.
    pub cells: Vec<Cell>,
    /// How often each cell is measured with each engine.
    pub repetitions: u32,
    /// The A/A control.
    pub control: Option<Control>,
    /// How often capacity is measured with each engine, where the load is a share of it.
    pub calibrations: u32,
    /// How much the client can offer at most.
    pub ceiling: Option<Ceiling>,
    /// Whether runs of their own count the system calls of servers that do not.
    pub count_syscalls: bool,
    /// What its times are.
    pub clock: Clock,
    /// The kernels that a guest is booted with where it counts instructions, a recording for each.
    pub kernels: Vec<Source>,
    /// Whether each of them has to pass the conformance suite first.
    pub conformance: bool,
    /// Limits of the noise gate.
    pub noise: Vec<NoiseLimit>,
    /// When throughput says something about the server.
    pub saturation: SaturationLimits,
}

impl Spec {
    /// Reads the `size` of a specification; `file` names it in errors. The other size is checked, too.
    ///
    /// # Errors
    /// The first fault, with file, line, key and reason.
    pub fn parse(file: &str, text: &str, size: Size) -> Result<Self, SpecError> {
        let mut wanted = None;
        for each in Size::ALL {
            let spec = parse::parse(file, text, each)?;
            wanted = if each == size { Some(spec) } else { wanted };
        }
        Ok(wanted.expect("every size was read"))
    }

    /// Names of the engine levels in order.
    pub fn engine_names(&self) -> impl Iterator<Item = &str> {
        self.engines.iter().map(|level| level.name.as_str())
    }

    /// Keeps the engines that `is_kept`, and the comparisons that still have both sides.
    pub fn keep_engines(&mut self, is_kept: impl Fn(&EngineLevel) -> bool) {
        let names: Vec<_> = self.engine_names().map(str::to_owned).collect();
        self.engines.retain(is_kept);
        let now = |before: usize| self.engines.iter().position(|level| level.name == names[before]);
        let narrowed = |of: &Comparison| Some(Comparison { of: now(of.of)?, to: now(of.to)? });
        self.comparisons = self.comparisons.iter().filter_map(narrowed).collect();
    }

    /// The engines that are variants of none: those that the machine must have.
    pub fn plain_engines(&self) -> impl Iterator<Item = &EngineLevel> {
        self.engines.iter().filter(|level| level.variant_of.is_none())
    }

    /// Each variant with what it is a variant of.
    pub fn variants(&self) -> impl Iterator<Item = [&EngineLevel; 2]> {
        self.engines.iter().filter_map(|variant| {
            let of = self.engines.iter().find(|level| Some(&level.name) == variant.variant_of.as_ref())?;
            Some([variant, of])
        })
    }

    /// The modes in use.
    pub fn modes(&self) -> impl Iterator<Item = Mode> {
        [Mode::Stream, Mode::ReqRes]
            .into_iter()
            .filter(|&mode| self.cells.iter().any(|cell| cell.factors.mode == mode))
    }
}
