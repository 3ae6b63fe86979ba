//! The document that a run leaves behind: what was asked, what ran, what was measured, and whether to believe it.
//!
//! One JSON document a run, written by the client. It is self-contained: no figure in it needs another file to be
//! understood, and every derived value stands beside the raw ones it was derived from. Units are the last word of a
//! field's name; a name without one is a count or dimensionless. A value that could not be had is `null`, never zero.
//! `docs/RUN_RECORD.md` describes every field.

mod destination;
mod ends;
mod file;
mod noise;
mod outcome;
mod whole;
mod workload;

use serde::{Deserialize, Serialize};

use crate::measure::host::Host;

pub use destination::{Destination, DestinationError};
pub use ends::{Build, ClientSettings, Mode, Server, Verify};
pub use file::ReadError;
pub use noise::Noise;
pub use outcome::{
    Connections, CoreUse, Cpu, Latency, Limit, Series, ServerCounters, Summary, Timeline, Totals, Traffic,
};
pub use whole::write_whole;
pub use workload::{Arrivals, HogKind, Hogs, OpenLoop};

/// The version of the document this build writes.
///
/// 2 added loads: `open_loop`, `hogs`, `noise`, `totals.idle_connections`, and what was asked of them in `client`.
/// 3 added `host.cpu.signature`.
/// 4 calls the counters `messages` and `turns` what they are, `receives` and `iterations`.
/// 5 added `counters.traced_syscalls`.
pub const SCHEMA_VERSION: u32 = 5;

/// The oldest version that this build reads. What such a document does not have yet reads as absent, zero, off
/// or unavailable, which is what the client of its time did and knew.
pub const SCHEMA_VERSION_OLDEST: u32 = 1;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA_VERSION`] of the build that wrote it.
    pub schema_version: u32,
    /// Chosen by whoever started the run; unique in a recording.
    pub run_id: String,
    /// Wall-clock time when the run began, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: u64,
    /// What the client was built from.
    pub build: Build,
    /// The machine, as the client saw it when the run began.
    pub host: Host,
    /// The server under load.
    pub server: Server,
    /// What the client did, every default filled in.
    pub client: ClientSettings,
    /// When the phases of the run began and ended. `None` if it failed before the window ended.
    pub timeline: Option<Timeline>,
    /// Connections, bytes and messages.
    pub totals: Totals,
    /// CPU time in the window. `None` if the run failed before the window ended.
    pub cpu: Option<Cpu>,
    /// What others did in the window. `None` if the run failed before it ended.
    pub noise: Option<Noise>,
    /// What the server counted.
    pub counters: ServerCounters,
    /// Latency of the messages completed in the window. `None` if there were none.
    pub latency: Option<Latency>,
    /// The same in an open loop, with and without correction, and how late messages were sent. `None` in a closed loop.
    pub open_loop: Option<OpenLoop>,
    /// The group beside the measured connections, of which everything else here is. `None` without hogs, or if the
    /// window never ended.
    pub hogs: Option<Hogs>,
    /// One entry a connection, of the window.
    pub connections: Connections,
    /// The window second by second.
    pub series: Series,
    /// Derived values. `None` if the run failed before the window ended.
    pub summary: Option<Summary>,
    /// Why not to believe this run; empty when it is valid. Each reason begins with a stable word and a colon.
    pub validity: Vec<String>,
    /// What a reader should know and that does not void the run.
    pub notes: Vec<String>,
}

impl RunRecord {
    /// Whether nothing speaks against the run.
    pub fn is_valid(&self) -> bool {
        self.validity.is_empty()
    }
}
