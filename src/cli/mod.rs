//! The command line: arguments to validated configurations. Nothing here opens, binds or measures.

use clap::{Parser, Subcommand, ValueEnum};

pub mod client;
pub mod serve;

/// Shown when the program is called without a word of what to do.
const EXAMPLES: &str = "\
Examples:
  uring-echo serve uring --cpu 0                                            # one engine, on one core
  uring-echo client req-res --connect 127.0.0.1:9919 --connections 512      # a load on it, from another shell
  uring-echo probe                                                          # what this kernel offers

";

/// Two TCP echo servers, epoll and io_uring, and a load client that measures them.
#[derive(Debug, Parser)]
#[command(version, before_help = EXAMPLES, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Echo what clients send (RFC 862)
    #[command(subcommand)]
    Serve(serve::ServeArgs),
    /// Load an echo server, check every byte that comes back, and measure
    Client(client::ClientArgs),
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
