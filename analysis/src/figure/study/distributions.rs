//! What one number cannot tell: distributions of a few cells.

use experiments::spec::workload::Workload;
use uring_echo::record::RunRecord;

use super::cells::planned;
use crate::chart::Estimate;
use crate::figure::curves::{CellCurves, Curve, Shares, point};
use crate::figure::input::{distinct, say};
use crate::recording::{Recording, Run};
use crate::statistics::{Latency, median};
use crate::values::{CellValues, GridValues};

/// Cells of a figure of distributions: more panels are not looked at.
const CELLS_MAX: usize = 4;

/// Keys of the cells of `workload` whose distributions are shown: smallest and largest messages, over few and many
/// connections. A single connection shows nothing of fairness and is passed over where there are others.
pub(super) fn telling(grid: &GridValues, workload: Workload) -> Vec<String> {
    let rows: Vec<_> = grid.rows_of(workload).collect();
    let ends = |values: Vec<usize>| -> Vec<usize> {
        let several: Vec<usize> = values.iter().copied().filter(|value| *value > 1).collect();
        let from = if several.is_empty() { values } else { several };
        from.first().into_iter().chain(from.last()).copied().collect()
    };
    let payloads = ends(distinct(&rows, |row| row.cell.factors.payload_bytes));
    let connections = ends(distinct(&rows, |row| row.cell.factors.connections));
    let is_telling = |row: &&&CellValues| {
        payloads.contains(&row.cell.factors.payload_bytes)
            && connections.contains(&row.cell.factors.connections)
    };
    rows.iter().filter(is_telling).take(CELLS_MAX).map(|row| row.cell.key.clone()).collect()
}

/// Shares at which a distribution of `count` values is read: ten a nine, and none beyond the last value but nine.
fn shares_of(count: u64) -> Vec<f64> {
    let nines = (count as f64 / 10.0).log10().max(1.0);
    let steps = (nines.min(6.0) * 10.0).floor() as i32;
    (0..=steps).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 10.0)).collect()
}

/// The curve of `latency`: shares and nanoseconds.
pub(super) fn by_percentile(latency: &Latency) -> Vec<(f64, Option<Estimate>)> {
    let shares = shares_of(latency.count()).into_iter();
    shares.map(|share| point(share, latency.quantile_ns(share) as f64)).collect()
}

/// Latency by percentile in the cells called `keys`. Empty where none was recorded.
pub(super) fn latency(recording: &Recording, grid: &GridValues, keys: &[String]) -> Vec<CellCurves> {
    let cells = rows(grid, keys).map(|row| {
        let curves = planned(grid, row).map(|(engine, _)| {
            let own = recording.counted_of(&row.cell.key, engine);
            let latency = Latency::merged(own.filter_map(|run| run.latency.as_ref()));
            let points = latency.as_ref().map(by_percentile).unwrap_or_default();
            Curve::new(engine, points)
        });
        CellCurves { title: say(&row.cell.factors), curves: curves.collect() }
    });
    cells.filter(|cell| cell.curves.iter().any(|curve| !curve.points.is_empty())).collect()
}

/// The runs of `recording` that count, with their records, in the cell called `key`.
fn runs<'a>(recording: &'a Recording, key: &str) -> Vec<(&'a Run, &'a RunRecord)> {
    let counted = recording.counted().filter(|run| run.entry.cell == key);
    counted.filter_map(|run| Some((run, run.record.as_ref()?))).collect()
}

/// What each connection got of its run's fair share, in the cells called `keys` that have several connections and
/// a run that counts. Servers are in the order of the grid, so that each has one colour in all panels.
pub(super) fn shares(
    recording: &Recording,
    grid: &GridValues,
    keys: &[String],
) -> Vec<(String, Vec<Shares>)> {
    let mut cells = Vec::new();
    for row in rows(grid, keys).filter(|row| row.cell.factors.connections > 1) {
        let runs = runs(recording, &row.cell.key);
        let shares = planned(grid, row).map(|(engine, _)| shares_of_engine(&runs, engine));
        cells.push((say(&row.cell.factors), shares.collect::<Vec<Shares>>()));
    }
    cells.retain(|(_, shares)| shares.iter().any(|shares| !shares.received.is_empty()));
    cells
}

/// The rows of `grid` called `keys`.
fn rows<'a>(grid: &'a GridValues, keys: &'a [String]) -> impl Iterator<Item = &'a CellValues> {
    grid.rows().filter(|row| keys.contains(&row.cell.key))
}

fn shares_of_engine(runs: &[(&Run, &RunRecord)], engine: &str) -> Shares {
    let own: Vec<&RunRecord> =
        runs.iter().filter(|(run, _)| run.entry.engine == engine).map(|(_, record)| *record).collect();
    let received = own.iter().flat_map(|record| fair_shares(&record.connections.received_bytes)).collect();
    let indices: Vec<f64> = own.iter().filter_map(|record| record.summary.as_ref()?.jain).collect();
    Shares { engine: engine.to_owned(), received, jain: median(&indices) }
}

/// Each of `received` over their mean.
fn fair_shares(received: &[u64]) -> Vec<f64> {
    let mean = received.iter().sum::<u64>() as f64 / received.len() as f64;
    received.iter().map(|bytes| *bytes as f64 / mean).filter(|share| share.is_finite()).collect()
}

/// The first run that counts of each server, second by second, in the cells called `keys`.
pub(super) fn seconds(recording: &Recording, grid: &GridValues, keys: &[String]) -> Vec<CellCurves> {
    let mut cells = Vec::new();
    for row in rows(grid, keys) {
        let mut runs = runs(recording, &row.cell.key);
        runs.sort_by_key(|(run, _)| run.entry.repetition);
        let curves = planned(grid, row).map(|(engine, _)| {
            let first = runs.iter().find(|(run, _)| run.entry.engine == *engine);
            let points = first.map(|(_, record)| rates(record)).unwrap_or_default();
            Curve::new(engine, points)
        });
        cells.push(CellCurves { title: say(&row.cell.factors), curves: curves.collect() });
    }
    cells.retain(|cell| cell.curves.iter().any(|curve| curve.points.len() > 1));
    cells
}

/// Messages per second in each step of the window.
fn rates(record: &RunRecord) -> Vec<(f64, Option<Estimate>)> {
    let ends: Vec<f64> = record.series.at_ns.iter().map(|at| at.0 as f64 / 1e9).collect();
    let begins = std::iter::once(0.0).chain(ends.iter().copied());
    let steps = begins.zip(&ends).zip(&record.series.messages);
    // A last step of a few milliseconds is no second, and its rate is noise.
    let whole = steps.filter(|((begin, end), _)| *end - begin > 0.5);
    whole.map(|((begin, end), messages)| point(*end, *messages as f64 / (end - begin))).collect()
}
