//! The two echo servers.

pub mod stats;
