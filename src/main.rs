//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use uring_echo::cli::serve::ServeArgs;
use uring_echo::cli::{Cli, Command};
use uring_echo::server::epoll::EpollServer;
use uring_echo::server::uring::UringServer;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => serve(args),
        Command::Client(args) => args.execute(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("uring-echo: {error:#}");
        ExitCode::FAILURE
    })
}

fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    match args {
        ServeArgs::Epoll(args) => EpollServer::start(&args.config())?.run()?,
        ServeArgs::Uring(args) => UringServer::start(&args.config())?.run()?,
    };
    Ok(ExitCode::SUCCESS)
}
