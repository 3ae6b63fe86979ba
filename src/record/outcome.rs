//! What was measured, and what follows from it.

use serde::{Deserialize, Serialize};

use crate::measure::counters::Counters;
use crate::measure::fairness::Spread;
use crate::measure::histogram::Histogram;
use crate::units::Nanos;

/// When the phases of a run began and ended. Instants are CLOCK_MONOTONIC of the host, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// First connection attempted.
    pub connect_start_ns: Nanos,
    /// Last connection established; the load began.
    pub load_start_ns: Nanos,
    /// Warm-up over; counters read.
    pub window_start_ns: Nanos,
    /// Counters read again; sending stopped.
    pub window_end_ns: Nanos,
    /// Last byte back on every connection. `None` if that never happened.
    pub drained_ns: Option<Nanos>,
}

impl Timeline {
    /// Length of the window that the rates refer to.
    pub fn window(self) -> Nanos {
        self.window_end_ns - self.window_start_ns
    }
}

/// Bytes and messages of all connections together. A message is `payload_bytes` bytes of a connection's stream and
/// counts when its last byte is written or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Bytes the kernel took.
    pub sent_bytes: u64,
    /// Bytes that came back.
    pub received_bytes: u64,
    /// Messages sent.
    pub sent_messages: u64,
    /// Messages that came back.
    pub received_messages: u64,
}

/// Connections, bytes and messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Connections asked for.
    pub connections_requested: u64,
    /// Connections established, all before the first byte was sent.
    pub connections_achieved: u64,
    /// Connections established that never sent; not among the above.
    #[serde(default)]
    pub idle_connections: u64,
    /// Traffic of the window.
    pub window: Traffic,
    /// Traffic of the whole run, warm-up and drain included.
    pub run: Traffic,
    /// Bytes compared with what was sent, over the whole run.
    pub verified_bytes: u64,
}

/// How one core spent the window, in nanoseconds. Resolution of the kernel's account: 10 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreUse {
    /// The core.
    pub cpu: usize,
    /// Time between the two readings.
    pub elapsed_ns: Nanos,
    /// Elapsed less idle and iowait: everything the core did, for whomever.
    pub busy_ns: Nanos,
    /// User mode.
    pub user_ns: Nanos,
    /// Kernel mode outside interrupts.
    pub system_ns: Nanos,
    /// Hard interrupts.
    pub irq_ns: Nanos,
    /// Soft interrupts.
    pub softirq_ns: Nanos,
    /// Given to another guest by the hypervisor; part of busy, and a reason to distrust it.
    pub steal_ns: Nanos,
}

impl CoreUse {
    /// Busy part of the elapsed time, between 0 and 1.
    pub fn busy_share(self) -> f64 {
        self.busy_ns.0 as f64 / self.elapsed_ns.0.max(1) as f64
    }
}

/// CPU time in the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// User and system time of the server process. `None` without its pid.
    pub server_process_ns: Option<Nanos>,
    /// The core of the server. `None` unless it is pinned to exactly one.
    pub server_core: Option<CoreUse>,
    /// ksoftirqd of that core. `None` where kernel threads are hidden.
    pub server_ksoftirqd_ns: Option<Nanos>,
    /// User and system time of the client process.
    pub client_process_ns: Nanos,
    /// User and system time of each of the client's load threads.
    pub client_threads_ns: Vec<Nanos>,
    /// The cores the client may run on.
    pub client_cores: Vec<CoreUse>,
}

/// What the server counted, and what the kernel counted of it. `None` without its pid and stats file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCounters {
    /// Between the snapshots at both ends of the window.
    pub window: Option<Counters>,
    /// Time between those two snapshots, in nanoseconds.
    pub window_ns: Option<Nanos>,
    /// From the server's start to a snapshot after the drain.
    pub run: Option<Counters>,
    /// System calls in the window, counted by the kernel, which makes each of them dearer.
    #[serde(default)]
    pub traced_syscalls: Option<u64>,
}

/// Distribution of message latency: from a message's start until its last byte was read. It starts when its first byte
/// is written; in an open loop when it was intended to.
///
/// Request-response: every message completed in the window. Stream: one marked message at a time on each
/// connection, so long queues are not sampled more often than short ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Messages in the distribution.
    pub count: u64,
    /// Smallest.
    pub min_ns: Nanos,
    /// Mean.
    pub mean_ns: f64,
    /// Median.
    pub p50_ns: Nanos,
    /// 90th percentile.
    pub p90_ns: Nanos,
    /// 99th percentile.
    pub p99_ns: Nanos,
    /// 99.9th percentile.
    pub p99_9_ns: Nanos,
    /// Largest.
    pub max_ns: Nanos,
    /// The HDR histogram, unit nanosecond, three significant digits: V2 format, deflated, in base64.
    pub histogram_v2_deflate_base64: String,
}

impl Latency {
    /// The distribution in `histogram`; `None` if it is empty.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        (histogram.count() > 0).then(|| Self {
            count: histogram.count(),
            min_ns: histogram.min(),
            mean_ns: histogram.mean_ns(),
            p50_ns: histogram.quantile(0.5),
            p90_ns: histogram.quantile(0.9),
            p99_ns: histogram.quantile(0.99),
            p99_9_ns: histogram.quantile(0.999),
            max_ns: histogram.max(),
            histogram_v2_deflate_base64: histogram.encode(),
        })
    }
}

/// Per-connection values of the window; index is the connection's number in all three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Bytes sent.
    pub sent_bytes: Vec<u64>,
    /// Bytes that came back.
    pub received_bytes: Vec<u64>,
    /// Messages that came back.
    pub messages: Vec<u64>,
}

/// The window in steps of about a second; entry `i` covers the time from `at_ns[i - 1]` (or 0) to `at_ns[i]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// End of the step, in nanoseconds since the window began.
    pub at_ns: Vec<Nanos>,
    /// Bytes that came back in the step.
    pub received_bytes: Vec<u64>,
    /// Messages that came back in the step.
    pub messages: Vec<u64>,
}

/// Which end was the limit of throughput: whose core was at least 95 % busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The server alone: throughput is a statement about the server.
    Server,
    /// The client alone: throughput says nothing about the server, its CPU time per message still does.
    Client,
    /// Both: throughput is a lower bound of what the server can do.
    Both,
    /// Neither: latency, or something not measured, was the limit.
    Neither,
}

/// Values derived from the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Bytes that came back, per second. They were verified as far as `client.verify` says.
    pub goodput_bytes_per_s: f64,
    /// Messages that came back, per second.
    pub messages_per_s: f64,
    /// Busy time of the server's core per message, in nanoseconds. `None` beside hogs, whose share of it is unknown.
    pub cpu_ns_per_message: Option<f64>,
    /// Busy time of the server's core per byte that came back, to hogs too, in nanoseconds.
    pub cpu_ns_per_byte: Option<f64>,
    /// System calls of the server per message it received.
    pub syscalls_per_message: Option<f64>,
    /// Jain's index of the bytes that came back, over the connections.
    pub jain: Option<f64>,
    /// Spread of the bytes that came back, over the connections.
    pub connection_received_bytes: Option<Spread>,
    /// Busy part of the server's core; of its process where it is not pinned to one core. Between 0 and 1.
    pub server_busy_share: Option<f64>,
    /// Part of its core's time that went to anything but the server: busy time less steal, the server's process and
    /// ksoftirqd. Between 0 and 1; `None` unless the server is pinned to one core. Noise, if it is more than interrupts.
    pub server_core_foreign_share: Option<f64>,
    /// The larger of: busy part of the busiest core among the client's when it has one core a thread; CPU time of
    /// its busiest thread over the window. Between 0 and 1.
    pub client_busy_share: f64,
    /// Which end was the limit.
    pub limit: Limit,
}
