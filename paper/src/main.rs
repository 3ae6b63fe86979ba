//! `paper`: compiles the write-up to PDF.

use std::process::ExitCode;

use clap::Parser as _;
use paper::cli::Args;

fn main() -> ExitCode {
    match paper::cli::execute(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paper: {error:#}");
            ExitCode::FAILURE
        }
    }
}
