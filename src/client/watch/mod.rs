//! What is watched meanwhile: the server from outside, both ends' CPUs, the load second by second, and whether the client was there.

pub(crate) mod observe;
pub(crate) mod progress;
pub(crate) mod series;
pub(crate) mod stalls;
pub(crate) mod stats_tail;
