//! What a run is judged by: the machine it ran on, and the numbers it left.

pub mod counters;
pub mod fairness;
pub mod histogram;
pub mod host;
pub mod noise;
