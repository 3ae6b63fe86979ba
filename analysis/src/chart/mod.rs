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

pub mod axis;
pub mod estimate;
pub mod groups;
pub mod heat;
pub mod hints;
pub mod key;
mod kind;
pub mod lines;
pub mod mark;
pub mod paint;
pub mod panel;
pub mod rows;
pub mod scale;
pub mod sheet;
pub mod svg;
pub mod wrap;

pub use axis::{Axis, Extent, Format};
pub use estimate::Estimate;
pub use groups::{GroupSeries, Groups, MarkKind};
pub use heat::{Better, Cell, Heat, Ratio};
pub use lines::{Dash, Line, Lines};
pub use paint::Role;
pub use panel::{Body, Panel};
pub use rows::{Band, Reference, Row, RowMark, Rows, Start};
pub use sheet::Sheet;

#[cfg(test)]
mod tests;
