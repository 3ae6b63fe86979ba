//! Charts: plain data in, SVG text out.
//!
//! Nothing here knows of recordings, files or clocks: the same data give the same bytes. A value that is missing
//! stays missing all the way to the page, where it is a marked gap.
//!
//! | module | holds |
//! |---|---|
//! | [`estimate`] | a value with its interval and its count of runs |
//! | [`axis`], [`scale`] | from a value to a position and to words |
//! | [`groups`] | bars and dots over categories |
//! | [`heat`] | ratios over a grid, centred on 1 |
//! | [`lines`] | curves |
//! | [`rows`] | estimates one below the other: pairs, forest plots |
//! | [`panel`] | one of these four under a title |
//! | [`sheet`] | the figure around them: title, key, panels, caption |
//! | [`key`], [`hints`] | what colours and marks mean |
//! | [`paint`], [`svg`], [`wrap`] | the one look, the markup, the width of a text |

pub(crate) mod axis;
pub(crate) mod estimate;
pub(crate) mod groups;
pub(crate) mod heat;
pub(crate) mod hints;
pub(crate) mod key;
mod kind;
pub(crate) mod lines;
pub(crate) mod mark;
pub(crate) mod paint;
pub(crate) mod panel;
pub(crate) mod rows;
pub(crate) mod scale;
pub(crate) mod sheet;
pub(crate) mod svg;
pub(crate) mod wrap;

pub(crate) use axis::{Axis, Extent, Format};
pub(crate) use estimate::Estimate;
pub(crate) use groups::{GroupSeries, Groups, MarkKind};
pub(crate) use heat::{Better, Cell, Heat, Ratio};
pub(crate) use lines::{Dash, Line, Lines};
pub(crate) use paint::Role;
pub(crate) use panel::{Body, Panel};
pub(crate) use rows::{Band, Reference, Row, RowMark, Rows, Start};
pub(crate) use sheet::Sheet;

#[cfg(test)]
mod tests;
