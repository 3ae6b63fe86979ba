//! Cells that more than payload and connections tell apart: offered load, hogs.

use uring_echo::record::Latency;

use crate::chart::{Estimate, Sheet};
use crate::figure::curves::{Load, latency_load};
use crate::figure::fairness::{self, Victims};
use crate::figure::input::{About, distinct};
use crate::grid::{Grid, Row};
use crate::metric::Metric;
use crate::recording::{Cell, Recording};
use crate::statistics;

use super::cells;

/// What the measured connections got beside each kind of hog, a figure a place of the grid. Empty without hogs.
pub(super) fn victims(grid: &Grid, about: &About) -> Vec<(String, Sheet)> {
    let mut sheets = Vec::new();
    for at in distinct(&grid.rows, |row| cells::at(&row.cell)) {
        let own = grid.rows.iter().filter(|row| cells::at(&row.cell) == at);
        let rows: Vec<&Row> = own.collect();
        if rows.iter().any(|row| row.cell.factors.hog_kind.is_some()) {
            let victims: Vec<Victims> = rows.iter().flat_map(|row| beside(grid, row)).collect();
            let mut sheet = fairness::victims(&victims, about);
            sheet.title = format!("{}, {}", sheet.title, at.say());
            let name = format!("victims-{}-{}-{}", at.workload.name(), at.payload_bytes, at.connections);
            sheets.push((name, sheet));
        }
    }
    sheets
}

fn beside(grid: &Grid, row: &Row) -> Vec<Victims> {
    let factors = &row.cell.factors;
    let hog_kind = match factors.hog_kind {
        Some(kind) => format!("{} {kind}", factors.hogs),
        None => "none".to_owned(),
    };
    let planned = grid.engines.iter().filter_map(|engine| row.samples.get_key_value(engine));
    let of = planned.map(|(engine, samples)| {
        let estimate = |metric| cells::estimate(&statistics::Estimate::of(&samples.values(metric)));
        Victims {
            engine: engine.clone(),
            hog_kind: hog_kind.clone(),
            p99_ns: estimate(Metric::P99Ns),
            replies_per_s: estimate(Metric::MessagesPerS),
        }
    });
    of.collect()
}

/// Whether `cell` offers load at a rate of its own.
pub(super) fn is_open(cell: &Cell) -> bool {
    cell.factors.load.is_some() || cell.factors.rate_per_s.is_some()
}

/// p99 over offered load, a figure a place of the grid. Empty without open loops.
pub(super) fn loads(recording: &Recording, grid: &Grid, about: &About) -> Vec<(String, Sheet)> {
    let open: Vec<&Row> = grid.rows.iter().filter(|row| is_open(&row.cell)).collect();
    let mut sheets = Vec::new();
    for at in distinct(&open, |row| cells::at(&row.cell)) {
        let rows: Vec<&Row> = open.iter().copied().filter(|row| cells::at(&row.cell) == at).collect();
        let loads: Vec<Load> = grid.engines.iter().map(|engine| load(recording, &rows, engine)).collect();
        let title = format!("{}, {}: latency over offered load", at.workload.title(), at.say());
        let name = format!("load-{}-{}-{}", at.workload.name(), at.payload_bytes, at.connections);
        sheets.push((name, latency_load(&title, "p99", &loads, None, about)));
    }
    sheets
}

/// What one run in open loop measured: offered rate, p99 from the intended start and from the actual send.
struct Open {
    rate_per_s: f64,
    corrected_ns: Option<f64>,
    uncorrected_ns: Option<f64>,
}

fn load(recording: &Recording, rows: &[&Row], engine: &str) -> Load {
    let mut points: Vec<_> =
        rows.iter().filter_map(|row| point(&open(recording, &row.cell.key, engine))).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    Load { engine: engine.to_owned(), points }
}

fn open(recording: &Recording, key: &str, engine: &str) -> Vec<Open> {
    let own = recording.counted().filter(|run| run.place.cell.key == key && run.place.engine == engine);
    let p99 = |latency: &Option<Latency>| latency.as_ref().map(|latency| latency.p99_ns.0 as f64);
    let open = own.filter_map(|run| run.record.as_ref()?.open_loop.as_ref()).map(|open| Open {
        rate_per_s: open.rate_per_s as f64,
        corrected_ns: p99(&open.corrected),
        uncorrected_ns: p99(&open.uncorrected),
    });
    open.collect()
}

/// The repetitions of one rate; `None` where no run says at which rate.
fn point(runs: &[Open]) -> Option<(f64, Option<Estimate>, Option<Estimate>)> {
    let of = |value: fn(&Open) -> Option<f64>| {
        cells::estimate(&statistics::Estimate::of(&runs.iter().filter_map(value).collect::<Vec<f64>>()))
    };
    let rates: Vec<f64> = runs.iter().map(|open| open.rate_per_s).collect();
    let rate = statistics::median(&rates)?;
    Some((rate, of(|open| open.corrected_ns), of(|open| open.uncorrected_ns)))
}
