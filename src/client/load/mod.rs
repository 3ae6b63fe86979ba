//! What the connections do: which bytes go over the wire, when, and how long they take.
//!
//! All but `flow`, `pace` and `open_loop` is pure: no system calls.

pub(crate) mod arrivals;
pub(crate) mod flow;
pub(crate) mod ledger;
pub(crate) mod open_loop;
pub(crate) mod pace;
pub(crate) mod pattern;
pub(crate) mod phase;
pub(crate) mod schedule;
mod stopwatch;
