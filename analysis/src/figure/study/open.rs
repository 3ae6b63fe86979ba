//! Cells that offered load tells apart: latency over it.

use experiments::report::format as number;
use experiments::spec::factors::Factors;
use uring_echo::record::{Latency, OpenLoop};
use uring_echo::units::Nanos;

use crate::chart::Sheet;
use crate::figure::curves::{self, CellCurves, Curve, Since, latency_load};
use crate::figure::input::{About, distinct, say, suffix, title};
use crate::recording::{Cell, Recording};
use crate::statistics;
use crate::values::{CellValues, GridValues};

use super::{cells, distributions};

/// Whether `cell` offers load at a rate of its own.
pub(super) fn is_open(cell: &Factors) -> bool {
    cell.load.is_some() || cell.rate_per_s.is_some()
}

/// The open cells of each place of the grid, by rising load.
fn places(grid: &GridValues) -> Vec<(Factors, Vec<&CellValues>)> {
    let open: Vec<&CellValues> = grid.rows().filter(|row| is_open(&row.cell.factors)).collect();
    let of = |at: Factors| {
        let own = open.iter().copied().filter(|row| cells::at(&row.cell) == at).collect();
        (at, own)
    };
    distinct(&open, |row| cells::at(&row.cell)).into_iter().map(of).collect()
}

pub(super) fn stem(what: &str, at: &Factors) -> String {
    let Factors { mode, payload_bytes, connections, in_flight_bytes, .. } = at;
    format!("{what}-{mode}-{payload_bytes}-{connections}{}", suffix(*in_flight_bytes))
}

/// Percentiles that are drawn over offered load.
const OVER_LOAD: [(&str, Percentile); 2] =
    [("p50", |latency| latency.p50_ns), ("p99", |latency| latency.p99_ns)];

/// Latency over offered load, a figure a place of the grid. Empty without open loops.
pub(super) fn loads(recording: &Recording, grid: &GridValues, about: &About) -> Vec<(String, Sheet)> {
    let sheets = places(grid).into_iter().map(|(at, rows)| {
        let capacity = capacity_per_s(recording, grid, &rows);
        let offered = offered(recording, grid, &rows, capacity);
        let panels = OVER_LOAD.map(|(what, percentile)| {
            let of = |engine: &String| over_load(recording, &offered, engine, percentile);
            CellCurves { title: what.to_owned(), curves: grid.engines.iter().flat_map(of).collect() }
        });
        let title = format!("{}, {}: latency over offered load", title(at.workload()), say(&at));
        (stem("load", &at), latency_load(&title, &panels, capacity, about))
    });
    sheets.collect()
}

/// The rate that `row` offered; `None` where no run says so.
fn rate_per_s(recording: &Recording, grid: &GridValues, row: &CellValues) -> Option<f64> {
    let of = |engine: &String| open_loops(recording, &row.cell.key, engine);
    let rates = grid.engines.iter().flat_map(of).map(|open| open.rate_per_s as f64);
    statistics::median(&rates.collect::<Vec<f64>>())
}

/// The capacity of which the loads of `rows` are shares; `None` where they are none, or nothing was offered.
fn capacity_per_s(recording: &Recording, grid: &GridValues, rows: &[&CellValues]) -> Option<f64> {
    let of = |row: &&CellValues| Some(rate_per_s(recording, grid, row)? / f64::from(row.cell.factors.load?));
    statistics::median(&rows.iter().filter_map(of).collect::<Vec<f64>>())
}

/// `rows` with the rate that each offered or, where no run of it counts, was to offer; by rising rate.
fn offered<'a>(
    recording: &Recording,
    grid: &GridValues,
    rows: &[&'a CellValues],
    capacity_per_s: Option<f64>,
) -> Vec<(f64, &'a CellValues)> {
    let planned = |row: &CellValues| match row.cell.factors.rate_per_s {
        Some(rate) => Some(rate as f64),
        None => Some(f64::from(row.cell.factors.load?) * capacity_per_s?),
    };
    let of = |row: &&'a CellValues| {
        let rate = rate_per_s(recording, grid, row).or_else(|| planned(row))?;
        Some((rate, *row))
    };
    let mut offered: Vec<(f64, &CellValues)> = rows.iter().filter_map(of).collect();
    offered.sort_by(|one, other| one.0.total_cmp(&other.0));
    offered
}

type Percentile = fn(&Latency) -> Nanos;

type LatencyOf = fn(&OpenLoop) -> Option<&Latency>;

/// Where an open loop has its latency, for each instant from which it counts.
const SINCE: [(Since, LatencyOf); 2] = [
    (Since::IntendedStart, |open| open.corrected.as_ref()),
    (Since::ActualSend, |open| open.uncorrected.as_ref()),
];

fn over_load(
    recording: &Recording,
    offered: &[(f64, &CellValues)],
    engine: &str,
    percentile: Percentile,
) -> [Curve; 2] {
    SINCE.map(|(since, latency)| {
        let point = |(rate, row): &(f64, &CellValues)| {
            let runs = open_loops(recording, &row.cell.key, engine);
            let values = runs.iter().filter_map(|open| Some(percentile(latency(open)?).0 as f64));
            (*rate, cells::estimate(&statistics::Estimate::of(&values.collect::<Vec<f64>>())))
        };
        let points = offered.iter().map(point).collect();
        Curve { since: Some(since), ..Curve::new(engine, points) }
    })
}

/// What the runs of `engine` in the cell called `key` that count measured in open loop.
fn open_loops<'a>(recording: &'a Recording, key: &str, engine: &str) -> Vec<&'a OpenLoop> {
    let own = recording.counted_of(key, engine);
    own.filter_map(|run| run.record.as_ref()?.open_loop.as_ref()).collect()
}

/// Panels of a figure of tails: more are not looked at.
const LOADS_MAX: usize = 4;

/// Latency by percentile at a few of the offered loads, a figure a place of the grid. Empty without open loops.
pub(super) fn tails(recording: &Recording, grid: &GridValues, about: &About) -> Vec<(String, Sheet)> {
    let sheets = places(grid).into_iter().map(|(at, rows)| {
        let panel = |row: &CellValues| {
            let of = |engine: &String| tail(engine, &open_loops(recording, &row.cell.key, engine));
            CellCurves { title: load_in_words(&row.cell), curves: grid.engines.iter().flat_map(of).collect() }
        };
        let panels: Vec<CellCurves> = spread(&rows).into_iter().map(panel).collect();
        let title = format!("{}, {}: latency by percentile", title(at.workload()), say(&at));
        (stem("tails", &at), curves::tails(&title, &panels, about))
    });
    sheets.collect()
}

/// A few of `rows`, evenly spread, the first and the last among them.
fn spread<'a>(rows: &[&'a CellValues]) -> Vec<&'a CellValues> {
    let count = rows.len().min(LOADS_MAX);
    let last = rows.len().saturating_sub(1);
    (0..count).map(|index| rows[index * last / (count - 1).max(1)]).collect()
}

fn load_in_words(cell: &Cell) -> String {
    match (cell.factors.load, cell.factors.rate_per_s) {
        (Some(load), _) => format!("at {} of capacity", number::percent(f64::from(load))),
        (None, Some(rate)) => format!("at {} messages per second", number::thousands(rate as f64)),
        (None, None) => cell.key.clone(),
    }
}

fn tail(engine: &str, runs: &[&OpenLoop]) -> [Curve; 2] {
    SINCE.map(|(since, latency)| {
        let decoded = runs.iter().filter_map(|open| {
            let latency = latency(open)?;
            statistics::Latency::decode(&latency.histogram_v2_deflate_base64, latency.count).ok()
        });
        let merged = statistics::Latency::merged(&decoded.collect::<Vec<_>>());
        let points = merged.as_ref().map(distributions::by_percentile).unwrap_or_default();
        Curve { since: Some(since), ..Curve::new(engine, points) }
    })
}
