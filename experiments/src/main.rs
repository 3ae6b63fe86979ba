//! Runs uring-echo experiments and keeps their recordings.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use experiments::vm;

/// Run uring-echo experiments
#[derive(Parser)]
#[command(name = "experiments", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot a kernel in a virtual machine and run the conformance suite and the probe inside it
    Vm(vm::VmArgs),
}

fn main() -> ExitCode {
    let Command::Vm(args) = Cli::parse().command;
    vm::run(&args).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
