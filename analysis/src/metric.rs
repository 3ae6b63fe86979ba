//! What a run is measured by.

use uring_echo::record::{Latency, RunRecord, Summary};

/// One number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Busy time of the server's core per message: the headline.
    CpuNsPerMessage,
    /// Busy time of the server's core per byte.
    CpuNsPerByte,
    /// Bytes that came back, per second.
    GoodputBytesPerS,
    /// Messages that came back, per second.
    MessagesPerS,
    /// System calls of the server per message.
    SyscallsPerMessage,
    /// Jain's index over the connections.
    Jain,
    /// Least over most bytes of a connection.
    MinMaxRatio,
    /// Sarle's coefficient over the connections.
    Bimodality,
    /// Median latency of the run.
    P50Ns,
    /// 99th percentile of the run's latency.
    P99Ns,
    /// 99.9th percentile of the run's latency.
    P999Ns,
    /// Busy part of the server's core.
    ServerBusyShare,
    /// Part of the server's core that went to others.
    ServerCoreForeignShare,
    /// Busy part of the client.
    ClientBusyShare,
    /// Most memory the server had resident.
    ServerRssMaxBytes,
    /// Bytes per second that came back to the hogs.
    HogsReceivedBytesPerS,
    /// Bytes per second that the kernel took from the hogs.
    HogsSentBytesPerS,
}

impl Metric {
    /// All, in the order of tables.
    pub const ALL: [Self; 17] = [
        Self::CpuNsPerMessage,
        Self::CpuNsPerByte,
        Self::GoodputBytesPerS,
        Self::MessagesPerS,
        Self::SyscallsPerMessage,
        Self::Jain,
        Self::MinMaxRatio,
        Self::Bimodality,
        Self::P50Ns,
        Self::P99Ns,
        Self::P999Ns,
        Self::ServerBusyShare,
        Self::ServerCoreForeignShare,
        Self::ClientBusyShare,
        Self::ServerRssMaxBytes,
        Self::HogsReceivedBytesPerS,
        Self::HogsSentBytesPerS,
    ];

    /// Those of which a ratio of two servers means something.
    pub const OF_RATIOS: [Self; 9] = [
        Self::CpuNsPerMessage,
        Self::CpuNsPerByte,
        Self::GoodputBytesPerS,
        Self::MessagesPerS,
        Self::SyscallsPerMessage,
        Self::P50Ns,
        Self::P99Ns,
        Self::P999Ns,
        Self::ServerRssMaxBytes,
    ];

    /// Its name in files: units last.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuNsPerMessage => "cpu_ns_per_message",
            Self::CpuNsPerByte => "cpu_ns_per_byte",
            Self::GoodputBytesPerS => "goodput_bytes_per_s",
            Self::MessagesPerS => "messages_per_s",
            Self::SyscallsPerMessage => "syscalls_per_message",
            Self::Jain => "jain",
            Self::MinMaxRatio => "min_max_ratio",
            Self::Bimodality => "bimodality",
            Self::P50Ns => "p50_ns",
            Self::P99Ns => "p99_ns",
            Self::P999Ns => "p99_9_ns",
            Self::ServerBusyShare => "server_busy_share",
            Self::ServerCoreForeignShare => "server_core_foreign_share",
            Self::ClientBusyShare => "client_busy_share",
            Self::ServerRssMaxBytes => "server_rss_max_bytes",
            Self::HogsReceivedBytesPerS => "hogs_received_bytes_per_s",
            Self::HogsSentBytesPerS => "hogs_sent_bytes_per_s",
        }
    }

    /// Its value in `record`; `None` where it was not measured or is not a finite number.
    pub fn of(self, record: &RunRecord) -> Option<f64> {
        let value = match self {
            Self::P50Ns | Self::P99Ns | Self::P999Ns => Some(self.of_latency(record.latency.as_ref()?)),
            Self::ServerRssMaxBytes => record.server.rss_max_bytes.map(|bytes| bytes as f64),
            Self::HogsReceivedBytesPerS | Self::HogsSentBytesPerS => self.of_hogs(record),
            _ => self.of_summary(record.summary.as_ref()?),
        };
        value.filter(|value| value.is_finite())
    }

    fn of_latency(self, latency: &Latency) -> f64 {
        let span = match self {
            Self::P50Ns => latency.p50_ns,
            Self::P99Ns => latency.p99_ns,
            _ => latency.p99_9_ns,
        };
        span.0 as f64
    }

    fn of_hogs(self, record: &RunRecord) -> Option<f64> {
        let (hogs, window) = (record.hogs?, record.timeline?.window());
        let bytes = if self == Self::HogsSentBytesPerS { hogs.sent_bytes } else { hogs.received_bytes };
        Some(bytes as f64 / window.as_secs_f64())
    }

    fn of_summary(self, summary: &Summary) -> Option<f64> {
        let spread = summary.connection_received_bytes;
        match self {
            Self::CpuNsPerMessage => summary.cpu_ns_per_message,
            Self::CpuNsPerByte => summary.cpu_ns_per_byte,
            Self::GoodputBytesPerS => Some(summary.goodput_bytes_per_s),
            Self::MessagesPerS => Some(summary.messages_per_s),
            Self::SyscallsPerMessage => summary.syscalls_per_message,
            Self::Jain => summary.jain,
            Self::MinMaxRatio => spread?.min_max_ratio,
            Self::Bimodality => spread?.bimodality,
            Self::ServerBusyShare => summary.server_busy_share,
            Self::ServerCoreForeignShare => summary.server_core_foreign_share,
            Self::ClientBusyShare => Some(summary.client_busy_share),
            Self::P50Ns | Self::P99Ns | Self::P999Ns => None,
            Self::ServerRssMaxBytes | Self::HogsReceivedBytesPerS | Self::HogsSentBytesPerS => None,
        }
    }
}
