//! The values of each cell, and the means over cells.

use std::collections::BTreeMap;

use serde::Serialize;
use uring_echo::record::Mode;

use super::memory;
use crate::grid::{Comparison, Grid, Row, Samples};
use crate::metric::Metric;
use crate::recording::Cell;
use crate::statistics::{Estimate, Judge, Latency, Mean, Ratio};

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

/// Means over the cells of a mode: by mode, comparison and metric.
pub type Means = BTreeMap<String, BTreeMap<String, BTreeMap<&'static str, Mean>>>;

/// One server in one cell.
#[derive(Clone, Debug, Serialize)]
pub struct EngineValues {
    /// Runs that count.
    pub runs: usize,
    /// Those of them that exceeded a limit of the noise gate.
    pub flagged: usize,
    /// Latency of all runs together. `None` where none was recorded.
    pub latency: Option<LatencyValues>,
    /// What each connection adds to the server's memory. `None` in the smallest cell of its kind, and without kin.
    pub server_rss_max_bytes_per_connection: Option<f64>,
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
    fn of(latency: &Latency) -> Self {
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
    fn of(samples: &Samples, server_rss_max_bytes_per_connection: Option<f64>) -> Self {
        let metrics =
            Metric::ALL.iter().map(|&metric| (metric.name(), Estimate::of(&samples.values(metric))));
        Self {
            runs: samples.run_count(),
            flagged: samples.flagged_count(),
            latency: samples.merged_latency().as_ref().map(LatencyValues::of),
            server_rss_max_bytes_per_connection,
            metrics: metrics.collect(),
        }
    }
}

impl CellValues {
    /// The values of `row`, one of `grid`'s.
    pub fn of(grid: &Grid, row: &Row, judge: &dyn Fn(Metric) -> Judge) -> Self {
        let ratios = grid.comparisons.iter().map(|comparison| {
            let of = |metric| Ratio::of(&row.ratios(comparison, metric), &judge(metric));
            (comparison.name(), Metric::OF_RATIOS.iter().map(|&metric| (metric.name(), of(metric))).collect())
        });
        let engines = row.samples.iter().map(|(name, samples)| {
            (name.clone(), EngineValues::of(samples, memory::per_connection(grid, row, name)))
        });
        Self { cell: row.cell.clone(), engines: engines.collect(), ratios: ratios.collect() }
    }
}

impl CellValues {
    /// How the servers of `comparison` compare by `metric`; `None` where it is not asked for.
    pub fn ratio(&self, comparison: &Comparison, metric: Metric) -> Option<&Ratio> {
        self.ratios.get(&comparison.name())?.get(metric.name())
    }
}

/// The means over the cells of each mode.
pub(super) fn means(grid: &Grid, judge: &dyn Fn(Metric) -> Judge) -> Means {
    let mut means = Means::new();
    for mode in [Mode::Stream, Mode::ReqRes] {
        let rows: Vec<&Row> = grid.rows.iter().filter(|row| row.cell.factors.mode == mode).collect();
        if rows.is_empty() {
            continue;
        }
        let of_mode = means.entry(mode.to_string()).or_default();
        for comparison in &grid.comparisons {
            let mean = |metric| {
                let cells: Vec<_> = rows.iter().map(|row| row.ratios(comparison, metric)).collect();
                Mean::of(&cells, &judge(metric))
            };
            let by_metric = Metric::OF_RATIOS.iter().map(|&metric| (metric.name(), mean(metric)));
            of_mode.insert(comparison.name(), by_metric.collect());
        }
    }
    means
}
