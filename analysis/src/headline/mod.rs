//! The headline numbers as a table in Markdown, and whether a document shows those of the recordings.

mod block;
mod table;

pub use block::{BEGIN, END, check};
pub use table::table;
