//! Runs experiments: what is in a specification, in a random but reproducible order, into a recording.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`], [`filter`] | what an experiment is, read from a TOML file, and a part of it |
//! | [`plan`], [`random`] | its runs in a seeded order |
//! | [`cores`], [`programs`] | where the two ends run, and what they are |
//! | [`runner`], [`server`], [`load`], [`child`], [`interrupt`], [`scratch`], [`progress`] | making the runs |
//! | [`recording`], [`manifest`], [`timestamp`] | what stays of them |
//! | [`report`], [`statistics`], [`mod@format`] | saying what came out |
//! | [`vm`] | booting a kernel and running the conformance suite inside it |
//! | [`cli`], [`commands`] | what the program is asked for, and doing it |

pub mod child;
pub mod cli;
pub mod commands;
pub mod cores;
pub mod filter;
pub mod format;
pub mod interrupt;
pub mod load;
pub mod manifest;
pub mod plan;
pub mod programs;
pub mod progress;
pub mod random;
pub mod recording;
pub mod report;
pub mod runner;
pub mod scratch;
pub mod server;
pub mod spec;
pub mod statistics;
pub mod timestamp;
pub mod vm;
