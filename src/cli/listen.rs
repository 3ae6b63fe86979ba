//! Where a server listens, and what it may take: arguments that every server has.

use std::net::SocketAddr;

use clap::Args;

use crate::server::config::CONNECTIONS_MAX_DEFAULT;

/// What every server takes.
#[derive(Args, Debug)]
pub struct ListenArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9919")]
    pub(super) listen: SocketAddr,
    /// Core to run on, as taskset(1)
    #[arg(long, value_name = "N")]
    pub(super) cpu: Option<usize>,
    /// Connections served at once; more wait in the backlog
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS_MAX_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub(super) max_connections: u32,
    /// Length of the accept queue
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(super) backlog: u32,
}
