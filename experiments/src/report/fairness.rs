//! What the victims get beside each kind of hog, and what becomes of it without any.

use uring_echo::table::{self, Column, Row, left, right};

use super::columns::{named, or_dash};
use super::grid::{Grid, Samples};
use crate::report::format::{bytes, decimal, span, three_digits};
use crate::spec::factors::Factors;

const COLUMNS: [Column; 11] = [
    left("engine", ""),
    left("hogs", ""),
    right("victims", ""),
    right("payload", ""),
    right("replies", "1/s"),
    right("replies", "of without"),
    right("latency", "p50"),
    right("latency", "p99"),
    right("Jain", "worst"),
    right("min/max", "median"),
    right("hogs get", "MB/s"),
];

/// A row for each engine and kind of hog.
pub(super) fn section(grid: &Grid) -> Vec<String> {
    let mut rows = Vec::new();
    for engine in &grid.engines {
        if !rows.is_empty() {
            rows.push(Row::Blank);
        }
        for cell in grid.cells() {
            let Some(samples) = grid.samples(cell, engine) else { continue };
            let alone = Factors { hogs: 0, hog_kind: None, ..cell.clone() };
            let alone = grid.samples(&alone, engine).filter(|_| cell.hogs > 0);
            rows.push(Row::Cells(row(cell, &named(engine, samples), samples, alone)));
        }
    }
    let mut lines = vec![String::new(), "FAIRNESS: victims in request-response beside hogs".into()];
    lines.extend(table::render(&COLUMNS, &rows));
    lines.extend([
        String::new(),
        "Medians; latency of merged histograms. Everything but the last column is of the victims. Of without: replies \
         as a part"
            .into(),
        "of those of the same engine without hogs. Min/max: the victim that got least by the one that got most.".into(),
    ]);
    lines
}

fn row(cell: &Factors, engine: &str, samples: &Samples, alone: Option<&Samples>) -> Vec<String> {
    let quantile = |share| or_dash(samples.latency.as_ref().map(|all| all.quantile(share).0 as f64), span);
    let rate = |samples: &Samples| samples.median(|point| Some(point.summary.messages_per_s));
    let of_alone = rate(samples).zip(alone.and_then(rate)).map(|(with, without)| with / without);
    let spread = samples.median(|point| point.summary.connection_received_bytes.as_ref()?.min_max_ratio);
    let hogs = cell.hog_kind.map_or_else(|| "none".into(), |kind| format!("{} {kind}", cell.hogs));
    vec![
        engine.to_owned(),
        hogs,
        cell.connections.to_string(),
        bytes(cell.payload_bytes),
        or_dash(rate(samples), decimal),
        or_dash(of_alone, |ratio| format!("{ratio:.2}")),
        quantile(0.5),
        quantile(0.99),
        or_dash(samples.worst_jain(), |jain| format!("{jain:.3}")),
        or_dash(spread, |ratio| format!("{ratio:.2}")),
        or_dash(samples.median(|point| Some(point.hog_bytes_per_s? / 1e6)), three_digits),
    ]
}
