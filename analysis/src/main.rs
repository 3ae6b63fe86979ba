//! `analysis`: recordings in, tables, figures and checked claims out.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use analysis::cli::Arguments;
use analysis::commands;
use clap::Parser;
use uring_echo::cli::output;

fn main() -> ExitCode {
    // Returned from here, an error would be printed with a backtrace whenever RUST_BACKTRACE is set.
    let done = Arguments::try_parse().map_or_else(|told| output::tell(&told), |asked| commands::run(&asked));
    done.unwrap_or_else(|error| {
        output::note(format_args!("analysis: {error:#}"));
        ExitCode::FAILURE
    })
}
