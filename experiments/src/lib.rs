//! Runs experiments: what is in a specification, in a random but reproducible order, into a recording.

pub mod filter;
pub mod plan;
pub mod random;
pub mod spec;
pub mod statistics;
pub mod timestamp;
