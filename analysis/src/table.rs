//! The numbers of an experiment as CSV: a row a cell and server.

use polars::prelude::*;
use polars_io::SerWriter;
use polars_io::prelude::CsvWriter;

use crate::metric::Metric;
use crate::statistics::Estimate;
use crate::values::{CellValues, EngineValues, GridValues};

/// The table of `values` as CSV.
///
/// # Errors
/// When the data frame cannot be made or written.
pub fn csv(values: &GridValues) -> PolarsResult<Vec<u8>> {
    let mut frame = frame(values)?;
    let mut text = Vec::new();
    CsvWriter::new(&mut text).n_threads(1).finish(&mut frame)?;
    Ok(text)
}

/// The table of `values`.
///
/// # Errors
/// When the data frame cannot be made.
pub fn frame(values: &GridValues) -> PolarsResult<DataFrame> {
    let rows = rows(values);
    let mut columns = places(&rows);
    for metric in Metric::ALL {
        columns.extend(estimate(metric.name(), &rows, |row| row.engine.metrics.get(metric.name())));
    }
    for name in ["p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"] {
        let values: Vec<Option<u64>> = rows.iter().map(|row| row.merged(name)).collect();
        columns.push(Column::new(format!("merged_{name}").into(), values));
    }
    for ratio in &values.ratios {
        for metric in Metric::OF_RATIOS {
            columns.extend(estimate(&format!("{ratio}_{}", metric.name()), &rows, |row| {
                row.ratio(ratio, metric)
            }));
        }
    }
    DataFrame::new(rows.len(), columns)
}

struct Row<'a> {
    cell: &'a CellValues,
    name: &'a str,
    engine: &'a EngineValues,
}

impl Row<'_> {
    fn merged(&self, name: &str) -> Option<u64> {
        let latency = self.engine.latency?;
        Some(match name {
            "p50_ns" => latency.p50_ns,
            "p90_ns" => latency.p90_ns,
            "p99_ns" => latency.p99_ns,
            "p99_9_ns" => latency.p99_9_ns,
            _ => latency.max_ns,
        })
    }

    /// A ratio stands once, in the row of its numerator.
    fn ratio(&self, name: &str, metric: Metric) -> Option<&Estimate> {
        let (of, _) = name.split_once('/')?;
        if of == self.name { Some(&self.cell.ratios.get(name)?.get(metric.name())?.estimate) } else { None }
    }
}

fn rows(values: &GridValues) -> Vec<Row<'_>> {
    let cells = values.cell_order.iter().filter_map(|key| values.cells.get(key));
    let in_order = cells.flat_map(|cell| values.engines.iter().map(move |name| (cell, name)));
    in_order.filter_map(|(cell, name)| Some(Row { cell, name, engine: cell.engines.get(name)? })).collect()
}

fn places(rows: &[Row<'_>]) -> Vec<Column> {
    let text = |name: &str, of: &dyn Fn(&Row<'_>) -> String| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let count = |name: &str, of: &dyn Fn(&Row<'_>) -> usize| {
        Column::new(name.into(), rows.iter().map(|row| of(row) as u64).collect::<Vec<_>>())
    };
    vec![
        text("cell", &|row| row.cell.cell.key.clone()),
        text("mode", &|row| row.cell.cell.factors.mode.to_string()),
        count("payload_bytes", &|row| row.cell.cell.factors.payload_bytes),
        count("connections", &|row| row.cell.cell.factors.connections),
        text("engine", &|row| row.name.to_owned()),
        count("runs", &|row| row.engine.runs),
        count("flagged", &|row| row.engine.flagged),
    ]
}

/// Three columns: the median and the ends of its interval.
fn estimate<'a>(
    name: &str,
    rows: &'a [Row<'a>],
    of: impl Fn(&'a Row<'a>) -> Option<&'a Estimate>,
) -> [Column; 3] {
    let column = |suffix: &str, value: fn(&Estimate) -> Option<f64>| {
        let values: Vec<Option<f64>> = rows.iter().map(|row| value(of(row)?)).collect();
        Column::new(format!("{name}{suffix}").into(), values)
    };
    [column("", |of| of.median), column("_low", |of| of.low), column("_high", |of| of.high)]
}
