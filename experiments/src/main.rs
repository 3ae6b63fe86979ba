//! `experiments`: runs uring-echo experiments and keeps their recordings.

use std::env;
use std::process::ExitCode;

use experiments::{cli, commands};

fn main() -> ExitCode {
    let done = cli::parse(env::args_os()).map_err(Into::into).and_then(commands::execute);
    done.unwrap_or_else(|error| {
        eprintln!("experiments: {error:#}");
        ExitCode::FAILURE
    })
}
