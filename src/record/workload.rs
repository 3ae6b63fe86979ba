//! Loads that not every run has: an open loop, hogs beside the measured connections.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Latency;

/// How the intended starts of an open loop are spread in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Exponential gaps, on each connection independently.
    Poisson,
    /// Equal gaps, the connections evenly offset against each other.
    Staggered,
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poisson => "poisson",
            Self::Staggered => "staggered",
        })
    }
}

/// What the connections do that stand beside the measured ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HogKind {
    /// Write until they are blocked, and read nothing before the drain.
    NonReading,
    /// Stream as a measured connection would.
    Reading,
    /// Stream in large writes with much on its way.
    Greedy,
}

impl fmt::Display for HogKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonReading => "non-reading",
            Self::Reading => "reading",
            Self::Greedy => "greedy",
        })
    }
}

/// Latencies of an open loop. `corrected` and `uncorrected` are of the messages completed in the window, the lags of
/// those sent in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// Messages per second, over all measured connections.
    pub rate_per_s: u64,
    /// How intended starts were spread.
    pub arrivals: Arrivals,
    /// Response time: from the intended start until the last byte was read.
    pub corrected: Option<Latency>,
    /// Service time: from the actual send until the last byte was read.
    pub uncorrected: Option<Latency>,
    /// From the intended start to the actual send, for whatever reason.
    pub send_lag: Option<Latency>,
    /// The client's own part of the send lag: from when a message was due and its connection free to take it.
    pub client_lag: Option<Latency>,
    /// Part of the messages sent whose `client_lag` is above 1 ms. Between 0 and 1; above 0.01 the run is void.
    pub late_share: f64,
}

/// The group that stands beside the measured connections, in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hogs {
    /// What they do.
    pub kind: HogKind,
    /// How many were established.
    pub connections: u64,
    /// Bytes the kernel took from them.
    pub sent_bytes: u64,
    /// Bytes that came back to them.
    pub received_bytes: u64,
}
