//! Where a server listens, and what it may take: arguments that every server has.

use std::net::SocketAddr;

use clap::Args;

use super::address;
use crate::server::shell::config::{Asked, BACKLOG_DEFAULT, CONNECTIONS_MAX_DEFAULT};

/// What every server takes.
#[derive(Args, Debug)]
pub struct ListenArgs {
    /// Address to listen on, or a name that has one; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9919", value_parser = address::parse)]
    pub(super) listen: SocketAddr,
    /// Core to run on, as taskset(1)
    #[arg(long, value_name = "N")]
    pub(super) cpu: Option<usize>,
    /// Connections served at once; more wait in the backlog [default: 10240, or fewer if limits ask for it]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    max_connections: Option<u32>,
    /// Length of the accept queue [default: 1024, or what net.core.somaxconn allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    backlog: Option<u32>,
}

impl ListenArgs {
    /// Connections served at once.
    pub(super) fn connections_max(&self) -> usize {
        self.max_connections.unwrap_or(CONNECTIONS_MAX_DEFAULT) as usize
    }

    /// Length of the accept queue.
    pub(super) fn backlog(&self) -> u32 {
        self.backlog.unwrap_or(BACKLOG_DEFAULT)
    }

    /// Which of the two were asked for.
    pub(super) fn asked(&self) -> Asked {
        Asked { connections_max: self.max_connections.is_some(), backlog: self.backlog.is_some() }
    }
}
