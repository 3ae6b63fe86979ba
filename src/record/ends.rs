//! The two ends of a run: what they were built from and how they were set.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Arrivals, HogKind};
use crate::measure::counters::Settings;
use crate::units::{Bytes, Nanos};

/// What the client was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Version of the package.
    pub version: String,
    /// The last commit that changed the source, `-dirty` with changes that no commit held, where the build knew it.
    pub revision: Option<String>,
    /// Cargo profile family: `release` when optimised without debug assertions, else `debug`.
    pub profile: String,
    /// Compiler that built it, where the build was told.
    pub rustc: Option<String>,
    /// SHA-256 of the running executable, in hexadecimal.
    pub exe_sha256: Option<String>,
}

/// The server under load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, if the client was told; without it nothing of the server can be measured.
    pub pid: Option<u32>,
    /// SHA-256 of its executable, in hexadecimal.
    pub exe_sha256: Option<String>,
    /// Effective settings as it wrote them to its stats file.
    pub settings: Option<Settings>,
    /// CPUs it may run on, read from the kernel before the first connection.
    pub cpus: Option<Vec<usize>>,
    /// Most memory it had resident until the window ended (VmHWM), in bytes. Socket buffers are not part of it.
    pub rss_max_bytes: Option<u64>,
}

/// When a flow may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Without waiting for echoes.
    Stream,
    /// While fewer than `depth` of its messages are unanswered.
    ReqRes,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => "stream",
            Self::ReqRes => "req-res",
        })
    }
}

/// How much of what came back is compared with what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Every byte.
    Full,
    /// The bytes of one receive in sixteen, starting with a connection's first.
    Sample,
    /// Nothing but the number of bytes.
    Off,
}

impl fmt::Display for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Sample => "sample",
            Self::Off => "off",
        })
    }
}

/// What the client did, every default filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSettings {
    /// When a flow may write.
    pub mode: Mode,
    /// Connections asked for.
    pub connections: usize,
    /// Size of a message, in bytes.
    pub payload_bytes: Bytes,
    /// Most bytes of one write in stream mode: whole messages, at least one.
    pub batch_bytes: Bytes,
    /// Most unanswered messages of a flow in request-response mode; 0 in stream mode, where it does not apply.
    pub depth: u32,
    /// Most bytes of a flow on their way at once, in bytes: sent and not yet back. 0 with `discard`, where nothing comes
    /// back.
    pub in_flight_bytes_max: Bytes,
    /// Messages per second over all connections, in an open loop; `None` in a closed one.
    pub rate_per_s: Option<u64>,
    /// How the intended starts of an open loop were spread.
    pub arrivals: Option<Arrivals>,
    /// Connections asked for beside the measured ones, to compete with them.
    #[serde(default)]
    pub hogs: usize,
    /// What those do.
    pub hog_kind: Option<HogKind>,
    /// Connections asked for that never send.
    #[serde(default)]
    pub idle: usize,
    /// Whether the server was expected to discard what it gets, and nothing to come back.
    #[serde(default)]
    pub discard: bool,
    /// Threads the flows are split between.
    pub threads: usize,
    /// CPUs the client may run on, read back from the kernel.
    pub cpus: Vec<usize>,
    /// TCP_NODELAY on the client's sockets.
    pub nodelay: bool,
    /// How much of what came back was compared.
    pub verify: Verify,
    /// Load before the window, in nanoseconds.
    pub warmup_ns: Nanos,
    /// Length asked of the window, in nanoseconds.
    pub duration_ns: Nanos,
    /// Time allowed for the last echoes to come back after the window, in nanoseconds.
    pub drain_limit_ns: Nanos,
    /// What the content of the messages was derived from.
    pub seed: u64,
}
