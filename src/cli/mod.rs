//! The command line: arguments to validated configurations. Nothing here binds or measures.
//!
//! The commands whose whole work is to print, of this kernel or of this program, are here as well.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};

mod address;
pub mod client;
pub mod discard;
pub mod generate;
pub mod listen;
pub mod output;
pub mod probe;
pub mod serve;
pub mod strategies;

/// Shown when the program is called without a word of what to do.
const EXAMPLES: &str = "\
Examples:
  uring-echo serve uring                                 # serve, from a first shell
  uring-echo client req-res --connect 127.0.0.1:9919     # load it, from a second
  uring-echo probe                                       # see what this kernel offers

";

/// Two TCP echo servers, epoll and io_uring, and a load client that measures them.
#[derive(Debug, Parser)]
#[command(version, before_help = EXAMPLES, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// When help was asked for, or when the arguments make no sense. [`told`] prints it.
    pub fn from_command_line() -> Result<Self, clap::Error> {
        Self::try_parse()
    }
}

/// Prints what clap has to say in place of a [`Cli`], and returns the exit code for it. A usage error takes one line on standard
/// error: what is wrong and where to look.
///
/// # Errors
/// When help cannot be written.
pub fn told(error: &clap::Error) -> anyhow::Result<ExitCode> {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return output::tell(error);
    }
    output::note(format_args!("uring-echo: {}; see --help", one_line(&error.to_string())));
    Ok(ExitCode::from(output::USAGE_ERROR))
}

/// The first paragraph of a usage error, and a tip if there is one, on one line.
fn one_line(error: &str) -> String {
    let told = error.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let told = told.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    told.collect::<Vec<_>>().join(" ")
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Echo what clients send (RFC 862)
    #[command(subcommand)]
    Serve(serve::ServeArgs),
    /// Load an echo server, check every byte that comes back, and measure
    Client(client::ClientArgs),
    /// Read what clients send and answer nothing (RFC 863), to see what `client stream --discard` can offer
    Discard(discard::DiscardArgs),
    /// Tell what this kernel offers to the two servers, and why not where it does not
    ///
    /// Takes no privileges and changes nothing. Exits with 0 when a report was made, whatever it says; the verdict is
    /// in its second and third line, and in JSON under `.servers.epoll.state` and `.servers.uring.state`.
    Probe(probe::ProbeArgs),
    /// List the ways to echo, with the kernels that have them
    Strategies(strategies::StrategiesArgs),
    /// Print a completion script for a shell to standard output
    #[command(hide = true)]
    Completions(generate::CompletionsArgs),
    /// Print the man page, or write one for each subcommand to a directory
    #[command(hide = true)]
    Man(generate::ManArgs),
}

/// A switch that is spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    /// On
    On,
    /// Off
    Off,
}

impl OnOff {
    /// Whether it is on.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_takes_one_line_that_names_the_argument() {
        let error = Cli::try_parse_from(["uring-echo", "serve", "epoll", "--backlog", "many"]).unwrap_err();
        let line = one_line(&error.to_string());
        assert!(!line.contains('\n') && line.contains("--backlog") && line.contains("many"), "{line}");
    }
}
