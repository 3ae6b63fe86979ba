//! What a plan will cost, said before it starts: time and disk.

use std::time::Duration;

use crate::plan::Run;
use crate::spec::in_flight::InFlight;

/// Starting and stopping a server and a client, reading counters, syncing the record and the manifest: 30 to 40 ms where
/// this was fitted, two cores. The rest is the share that each has of the runs made once more for their noise.
const PER_RUN: Duration = Duration::from_millis(100);
/// Opening a connection and closing it again, at both ends: 64 to 80 µs there, from 3000 to 9000 connections.
const PER_CONNECTION: Duration = Duration::from_micros(75);
/// What a stream without a bound leaves to drain at the end, for each connection and for all: sockets hold some megabytes in
/// either direction, the kernel no more than tcp_mem allows them together, and about a gigabyte a second comes back.
const DRAIN_PER_CONNECTION: Duration = Duration::from_millis(16);
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// A record's frame, of the mean of 5600 in closed loop, and its line in the manifest. Connections hardly add to it.
const RECORD_BYTES: u64 = 3_600;
/// What the further histograms of an open loop add.
const RECORD_BYTES_OPEN_LOOP: u64 = 29_000;

/// Time and disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// From the first server's start to the last record.
    pub time: Duration,
    /// In the recording's folder.
    pub bytes: u64,
}

/// What `runs` will take, as far as can be said beforehand.
pub fn cost<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Cost {
    runs.into_iter().fold(Cost::default(), |sum, run| Cost {
        time: sum.time + run_time(run),
        bytes: sum.bytes + record_bytes(run),
    })
}

/// What `run` will take.
pub fn run_time(run: &Run) -> Duration {
    run.load_time() + overhead(run)
}

/// What `run` will take beyond its load.
pub fn overhead(run: &Run) -> Duration {
    let factors = &run.cell.factors;
    let count = |sockets| u32::try_from(sockets).unwrap_or(u32::MAX);
    let drain = match factors.in_flight_bytes {
        Some(InFlight::Unbounded) => (DRAIN_PER_CONNECTION * count(factors.connections)).min(DRAIN_MAX),
        Some(InFlight::AtMost(_)) | None => Duration::ZERO,
    };
    PER_RUN + PER_CONNECTION * count(factors.sockets()) + drain
}

fn record_bytes(run: &Run) -> u64 {
    let is_open = run.cell.factors.load.is_some() || run.cell.factors.rate_per_s.is_some();
    let open_loop = if is_open { RECORD_BYTES_OPEN_LOOP } else { 0 };
    RECORD_BYTES + open_loop
}
