//! What the kernel-test VM and its host agree on: what to run ([`plan`], [`steps`]) and what came of it ([`record`]).
//!
//! The plan travels to the guest on the kernel's command line, the records travel back over the second serial port,
//! so that the guest needs no disk, no network and no file but its own programs.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod plan;
pub mod record;
pub mod steps;
