//! A part of a figure: a chart of one of four kinds, under its title.

use serde::Serialize;

use super::groups::Groups;
use super::heat::Heat;
use super::kind::Kind;
use super::lines::Lines;
use super::rows::Rows;

/// What a panel shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Body {
    Groups(Groups),
    /// Ratios over a grid.
    Heat(Heat),
    Lines(Lines),
    /// Estimates one below the other.
    Rows(Rows),
}

/// A part of a figure with axes of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Panel {
    /// What sets it apart from the other panels; may be empty.
    pub(crate) title: String,
    pub(crate) body: Body,
}

impl Body {
    pub(super) fn chart(&self) -> &dyn Kind {
        match self {
            Self::Groups(groups) => groups,
            Self::Heat(heat) => heat,
            Self::Lines(lines) => lines,
            Self::Rows(rows) => rows,
        }
    }
}
