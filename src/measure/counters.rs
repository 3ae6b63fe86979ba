//! What a server counts, and the lines in which it says so.
//!
//! The server writes them and the client reads them, so neither owns them. A stats file is JSON Lines: first one
//! [`StatsLine`] of kind `start` with the effective settings, then one of kind `snapshot` for each SIGUSR1, at last
//! one of kind `exit`. Two snapshots cut a window out of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sys::ring::RingCounts;
use crate::units::Nanos;

/// Effective settings of a server, in the words of its command line: `engine=uring`, `buffer_bytes=65536`, …
pub type Settings = BTreeMap<String, String>;

/// Monotonic counters since the server started. Every field is a count but where its name says bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Receives that carried data. Called `messages` before version 4 of the run record.
    #[serde(alias = "messages")]
    pub receives: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes handed back to the kernel for sending.
    pub sent_bytes: u64,
    /// System calls of the serving loop, failed ones included.
    pub syscalls: u64,
    /// Submission queue entries pushed (io_uring).
    pub sqes: u64,
    /// Completion queue entries reaped (io_uring).
    pub cqes: u64,
    /// Iterations of the serving loop. Called `turns` before version 4 of the run record.
    #[serde(alias = "turns")]
    pub iterations: u64,
    /// Sends that the kernel took only a part of, or nothing.
    pub short_sends: u64,
    /// Receives that ended because no provided buffer was free (io_uring).
    pub starved: u64,
    /// Turns that a connection gave up with work left, its budget spent.
    pub yields: u64,
    /// Events or completions of a connection that was gone.
    pub stale: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed.
    pub closed: u64,
    /// Connections closed because their peer or the network failed.
    pub peer_faults: u64,
    /// Accepts that failed with the peer already gone.
    pub accept_aborts: u64,
    /// Times accepting was suspended: the table was full, or descriptors or memory ran out.
    pub accept_pauses: u64,
    /// Connections cut off at the deadline of a stop: still there, as they had not been silent for a tick.
    pub cut_off: u64,
    /// Times the completion queue overflowed into kernel memory (io_uring).
    pub cq_overflows: u64,
}

impl Counters {
    /// With what an io_uring counts by itself.
    pub fn with_ring(self, ring: RingCounts) -> Self {
        let RingCounts { enters, sqes, cqes, overflows, calls } = ring;
        Self { syscalls: enters + calls, sqes, cqes, cq_overflows: overflows, ..self }
    }

    /// What was counted between `earlier` and `self`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            receives: self.receives - earlier.receives,
            received_bytes: self.received_bytes - earlier.received_bytes,
            sent_bytes: self.sent_bytes - earlier.sent_bytes,
            syscalls: self.syscalls - earlier.syscalls,
            sqes: self.sqes - earlier.sqes,
            cqes: self.cqes - earlier.cqes,
            iterations: self.iterations - earlier.iterations,
            short_sends: self.short_sends - earlier.short_sends,
            starved: self.starved - earlier.starved,
            yields: self.yields - earlier.yields,
            stale: self.stale - earlier.stale,
            accepted: self.accepted - earlier.accepted,
            closed: self.closed - earlier.closed,
            peer_faults: self.peer_faults - earlier.peer_faults,
            accept_aborts: self.accept_aborts - earlier.accept_aborts,
            accept_pauses: self.accept_pauses - earlier.accept_pauses,
            cut_off: self.cut_off - earlier.cut_off,
            cq_overflows: self.cq_overflows - earlier.cq_overflows,
        }
    }
}

/// One line of the stats file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StatsLine {
    /// Written once, when the server listens.
    Start {
        /// Process id of the server.
        pid: u32,
        /// What it runs with.
        settings: Settings,
    },
    /// Written for each SIGUSR1.
    Snapshot {
        /// CLOCK_MONOTONIC when the counters were read, in nanoseconds.
        at_ns: Nanos,
        /// Connections open at that instant.
        connections: u64,
        /// The counters.
        counters: Counters,
    },
    /// Written once, when the server has drained.
    Exit {
        /// CLOCK_MONOTONIC when the counters were read, in nanoseconds.
        at_ns: Nanos,
        /// The final counters.
        counters: Counters,
    },
}
