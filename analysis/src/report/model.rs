//! What the page says, as plain data.

use crate::claims::Check;
use crate::figure::study::Drawn;

/// What the page says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report<'a> {
    pub(crate) title: String,
    pub(crate) question: String,
    /// The answer as a picture; `None` if no recording gives it.
    pub(crate) answer: Option<Drawn>,
    /// The answer in one sentence.
    pub(crate) verdict: String,
    /// Where the answer ends: machine, kernel, size, noise.
    pub(crate) limits: Vec<String>,
    /// Whether any recording is of the size `quick`.
    pub(crate) quick: bool,
    pub(crate) headlines: Vec<Table>,
    /// Parts with figures, in the order of the page.
    pub(crate) parts: Vec<Part>,
    pub(crate) claims: &'a [Check<'a>],
    /// The recordings that the page stands on, and how many runs of each count.
    pub(crate) recordings: Vec<Recorded>,
    /// The machines, a table each: a fact and its value.
    pub(crate) hosts: Vec<Table>,
    /// How the page was made: what to run, on which revision.
    pub(crate) origin: Vec<(String, String)>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) caption: String,
    /// Names of the columns, with units.
    pub(crate) heads: Vec<String>,
    /// How many columns from the left are names and not numbers.
    pub(crate) names: usize,
    /// Cells, already in words; a missing value is said, not left out.
    pub(crate) rows: Vec<Vec<String>>,
}

/// An experiment's part of the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) id: String,
    /// What it is about, as a question.
    pub(crate) heading: String,
    /// The answer, in a paragraph each.
    pub(crate) text: Vec<String>,
    pub(crate) figures: Vec<Drawn>,
    /// What stands beside the figures.
    pub(crate) tables: Vec<Table>,
}

/// A recording and how many of its runs count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) experiment: String,
    /// Its size: `quick` or `full`.
    pub(crate) size: String,
    pub(crate) planned: u32,
    /// Runs that count, flagged ones included.
    pub(crate) valid: u32,
    /// Runs that the noise gate flagged, and why.
    pub(crate) flagged: Vec<(String, String)>,
    /// Runs that do not count, and why.
    pub(crate) invalid: Vec<(String, String)>,
}

impl Recorded {
    /// Runs that were planned, and of which nothing was found.
    pub(crate) fn missing(&self) -> u32 {
        let invalid = u32::try_from(self.invalid.len()).unwrap_or(u32::MAX);
        self.planned.saturating_sub(self.valid.saturating_add(invalid))
    }
}
