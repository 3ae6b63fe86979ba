//! All of it on one page: a single file that needs nothing but a browser.
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | what the page says, as plain data, so that the page can be tested without a recording |
//! | [`of_study`] | that data, from a study |
//! | [`page`], [`table`] | the data as HTML |
//! | [`style`] | its style sheet |

pub mod model;
pub mod of_study;
pub mod page;
pub mod style;
pub mod table;

pub use model::{Claim, Outcome, Part, Recorded, Report, Shown, Table};

#[cfg(test)]
mod tests;
