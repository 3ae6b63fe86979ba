//! Runs experiments: what is in a specification, in a random but reproducible order, into a recording.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`], [`factors`], [`filter`] | what an experiment is, read from a TOML file; a cell of it; a part of it |
//! | [`plan`], [`random`], [`estimate`], [`preflight`] | its runs in a seeded order, what they cost, whether they can be made |
//! | [`cores`], [`programs`] | where the two ends run, and what they are |
//! | [`runner`], [`server`], [`load`], [`child`], [`interrupt`], [`scratch`], [`progress`] | making the runs |
//! | [`judge`], [`gate`], [`agreement`] | what is held against a run once it was made |
//! | [`recording`], [`manifest`], [`hash`], [`timestamp`] | what stays of them (docs/RECORDING.md) |
//! | [`resume`], [`verify`] | going on with a recording, and whether it is whole |
//! | [`report`], [`statistics`], [`mod@format`] | saying what came out |
//! | [`doctor`] | what of this machine bends a measurement |
//! | [`vm`] | booting a kernel and running the conformance suite inside it |
//! | [`cli`], [`commands`] | what the program is asked for, and doing it |

pub mod agreement;
pub mod child;
pub mod cli;
pub mod commands;
pub mod cores;
pub mod doctor;
pub mod estimate;
pub mod factors;
pub mod filter;
pub mod format;
pub mod gate;
pub mod hash;
pub mod interrupt;
pub mod judge;
pub mod load;
pub mod manifest;
pub mod plan;
pub mod preflight;
pub mod programs;
pub mod progress;
pub mod random;
pub mod recording;
pub mod report;
pub mod resume;
pub mod runner;
pub mod scratch;
pub mod server;
pub mod spec;
pub mod statistics;
pub mod timestamp;
pub mod verify;
pub mod vm;
