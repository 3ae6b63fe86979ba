//! All of it on one page: a single file that needs nothing but a browser.
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | what the page says, as plain data, so that the page can be tested without a recording |
//! | [`of_study`] | that data, from a study |
//! | [`page`], [`table`] | the data as HTML |
//! | [`style`] | its style sheet |

pub(crate) mod model;
pub(crate) mod of_study;
pub(crate) mod page;
pub(crate) mod style;
pub(crate) mod table;

#[cfg(test)]
mod tests;
