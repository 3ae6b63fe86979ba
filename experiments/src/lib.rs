//! Runs experiments: what is in a specification, in a random but reproducible order, into a recording.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`] | what an experiment is, read from a TOML file; a cell of it; a part of it |
//! | [`plan`] | its runs in a seeded order, what they cost, whether they can be made |
//! | [`run`] | making the runs: where the two ends run, what they are, how far it is |
//! | [`judge`] | what is held against a run once it was made |
//! | [`recording`] | what stays of them (docs/RECORDING.md); going on with it; whether it is whole |
//! | [`verdict`] | what may be said of it: pairs, intervals, the control, the words |
//! | [`report`] | saying what came out |
//! | [`clock`] | whether its times are nanoseconds or instructions |
//! | [`doctor`] | what of this machine bends a measurement |
//! | [`profile`] | what a server's core spends its time on |
//! | [`vm`] | booting a kernel and running the conformance suite inside it |
//! | [`cli`], [`commands`] | what the program is asked for, and doing it |

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod clock;
pub mod commands;
pub mod compare;
pub mod doctor;
pub mod judge;
pub mod peers;
pub mod plan;
pub mod profile;
pub mod recording;
pub mod report;
pub mod run;
pub mod spec;
pub mod verdict;
pub mod vm;
