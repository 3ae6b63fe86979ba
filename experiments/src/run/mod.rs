//! Making the runs of a recording.
//!
//! | module | holds |
//! |---|---|
//! | [`runner`] | the runs in their order, each with what it is judged by |
//! | [`server`], [`load`] | the two ends of a run |
//! | [`cores`], [`kinds`], [`programs`] | where the two ends run, on what kind of core, and what they are |
//! | [`child`], [`interrupt`], [`scratch`] | processes, Ctrl-C, a folder that goes with the run |
//! | [`progress`] | how far it is, and when it will be done |

pub mod args;
pub mod child;
pub mod cores;
pub mod interrupt;
pub mod kinds;
pub mod listening;
pub mod load;
pub mod programs;
pub mod progress;
pub mod runner;
pub mod scratch;
pub mod server;
pub mod trial;
