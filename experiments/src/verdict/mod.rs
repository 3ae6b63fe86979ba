//! From runs to a word: the one place where it is decided what may be said of two servers.
//!
//! | module | computes |
//! |---|---|
//! | [`pairs`] | the ratios of runs that were made right after each other |
//! | [`statistics`] | medians, geometric means, percentiles |
//! | [`bootstrap`] | how far a statistic moves when its values are drawn again |
//! | [`estimate`] | a median with its interval |
//! | [`control`] | the smallest effect that a recording may claim, from its own A/A control |
//! | [`words`] | "less", "more", "no difference", "no claim" |
//! | [`ratio`] | a ratio in one cell and a mean over cells, each with its interval and its word |
//!
//! The runner's table, the analysis and all that is made of it take their intervals and their words from here.

pub mod bootstrap;
pub mod control;
pub mod estimate;
pub mod pairs;
pub mod ratio;
pub mod statistics;
pub mod words;

pub use control::Control;
pub use estimate::Estimate;
pub use pairs::{Comparison, paired_ratios};
pub use ratio::{Mean, Ratio};
pub use words::{Judge, Silence, Word};
