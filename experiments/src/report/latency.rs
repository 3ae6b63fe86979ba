//! Percentiles by offered load.

use uring_echo::table::{self, Column, Row, left, right};

use super::columns::{named, or_dash};
use super::grid::{Grid, Samples};
use crate::report::format::{bytes, decimal, span};
use crate::spec::factors::Factors;

const COLUMNS: [Column; 13] = [
    right("payload", ""),
    right("conns", ""),
    right("load", ""),
    left("engine", ""),
    right("offered", "1/s"),
    right("answered", "1/s"),
    right("latency", "p50"),
    right("latency", "p90"),
    right("latency", "p99"),
    right("latency", "p99.9"),
    right("uncorrected", "p99"),
    right("late", "worst"),
    right("CPU", "ns/msg"),
];

/// A row for each load and engine.
pub(super) fn section(grid: &Grid) -> Vec<String> {
    let mut rows = Vec::new();
    let mut last: Option<Factors> = None;
    for cell in grid.cells() {
        if last.as_ref().is_some_and(|last| *last != cell.closed()) {
            rows.push(Row::Blank);
        }
        last = Some(cell.closed());
        for engine in &grid.engines {
            if let Some(samples) = grid.samples(cell, engine) {
                rows.push(Row::Cells(row(cell, &named(engine, samples), samples)));
            }
        }
    }
    let mut lines = vec![String::new(), "LATENCY by offered load, open loop".into()];
    lines.extend(table::render(&COLUMNS, &rows));
    lines.extend([
        String::new(),
        "Latency from the intended start, of merged histograms; uncorrected: from the actual send. Load: share of the \
         slower".into(),
        "engine's capacity in closed loop, measured in this recording. Late: messages that the client itself sent over \
         1 ms late.".into(),
    ]);
    lines
}

fn row(cell: &Factors, engine: &str, samples: &Samples) -> Vec<String> {
    let quantile = |share| or_dash(samples.latency.as_ref().map(|all| all.quantile(share).0 as f64), span);
    let uncorrected = samples.uncorrected.as_ref().map(|all| all.quantile(0.99).0 as f64);
    let late = samples.series(|point| point.late_share).into_iter().flatten().max_by(f64::total_cmp);
    let load = cell.load.map_or_else(|| "–".into(), |share| format!("{:.0} %", f64::from(share) * 100.0));
    vec![
        bytes(cell.payload_bytes),
        cell.connections.to_string(),
        load,
        engine.to_owned(),
        or_dash(samples.median(|point| point.rate_per_s.map(|rate| rate as f64)), decimal),
        or_dash(samples.median(|point| Some(point.summary.messages_per_s)), decimal),
        quantile(0.5),
        quantile(0.9),
        quantile(0.99),
        quantile(0.999),
        or_dash(uncorrected, span),
        or_dash(late, |share| format!("{:.2} %", share * 100.0)),
        or_dash(samples.median(|point| point.summary.cpu_ns_per_message), |ns| format!("{ns:.0}")),
    ]
}
