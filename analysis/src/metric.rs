//! What a run is measured by: names in files, units last, and where the numbers stand in a record.

use uring_echo::record::{Latency, Noise, RunRecord, Summary};
use uring_echo::units::Nanos;

/// Busy time of the server's core per message: the headline.
pub const CPU: &str = "cpu_ns_per_message";
/// Bytes that came back, per second.
pub const GOODPUT: &str = "goodput_bytes_per_s";
/// Messages that came back, per second.
pub const MESSAGES: &str = "messages_per_s";
/// System calls of the server per message.
pub const SYSCALLS: &str = "syscalls_per_message";
/// Jain's index over the connections.
pub const JAIN: &str = "jain";
/// Least over most bytes of a connection.
pub const MIN_MAX: &str = "min_max_ratio";
/// 99th percentile of a run's latency.
pub const P99: &str = "p99_ns";
/// Most memory the server had resident.
pub const MEMORY: &str = "server_rss_max_bytes";

/// A number of a run: its name and its value in a record, `None` where it was not measured.
pub type Metric = (&'static str, fn(&RunRecord) -> Option<f64>);

/// All, in the order of tables.
pub const ALL: [Metric; 17] = [
    (CPU, |run| summary(run)?.cpu_ns_per_message),
    ("cpu_ns_per_byte", |run| summary(run)?.cpu_ns_per_byte),
    (GOODPUT, |run| Some(summary(run)?.goodput_bytes_per_s)),
    (MESSAGES, |run| Some(summary(run)?.messages_per_s)),
    (SYSCALLS, |run| summary(run)?.syscalls_per_message),
    (JAIN, |run| summary(run)?.jain),
    (MIN_MAX, |run| summary(run)?.connection_received_bytes?.min_max_ratio),
    ("bimodality", |run| summary(run)?.connection_received_bytes?.bimodality),
    ("p50_ns", |run| span(Some(latency(run)?.p50_ns))),
    (P99, |run| span(Some(latency(run)?.p99_ns))),
    ("p99_9_ns", |run| span(Some(latency(run)?.p99_9_ns))),
    ("server_busy_share", |run| summary(run)?.server_busy_share),
    FOREIGN,
    ("client_busy_share", |run| Some(summary(run)?.client_busy_share)),
    (MEMORY, |run| count(run.server.rss_max_bytes)),
    ("hogs_received_bytes_per_s", |run| per_s(run, run.hogs?.received_bytes)),
    ("hogs_sent_bytes_per_s", |run| per_s(run, run.hogs?.sent_bytes)),
];

/// Those of which a ratio of two servers means something.
pub const OF_RATIOS: [&str; 9] =
    [CPU, "cpu_ns_per_byte", GOODPUT, MESSAGES, SYSCALLS, "p50_ns", P99, "p99_9_ns", MEMORY];

/// What disturbed a run: others on the machine, and the hypervisor.
pub const OF_NOISE: [Metric; 5] = [
    ("psi_cpu_some_ns", |run| span(noise(run)?.psi_cpu_some_ns)),
    ("steal_ns", |run| span(noise(run)?.steal_ns)),
    ("server_involuntary_switches", |run| count(noise(run)?.server_involuntary_switches)),
    ("client_involuntary_switches", |run| count(noise(run)?.client_involuntary_switches)),
    FOREIGN,
];

/// Part of the server's core that went to others.
const FOREIGN: Metric = ("server_core_foreign_share", |run| summary(run)?.server_core_foreign_share);

fn summary(run: &RunRecord) -> Option<&Summary> {
    run.summary.as_ref()
}

fn latency(run: &RunRecord) -> Option<&Latency> {
    run.latency.as_ref()
}

fn noise(run: &RunRecord) -> Option<&Noise> {
    run.noise.as_ref()
}

fn span(ns: Option<Nanos>) -> Option<f64> {
    count(Some(ns?.0))
}

fn count(count: Option<u64>) -> Option<f64> {
    Some(count? as f64)
}

/// `bytes` per second of the window.
fn per_s(run: &RunRecord, bytes: u64) -> Option<f64> {
    Some(bytes as f64 / run.timeline?.window().as_secs_f64())
}
