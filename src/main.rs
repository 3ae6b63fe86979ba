//! Two TCP echo servers and their load client.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use uring_echo::cli::client::ClientArgs;

/// Two TCP echo servers and their load client.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Client(ClientArgs),
}

fn main() -> ExitCode {
    let Command::Client(client) = Arguments::parse().command;
    client.execute().unwrap_or_else(|error| {
        eprintln!("uring-echo: {error:#}");
        ExitCode::FAILURE
    })
}
