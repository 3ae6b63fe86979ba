//! A part of a figure: a chart of one of four kinds, under its title.

use serde::Serialize;

use super::groups::Groups;
use super::heat::Heat;
use super::kind::Kind;
use super::lines::Lines;
use super::rows::Rows;

/// What a panel shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Body {
    /// Bars or dots over categories.
    Groups(Groups),
    /// Ratios over a grid.
    Heat(Heat),
    /// Curves.
    Lines(Lines),
    /// Estimates one below the other.
    Rows(Rows),
}

/// A part of a figure with axes of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Panel {
    /// What sets it apart from the other panels; may be empty.
    pub title: String,
    /// What it shows.
    pub body: Body,
}

impl Body {
    /// The chart, whatever its kind.
    pub(super) fn chart(&self) -> &dyn Kind {
        match self {
            Self::Groups(groups) => groups,
            Self::Heat(heat) => heat,
            Self::Lines(lines) => lines,
            Self::Rows(rows) => rows,
        }
    }
}
