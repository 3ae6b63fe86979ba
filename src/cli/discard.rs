//! `uring-echo discard`: arguments to a validated configuration.

use std::path::PathBuf;

use clap::Args;

use super::listen::ListenArgs;
use crate::server::shell::config::{Config, Preset};
use crate::units::{Bytes, Nanos};

/// Most bytes dropped by one system call: as much as a socket is likely to hold.
const RECEIVE_BYTES: Bytes = Bytes(1 << 20);

/// Where to listen, and the limits.
#[derive(Args, Debug)]
pub struct DiscardArgs {
    /// Where to listen.
    #[command(flatten)]
    listener: ListenArgs,
    /// Append counters to this file: at start, at each SIGUSR1, at exit (JSON Lines)
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

impl DiscardArgs {
    /// The configuration these arguments ask for.
    pub fn config(self) -> Config {
        Config {
            listen: self.listener.listen,
            cpu: self.listener.cpu,
            connections_max: self.listener.connections_max(),
            backlog: self.listener.backlog(),
            asked: self.listener.asked(),
            buffer_bytes: RECEIVE_BYTES,
            budget_bytes: RECEIVE_BYTES,
            nodelay: true,
            preset: Preset::Tuned,
            stats: self.stats,
            drain: Nanos(0),
        }
    }
}
