//! What is asked of a run, and its bounds.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::record::{ClientSettings, Mode};
use crate::units::{Bytes, Nanos};

/// Most connections of a run: about as many as one address has ports.
pub const CONNECTIONS_MAX: usize = 60_000;

/// Largest message.
pub const PAYLOAD_MAX: Bytes = Bytes(16 << 20);

/// Most bytes of one write: more than a socket takes at once.
pub const BATCH_MAX: Bytes = Bytes(16 << 20);

/// Most bytes of one stream on their way: more than its sockets hold, whatever they are set to.
pub const IN_FLIGHT_MAX: Bytes = Bytes(1 << 30);

/// Most load threads; each has buffers and histograms of its own, about a megabyte.
pub const THREADS_MAX: usize = 1024;

/// Most unanswered messages of all flows together, whose starts are kept: 16 bytes each.
pub const UNANSWERED_MAX: usize = 4 << 20;

/// Most unanswered messages of a flow in request-response mode.
pub const DEPTH_MAX: u32 = 1024;

/// Highest rate of an open loop, far above what a thread can send: a message every ten nanoseconds.
pub const RATE_MAX: u64 = 100_000_000;

/// What streams may have on their way together, sent and not yet back.
///
/// Without a bound a client that outruns its server fills every socket buffer, and with hundreds of connections the
/// kernel's limit of TCP memory (tcp(7), tcp_mem). From there on segments are dropped on loopback, retransmissions back
/// off for seconds, and what is measured is that.
const IN_FLIGHT_TOTAL: Bytes = Bytes(128 << 20);

/// Most bytes of one stream on their way, unless asked otherwise.
const IN_FLIGHT_DEFAULT_MAX: Bytes = Bytes(256 << 10);

/// The share of one stream among `connections`. A write that is larger is still permitted, one at a time.
pub fn in_flight_bytes_default(connections: usize) -> Bytes {
    Bytes((IN_FLIGHT_TOTAL.0 / connections.max(1)).min(IN_FLIGHT_DEFAULT_MAX.0))
}

/// Everything a run is told.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The load. `cpus` are those asked for; empty means wherever the kernel likes.
    pub settings: ClientSettings,
    /// The server's process, to measure it.
    pub server_pid: Option<u32>,
    /// The file the server appends its counters to on SIGUSR1. Names the process too if `server_pid` does not.
    pub server_stats: Option<PathBuf>,
    /// Whether the kernel counts the server's system calls, which makes each of them dearer.
    pub count_syscalls: bool,
    /// Name of the run in its record.
    pub run_id: String,
    /// Time allowed for all connections to be established.
    pub connect_limit: Nanos,
    /// Whether to print a line a second to standard error.
    pub progress: bool,
}

/// A setting out of bounds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No connection, or too many.
    #[error("--connections {0} is not between 1 and {CONNECTIONS_MAX}")]
    Connections(usize),
    /// Too many together.
    #[error(
        "--connections, --hogs and --idle make {0} together, and an address has ports for {CONNECTIONS_MAX}; ask for fewer"
    )]
    AllConnections(usize),
    /// An empty message, or too large a one.
    #[error("--payload-bytes {0} is not between 1 and {PAYLOAD_MAX}")]
    Payload(Bytes),
    /// A write that no socket takes.
    #[error("--batch-bytes {0} is more than {BATCH_MAX}, and no socket takes as much at once; ask for less")]
    Batch(Bytes),
    /// More on its way than can be.
    #[error(
        "--in-flight-bytes {0} is more than {IN_FLIGHT_MAX}, and no connection holds as much; ask for less"
    )]
    InFlight(Bytes),
    /// Too many messages to remember.
    #[error(
        "--connections {connections} with --depth {depth} leave more than {UNANSWERED_MAX} messages unanswered; ask for fewer"
    )]
    Unanswered {
        /// Connections asked for.
        connections: usize,
        /// Messages of each.
        depth: u32,
    },
    /// A depth that cannot be kept.
    #[error("--depth {0} is not between 1 and {DEPTH_MAX}")]
    Depth(u32),
    /// A thread would have nothing to do.
    #[error(
        "--threads {threads} is not between 1 and the number of connections, {connections}, or {THREADS_MAX}"
    )]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// Connections asked for.
        connections: usize,
    },
    /// A window without length has no rates.
    #[error("--duration-s must be more than 0")]
    EmptyWindow,
    /// An open loop without messages, or with more than can be sent.
    #[error("--rate {0} is not between 1 and {RATE_MAX}")]
    Rate(u64),
    /// A stream has no messages of its own to start at a time.
    #[error(
        "--rate sets when each message starts, and a stream has no single messages; use req-res, or drop --rate"
    )]
    RateOfStream,
    /// Arrivals of what?
    #[error("--arrivals says how the messages of --rate are spread; add --rate, or drop --arrivals")]
    ArrivalsWithoutRate,
    /// Hogs that do nothing in particular.
    #[error("--hogs {0} does not say what they do; add --hog-kind non-reading, reading or greedy")]
    HogsWithoutKind(usize),
    /// Nobody to be of this kind.
    #[error("--hog-kind is of no connection; say how many with --hogs, or drop it")]
    KindWithoutHogs,
    /// Waiting for what never comes.
    #[error("--discard expects nothing back, and req-res waits for its echoes; use stream")]
    DiscardOfReqRes,
    /// Hogs want echoes.
    #[error("--discard measures what the client can offer, alone; drop --hogs and --idle")]
    DiscardAmongOthers,
}

impl ClientConfig {
    /// Checks every bound.
    ///
    /// # Errors
    /// The first setting that is out of bounds.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let ClientSettings { mode, connections, payload_bytes, depth, threads, duration_ns, .. } =
            self.settings.clone();
        self.validate_loop()?;
        self.validate_others()?;
        if !(1..=CONNECTIONS_MAX).contains(&connections) {
            return Err(ConfigError::Connections(connections));
        }
        if !(Bytes(1)..=PAYLOAD_MAX).contains(&payload_bytes) {
            return Err(ConfigError::Payload(payload_bytes));
        }
        if mode == Mode::ReqRes && !(1..=DEPTH_MAX).contains(&depth) {
            return Err(ConfigError::Depth(depth));
        }
        self.validate_memory()?;
        if !(1..=connections.min(THREADS_MAX)).contains(&threads) {
            return Err(ConfigError::Threads { threads, connections });
        }
        if duration_ns.0 == 0 {
            return Err(ConfigError::EmptyWindow);
        }
        Ok(())
    }

    /// Connections of the run: measured ones, hogs and idle ones.
    pub(crate) const fn connections_in_all(&self) -> usize {
        let ClientSettings { connections, hogs, idle, .. } = self.settings;
        connections.saturating_add(hogs).saturating_add(idle)
    }

    /// What is allocated before the first byte is sent must be there to be had.
    fn validate_memory(&self) -> Result<(), ConfigError> {
        let ClientSettings { mode, connections, depth, batch_bytes, in_flight_bytes_max, .. } = self.settings;
        if batch_bytes > BATCH_MAX {
            return Err(ConfigError::Batch(batch_bytes));
        }
        if in_flight_bytes_max > IN_FLIGHT_MAX {
            return Err(ConfigError::InFlight(in_flight_bytes_max));
        }
        if mode == Mode::ReqRes && connections.saturating_mul(depth as usize) > UNANSWERED_MAX {
            return Err(ConfigError::Unanswered { connections, depth });
        }
        Ok(())
    }

    fn validate_loop(&self) -> Result<(), ConfigError> {
        let ClientSettings { mode, rate_per_s, arrivals, .. } = self.settings;
        match rate_per_s {
            None if arrivals.is_some() => Err(ConfigError::ArrivalsWithoutRate),
            Some(_) if mode == Mode::Stream => Err(ConfigError::RateOfStream),
            Some(rate) if !(1..=RATE_MAX).contains(&rate) => Err(ConfigError::Rate(rate)),
            _ => Ok(()),
        }
    }

    fn validate_others(&self) -> Result<(), ConfigError> {
        let ClientSettings { mode, connections, hogs, hog_kind, idle, discard, .. } = self.settings;
        match hog_kind {
            None if hogs > 0 => return Err(ConfigError::HogsWithoutKind(hogs)),
            Some(_) if hogs == 0 => return Err(ConfigError::KindWithoutHogs),
            _ => {}
        }
        if discard && mode == Mode::ReqRes {
            return Err(ConfigError::DiscardOfReqRes);
        }
        if discard && (hogs > 0 || idle > 0) {
            return Err(ConfigError::DiscardAmongOthers);
        }
        let all = self.connections_in_all();
        if all > CONNECTIONS_MAX && connections <= CONNECTIONS_MAX {
            return Err(ConfigError::AllConnections(all));
        }
        Ok(())
    }
}

/// The most one write may carry: the whole messages that fit `batch`, and at least one.
pub(crate) fn write_bytes_max(payload: Bytes, batch: Bytes) -> Bytes {
    Bytes((batch.0 / payload.0).max(1) * payload.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_carries_whole_messages_and_at_least_one() {
        assert_eq!(write_bytes_max(Bytes(256), Bytes(65_536)), Bytes(65_536));
        assert_eq!(write_bytes_max(Bytes(1000), Bytes(65_536)), Bytes(65_000));
        assert_eq!(write_bytes_max(Bytes(100_000), Bytes(65_536)), Bytes(100_000));
        assert_eq!(write_bytes_max(Bytes(10), Bytes(0)), Bytes(10));
    }
}
