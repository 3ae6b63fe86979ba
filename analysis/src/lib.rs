//! From recordings to tables, figures, a report and checked claims.
//!
//! Data flow down this table; nothing looks back up.
//!
//! | module | holds |
//! |---|---|
//! | [`cli`], [`commands`] | what the program is asked for, and doing it |
//! | [`recording`] | a recording on disk, read with every damage named |
//! | [`published`] | what the study of 2023 published, and its ratios |
//! | [`validity`] | which runs count, and what is said of those that do not |
//! | [`servers`] | which servers are settings of one program, and the order of their colours |
//! | [`metric`], [`grid`] | what a run is measured by; values by cell, server and repetition |
//! | [`study`], [`output`] | all that is analysed together; the files made of it |
//! | `frame` | runs, connections and series as data frames; Parquet |
//! | [`statistics`] | medians, intervals, means, percentiles of merged histograms |
//! | [`values`] | every number that may be quoted, under a key |
//! | `table`, `changes` | the same numbers as CSV, a file an experiment; what one thing different changes |
//! | `chart`, [`figure`] | how a figure is drawn; which figures there are |
//! | `report` | all of it on one page |
//! | `headline` | the headline numbers for the README |
//! | `side_by_side` | many servers beside one, a row each |
//! | `machines` | the same numbers beside those of every other machine |
//! | `markdown` | tables as text, and holding a document to them |
//! | [`claims`] | what is claimed, and whether the values agree |

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod changes;
mod chart;
pub mod claims;
pub mod cli;
pub mod commands;
mod explain;
pub mod figure;
mod frame;
pub mod grid;
mod headline;
mod kernels;
mod machines;
mod markdown;
pub mod metric;
pub mod output;
pub mod published;
pub mod recording;
mod report;
pub mod servers;
mod side_by_side;
pub mod statistics;
pub mod study;
mod table;
pub mod validity;
pub mod values;
