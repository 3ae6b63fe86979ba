//! What the page says, as plain data.

use crate::figure::Figure;

/// What the page says.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its title.
    pub title: String,
    /// The question that it answers.
    pub question: String,
    /// The answer as a picture; `None` if no recording gives it.
    pub answer: Option<Shown>,
    /// The answer in one sentence.
    pub verdict: String,
    /// Where the answer ends: machine, kernel, size, noise.
    pub limits: Vec<String>,
    /// Whether any recording is of the size `quick`.
    pub quick: bool,
    /// The numbers to remember.
    pub headlines: Vec<Table>,
    /// Parts with figures, in the order of the page.
    pub parts: Vec<Part>,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// The recordings that the page stands on, and how many runs of each count.
    pub recordings: Vec<Recorded>,
    /// The machines, a table each: a fact and its value.
    pub hosts: Vec<Table>,
    /// How the page was made: what to run, on which revision.
    pub origin: Vec<(String, String)>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Names of the columns, with units.
    pub heads: Vec<String>,
    /// How many columns from the left are names and not numbers.
    pub names: usize,
    /// Cells, already in words; a missing value is said, not left out.
    pub rows: Vec<Vec<String>>,
}

/// An experiment's part of the page.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Identifier, for links.
    pub id: String,
    /// What it is about, as a question.
    pub heading: String,
    /// The answer, in a paragraph each.
    pub text: Vec<String>,
    /// Its figures.
    pub figures: Vec<Shown>,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// A figure on the page.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The figure.
    pub figure: Figure,
    /// How to read it.
    pub how_to_read: String,
}

/// A claim and whether the recordings agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its identifier.
    pub id: String,
    /// What is claimed.
    pub sentence: String,
    /// The range in which the value has to be.
    pub expected: String,
    /// The value.
    pub measured: String,
    /// Whether it holds.
    pub outcome: Outcome,
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value is in the range.
    Holds,
    /// It is not.
    Fails,
    /// Nothing recorded here can tell.
    Untested,
}

/// A recording and how many of its runs count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Its name.
    pub name: String,
    /// Its experiment.
    pub experiment: String,
    /// Its size: `quick` or `full`.
    pub size: String,
    /// Runs that were planned.
    pub planned: u32,
    /// Runs that count, flagged ones included.
    pub valid: u32,
    /// Runs that the noise gate flagged, and why.
    pub flagged: Vec<(String, String)>,
    /// Runs that do not count, and why.
    pub invalid: Vec<(String, String)>,
}

impl Recorded {
    /// Runs that were planned, and of which nothing was found.
    #[must_use]
    pub fn missing(&self) -> u32 {
        let invalid = u32::try_from(self.invalid.len()).unwrap_or(u32::MAX);
        self.planned.saturating_sub(self.valid.saturating_add(invalid))
    }
}
