//! What a study gives: figures, each with how to read it, in the chapters of the report.

use crate::figure::Figure;

/// What drew the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Revision of the program; `None` if the build did not say.
    pub revision: Option<String>,
    /// What to run to get the figures again.
    pub command: String,
}

/// A figure, the part of the report that it belongs to, and how to read it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The figure.
    pub figure: Figure,
    /// How to read it.
    pub how_to_read: &'static str,
}

/// The figures of one experiment, or of the study of 2023.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// The experiment, or `published`.
    pub name: String,
    /// Its figures, in the order of the report.
    pub figures: Vec<Drawn>,
}
