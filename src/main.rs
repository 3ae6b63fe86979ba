//! Parse, run, exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use uring_echo::cli::discard::DiscardArgs;
use uring_echo::cli::serve::ServeArgs;
use uring_echo::cli::{self, Cli, Command, generate, probe, strategies};
use uring_echo::server::discard::DiscardServer;
use uring_echo::server::epoll::EpollServer;
use uring_echo::server::uring::catalog;

fn main() -> ExitCode {
    let outcome = Cli::from_command_line().map_or_else(|error| cli::told(&error), execute);
    outcome.unwrap_or_else(|error| {
        // A closed standard error must not turn a clear end into a panic.
        let _ = writeln!(io::stderr(), "uring-echo: {error:#}");
        ExitCode::FAILURE
    })
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(args) => serve(args),
        Command::Client(args) => args.execute(),
        Command::Discard(args) => discard(args),
        Command::Probe(args) => done(probe::run(args, &mut io::stdout())),
        Command::Strategies(args) => done(strategies::run(args, &mut io::stdout())),
        Command::Completions(args) => done(generate::completions(args, Cli::command(), &mut io::stdout())),
        Command::Man(args) => done(generate::man(&args, Cli::command(), &mut io::stdout())),
    }
}

fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    match args {
        ServeArgs::Epoll(args) => EpollServer::start(&args.config())?.run()?,
        ServeArgs::Uring(args) => catalog::start(&args.config())?.run()?,
    };
    Ok(ExitCode::SUCCESS)
}

fn discard(args: DiscardArgs) -> anyhow::Result<ExitCode> {
    DiscardServer::start(&args.config())?.run()?;
    Ok(ExitCode::SUCCESS)
}

fn done(outcome: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    outcome.map(|()| ExitCode::SUCCESS)
}
