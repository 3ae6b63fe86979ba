//! What is measured: counters, distributions, fairness, and the machine it was measured on.

pub mod counters;
pub mod fairness;
