//! What is watched meanwhile: the server from outside, both ends' CPUs, the load second by second.

pub(crate) mod observe;
pub(crate) mod progress;
pub(crate) mod series;
pub(crate) mod stats_tail;
