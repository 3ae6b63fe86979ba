//! What every server has around its engine: settings that fit the machine, a listener, signals and the stop, statistics.

pub mod config;
pub mod described;
pub mod error;
pub mod fit;
pub mod lifecycle;
pub mod listener;
pub mod stats;
