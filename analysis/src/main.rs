//! `analysis`: recordings in, tables, figures and checked claims out.

use std::process::ExitCode;

use analysis::cli::Arguments;
use analysis::commands;
use clap::Parser;

fn main() -> anyhow::Result<ExitCode> {
    commands::run(&Arguments::parse())
}
