//! Two TCP echo servers and their load client.

use std::io;

use clap::{CommandFactory, Parser};
use uring_echo::cli::{generate, probe};

/// Two TCP echo servers, epoll and io_uring, and the client that measures them.
#[derive(Parser)]
#[command(name = "uring-echo", version)]
enum Cli {
    Probe(probe::ProbeArgs),
    #[command(hide = true)]
    Completions(generate::CompletionsArgs),
    #[command(hide = true)]
    Man(generate::ManArgs),
}

fn main() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match Cli::parse() {
        Cli::Probe(args) => probe::run(args, &mut out)?,
        Cli::Completions(args) => generate::completions(args, Cli::command(), &mut out)?,
        Cli::Man(args) => generate::man(&args, Cli::command(), &mut out)?,
    }
    Ok(())
}
