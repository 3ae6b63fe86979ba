//! The values of one cell.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::grid::{Comparison, Samples};
use crate::metric;
use crate::recording::Cell;
use crate::statistics::{Estimate, Latency, Mean, Ratio};

/// One cell.
#[derive(Clone, Debug, Serialize)]
pub struct CellValues {
    /// The factors.
    #[serde(flatten)]
    pub cell: Cell,
    /// Each server by its name.
    pub engines: BTreeMap<String, EngineValues>,
    /// Each comparison by its name and metric.
    pub ratios: BTreeMap<String, RatioValues>,
}

/// Paired ratios of two servers, by metric.
pub type RatioValues = BTreeMap<&'static str, Ratio>;

/// Means over the cells of a workload: by workload, comparison and metric.
pub type Means = BTreeMap<String, BTreeMap<String, BTreeMap<&'static str, Mean>>>;

/// One server in one cell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EngineValues {
    /// Runs that count.
    pub runs: usize,
    /// Those of them that exceeded a limit of the noise gate.
    pub flagged: usize,
    /// Latency of all runs together. `None` where none was recorded.
    pub latency: Option<LatencyValues>,
    /// What each connection adds to the server's memory. `None` in the smallest cell of its kind, and without kin.
    pub server_rss_max_bytes_per_connection: Option<f64>,
    /// Runs that were planned.
    #[serde(skip)]
    pub planned: usize,
    /// Least of Jain's indices of the runs.
    #[serde(skip)]
    pub least_jain: Option<f64>,
    /// Each metric by its name.
    #[serde(flatten)]
    pub metrics: BTreeMap<&'static str, Estimate>,
}

/// Percentiles of merged histograms, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LatencyValues {
    /// Messages in the distribution.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p99_9_ns: u64,
    /// Largest.
    pub max_ns: u64,
}

impl LatencyValues {
    pub(super) fn of(latency: &Latency) -> Self {
        Self {
            count: latency.count(),
            p50_ns: latency.quantile_ns(0.5),
            p90_ns: latency.quantile_ns(0.9),
            p99_ns: latency.quantile_ns(0.99),
            p99_9_ns: latency.quantile_ns(0.999),
            max_ns: latency.quantile_ns(1.0),
        }
    }
}

impl EngineValues {
    pub(super) fn of(samples: &Samples, latency: Option<LatencyValues>) -> Self {
        let estimates = samples.values.iter().map(|(name, values)| (*name, Estimate::of(values)));
        Self {
            planned: samples.planned,
            runs: samples.runs,
            flagged: samples.flagged,
            latency,
            server_rss_max_bytes_per_connection: None,
            least_jain: samples.values[metric::JAIN].iter().copied().min_by(f64::total_cmp),
            metrics: estimates.collect(),
        }
    }

    /// The median of `metric`; `None` where nothing was measured.
    pub fn median(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric)?.median
    }
}

impl CellValues {
    /// How the servers of `comparison` compare by `metric`; `None` where it is not asked for.
    pub fn ratio(&self, comparison: &Comparison, metric: &str) -> Option<&Ratio> {
        self.ratios.get(&comparison.name())?.get(metric)
    }
}
