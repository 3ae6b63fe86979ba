//! `uring-echo discard`: arguments to a validated configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::server::config::{CONNECTIONS_MAX_DEFAULT, Config, Preset};
use crate::units::{Bytes, Nanos};

/// Most bytes dropped by one system call: as much as a socket is likely to hold.
const RECEIVE_BYTES: Bytes = Bytes(1 << 20);

/// Where to listen, and the limits.
#[derive(Args, Debug)]
pub struct DiscardArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9919")]
    listen: SocketAddr,
    /// Core to run on, as taskset(1)
    #[arg(long, value_name = "N")]
    cpu: Option<usize>,
    /// Connections served at once; more wait in the backlog
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS_MAX_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    max_connections: u32,
    /// Length of the accept queue
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    backlog: u32,
    /// Append counters to this file: at start, at each SIGUSR1, at exit (JSON Lines)
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

impl DiscardArgs {
    /// The configuration these arguments ask for.
    pub fn config(self) -> Config {
        Config {
            listen: self.listen,
            cpu: self.cpu,
            connections_max: self.max_connections as usize,
            backlog: self.backlog,
            buffer_bytes: RECEIVE_BYTES,
            budget_bytes: RECEIVE_BYTES,
            nodelay: true,
            preset: Preset::Tuned,
            stats: self.stats,
            drain: Nanos(0),
        }
    }
}
