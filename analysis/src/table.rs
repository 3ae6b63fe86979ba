//! The numbers of an experiment as CSV: a row a cell and server.

use polars::prelude::*;
use polars_io::SerWriter;
use polars_io::prelude::CsvWriter;

use crate::grid::Comparison;
use crate::metric;
use crate::statistics::Estimate;
use crate::values::{CellValues, EngineValues, GridValues, LatencyValues};

/// A percentile of a merged histogram.
type Merged = (&'static str, fn(&LatencyValues) -> u64);

/// Those that are in the table.
const MERGED: [Merged; 5] = [
    ("merged_p50_ns", |latency| latency.p50_ns),
    ("merged_p90_ns", |latency| latency.p90_ns),
    ("merged_p99_ns", |latency| latency.p99_ns),
    ("merged_p99_9_ns", |latency| latency.p99_9_ns),
    ("merged_max_ns", |latency| latency.max_ns),
];

/// The table of `values` as CSV.
pub(crate) fn csv(values: &GridValues) -> PolarsResult<Vec<u8>> {
    text(&mut frame(values)?)
}

/// `frame` as CSV.
pub(crate) fn text(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut text = Vec::new();
    CsvWriter::new(&mut text).n_threads(1).finish(frame)?;
    Ok(text)
}

/// The table of `values`.
pub(crate) fn frame(values: &GridValues) -> PolarsResult<DataFrame> {
    let rows: Vec<Row<'_>> = values
        .rows()
        .flat_map(|cell| {
            values.engines.iter().filter_map(move |name| Some((cell, cell.engines.get_key_value(name)?)))
        })
        .collect();
    let text = |name: &str, of: fn(&Row<'_>) -> String| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let count = |name: &str, of: &dyn Fn(&Row<'_>) -> Option<u64>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let mut columns = vec![
        text("cell", |(cell, _)| cell.cell.key.clone()),
        text("mode", |(cell, _)| cell.cell.factors.mode.to_string()),
        count("payload_bytes", &|(cell, _)| Some(cell.cell.factors.payload_bytes as u64)),
        count("connections", &|(cell, _)| Some(cell.cell.factors.connections as u64)),
        text("engine", |(_, (name, _))| (*name).clone()),
        count("runs", &|(_, (_, engine))| Some(engine.runs as u64)),
        count("flagged", &|(_, (_, engine))| Some(engine.flagged as u64)),
    ];
    // Older recordings have no such factor, and their tables stay what they were.
    if values.rows().any(|row| row.cell.factors.in_flight_bytes.is_some()) {
        let level = |cell: &CellValues| cell.cell.factors.in_flight_bytes.map(|level| level.to_string());
        let levels: Vec<Option<String>> = rows.iter().map(|(cell, _)| level(cell)).collect();
        columns.insert(4, Column::new("in_flight_bytes".into(), levels));
    }
    for (name, _) in metric::ALL {
        columns.extend(estimate(name, &rows, |(_, (_, engine))| engine.metrics.get(name)));
    }
    for (name, of) in MERGED {
        columns.push(count(name, &|(_, (_, engine))| engine.latency.as_ref().map(of)));
    }
    for comparison in values.comparisons() {
        for metric in metric::OF_RATIOS {
            let name = format!("{}_{metric}", comparison.name());
            columns.extend(estimate(&name, &rows, |row| ratio(row, &comparison, metric)));
        }
    }
    DataFrame::new(rows.len(), columns)
}

/// A cell and one of its servers.
type Row<'a> = (&'a CellValues, (&'a String, &'a EngineValues));

/// A ratio stands once, in the row of its numerator.
fn ratio<'a>(row: &Row<'a>, comparison: &Comparison, metric: &str) -> Option<&'a Estimate> {
    let (cell, (engine, _)) = row;
    let ratio = cell.ratio(comparison, metric).filter(|_| comparison.of == **engine);
    ratio.map(|ratio| &ratio.estimate)
}

/// Three columns: the median and the ends of its interval.
fn estimate<'a>(name: &str, rows: &[Row<'a>], of: impl Fn(&Row<'a>) -> Option<&'a Estimate>) -> [Column; 3] {
    let column = |suffix: &str, value: fn(&Estimate) -> Option<f64>| {
        let values: Vec<Option<f64>> = rows.iter().map(|row| value(of(row)?)).collect();
        Column::new(format!("{name}{suffix}").into(), values)
    };
    [column("", |of| of.median), column("_low", |of| of.low), column("_high", |of| of.high)]
}
