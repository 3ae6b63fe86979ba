//! What voids a run: one sentence each, with cause and remedy.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::load::pattern::Mismatch;
use crate::sys::Errno;

/// A message is late when the client delayed it by more than this, in milliseconds.
pub(crate) const LATE_MS: u64 = 1;

/// Why a run is not valid.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// The client could not get what it needs from the system.
    #[error("cannot {operation}: {cause}")]
    Setup {
        /// What was tried.
        operation: String,
        /// What the system said, and the remedy.
        cause: String,
    },
    /// Nothing listens.
    #[error("{address} refused the connection: nothing listens there; start a server or correct --connect")]
    Refused {
        /// Where.
        address: SocketAddr,
    },
    /// A connection is its own peer.
    #[error(
        "connection {connection} to {address} was made with itself: nothing listens there, and the kernel gave it the \
         same port; start a server, or let it listen outside of net.ipv4.ip_local_port_range"
    )]
    Itself {
        /// Where to, and where from.
        address: SocketAddr,
        /// Which.
        connection: u32,
    },
    /// The address has no free port left to connect from.
    #[error(
        "no local port is left for connection {connection} to {address}: widen net.ipv4.ip_local_port_range, wait \
         for closed connections to expire, or connect to another address of the server"
    )]
    Ports {
        /// Where to.
        address: SocketAddr,
        /// Connections established or under way.
        connection: u32,
    },
    /// A connection could not be established.
    #[error("connection {connection} to {address} failed: {errno}")]
    Connect {
        /// Where to.
        address: SocketAddr,
        /// Which.
        connection: u32,
        /// What the system said.
        errno: Errno,
    },
    /// Fewer connections than asked for.
    #[error(
        "only {achieved} of {requested} connections were established within {limit_s} s: the server accepts too few \
         or too slowly; raise its --max-connections and --backlog"
    )]
    Short {
        /// Connections established.
        achieved: u64,
        /// Connections asked for.
        requested: u64,
        /// Time allowed.
        limit_s: f64,
    },
    /// A byte came back that is not the one sent.
    #[error(
        "connection {connection} got 0x{found:02x} at position {position} where it had sent 0x{expected:02x}: the \
         server lost, doubled, moved or crossed bytes"
    )]
    Mismatch {
        /// Which.
        connection: u32,
        /// Position in its stream.
        position: u64,
        /// What was sent.
        expected: u8,
        /// What came back.
        found: u8,
    },
    /// More bytes came back than were sent.
    #[error(
        "connection {connection} got bytes beyond position {position}, up to where it had sent: the server added some"
    )]
    Surplus {
        /// Which.
        connection: u32,
        /// Bytes it had sent.
        position: u64,
    },
    /// A server that should discard does not.
    #[error(
        "connection {connection} got bytes back, and --discard says that none come: start `uring-echo discard`, or \
         drop --discard to load an echo server"
    )]
    Echoed {
        /// Which.
        connection: u32,
    },
    /// The server ended a connection that the client had not.
    #[error(
        "the server closed connection {connection} early, owing it {owed_bytes} bytes: see the server's log, and \
         whether its --max-connections is reached"
    )]
    Closed {
        /// Which.
        connection: u32,
        /// Bytes that had not come back.
        owed_bytes: u64,
    },
    /// A connection failed.
    #[error(
        "connection {connection} failed, with {owed_bytes} bytes owed to it: {errno}; see whether the server still runs"
    )]
    Reset {
        /// Which.
        connection: u32,
        /// Bytes that had not come back.
        owed_bytes: u64,
        /// What the system said.
        errno: Errno,
    },
    /// Bytes did not come back in time after the window.
    #[error(
        "{flows} connections still miss {owed_bytes} bytes {limit_s} s after sending stopped, connection {connection} \
         among them: the server lost them or does not serve it; if it is only slow, raise --drain-s"
    )]
    Drain {
        /// Connections with bytes outstanding.
        flows: u64,
        /// Bytes outstanding.
        owed_bytes: u64,
        /// One such connection.
        connection: u32,
        /// Time allowed.
        limit_s: f64,
    },
    /// A half-closed connection did not end.
    #[error(
        "{flows} half-closed connections did not end within {limit_s} s: the server does not close when its client has"
    )]
    NoEnd {
        /// How many.
        flows: u64,
        /// Time allowed.
        limit_s: f64,
    },
    /// The load threads did not keep up with the coordinator.
    #[error("a load thread did not answer within {limit_s} s: the client's CPU is overcommitted")]
    Unresponsive {
        /// Time allowed.
        limit_s: f64,
    },
    /// The window is longer than asked for.
    #[error(
        "the window took {length_s:.2} s where {asked_s:.2} s were asked for: the client was stopped or starved when it \
         should have ended it; run it again undisturbed"
    )]
    Overrun {
        /// Its length.
        length_s: f64,
        /// What was asked for.
        asked_s: f64,
    },
    /// A load thread counts another window than the clock.
    #[error(
        "a load thread noticed an end of the window {late_ms} ms late: what it counted is not of the time that the rates \
         refer to; give it a core of its own (--cpus) or fewer connections (--threads)"
    )]
    Unpunctual {
        /// How late.
        late_ms: u64,
    },
    /// The client did not run for a part of the window.
    #[error(
        "the client did not run for {stalled_ms} ms of the window ({percent:.1} %), and not for want of a CPU: it was \
         stopped (by a signal, a debugger, a frozen or throttled cgroup) or its machine was; run it again undisturbed"
    )]
    Stalled {
        /// How long.
        stalled_ms: u64,
        /// Of the window.
        percent: f64,
    },
    /// The machine slept in the window.
    #[error(
        "the machine was suspended for {suspended_s:.1} s within the window; run it again and keep it awake"
    )]
    Suspended {
        /// How long.
        suspended_s: f64,
    },
    /// The client could not keep the intended starts of an open loop.
    #[error(
        "{percent:.1} % of the messages were sent more than {LATE_MS} ms late for the client's own reasons: its latencies \
         are its own; lower --rate, give it a core of its own (--cpus) or more of them (--threads)"
    )]
    Late {
        /// Of the messages sent in the window.
        percent: f64,
    },
    /// The client could not offer what it was asked to.
    #[error(
        "only {percent:.0} % of the offered messages could be sent, and the client's core was the limit: its latencies are \
         its own; lower --rate or give it more cores (--cpus, --threads)"
    )]
    Outrun {
        /// Of the messages offered in the window.
        percent: f64,
    },
    /// The server's process is gone.
    #[error("the server process {pid} is gone; see its log")]
    ServerGone {
        /// Its id.
        pid: u32,
    },
    /// The server's counters could not be read.
    #[error("cannot read the server's counters from {path}: {cause}")]
    Observe {
        /// The stats file.
        path: PathBuf,
        /// Why, and the remedy.
        cause: String,
    },
    /// The kernel does not count the server's system calls.
    #[error("{0}")]
    CountSyscalls(String),
    /// SIGINT or SIGTERM.
    #[error("stopped by a signal before the run was complete")]
    Interrupted,
    /// A load thread panicked: an invariant of the client does not hold.
    #[error("a load thread panicked, which is a bug of the client: {0}")]
    Panic(String),
}

impl Fault {
    /// A failed preparation.
    pub(crate) fn setup(operation: impl Into<String>, cause: impl Display) -> Self {
        Self::Setup { operation: operation.into(), cause: cause.to_string() }
    }

    /// What `mismatch` says about `connection`.
    pub(crate) const fn mismatch(connection: u32, mismatch: Mismatch) -> Self {
        let Mismatch { position, expected, found } = mismatch;
        Self::Mismatch { connection, position, expected, found }
    }

    /// The stable word that the reason begins with in a record.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Setup { .. } => "setup",
            Self::Refused { .. } => "refused",
            Self::Itself { .. } => "itself",
            Self::Ports { .. } => "ports",
            Self::Connect { .. } => "connect",
            Self::Short { .. } => "short",
            Self::Mismatch { .. } => "mismatch",
            Self::Surplus { .. } => "surplus",
            Self::Echoed { .. } => "echoed",
            Self::Closed { .. } => "closed",
            Self::Reset { .. } => "reset",
            Self::Drain { .. } => "drain",
            Self::NoEnd { .. } => "no-end",
            Self::Unresponsive { .. } => "unresponsive",
            Self::Overrun { .. } | Self::Unpunctual { .. } => "window",
            Self::Stalled { .. } => "stalled",
            Self::Suspended { .. } => "suspended",
            Self::Late { .. } | Self::Outrun { .. } => "late",
            Self::ServerGone { .. } => "server-gone",
            Self::Observe { .. } | Self::CountSyscalls(_) => "observe",
            Self::Interrupted => "interrupted",
            Self::Panic(_) => "panic",
        }
    }

    /// The reason as a record's `validity` lists it.
    pub fn reason(&self) -> String {
        format!("{}: {self}", self.word())
    }
}
