//! `paper`: compiles the write-up to PDF.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use paper::cli::Args;

fn main() -> ExitCode {
    let done = Args::try_parse().map_or_else(
        |told| paper::cli::tell(&told),
        |args| paper::cli::execute(&args).map(|()| ExitCode::SUCCESS),
    );
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "paper: {error:#}");
        ExitCode::FAILURE
    })
}
