//! What two servers are compared by.

use uring_echo::record::Summary;

/// The values of a ratio that are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    /// Busy time of the server's core per message.
    CpuPerMessage,
    /// The same per byte, the hogs' counted too.
    CpuPerByte,
    /// Bytes back per second.
    Goodput,
}

impl Metric {
    pub(super) fn value(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::CpuPerMessage => summary.cpu_ns_per_message,
            Self::CpuPerByte => summary.cpu_ns_per_byte,
            Self::Goodput => Some(summary.goodput_bytes_per_s),
        }
    }
}
