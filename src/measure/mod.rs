//! What a run is judged by: the machine it ran on, and the numbers it left.

pub mod host;
