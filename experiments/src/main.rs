//! `experiments`: runs uring-echo experiments and keeps their recordings.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::process::ExitCode;

use experiments::{cli, commands};
use uring_echo::cli::output;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        output::note(format_args!("experiments: {error:#}"));
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    match cli::parse(env::args_os())? {
        Ok(request) => commands::execute(request),
        Err(told) => output::tell(&told),
    }
}
