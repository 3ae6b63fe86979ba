//! What one variant of a server changes against another, in all cells together.

use uring_echo::record::Mode;

use super::cells;
use crate::chart::{Better, Estimate, Sheet};
use crate::figure::features::{Effect, Quantity, forest};
use crate::figure::input::About;
use crate::grid::{Comparison, Grid, Row};
use crate::metric::Metric;
use crate::recording::Recording;
use crate::statistics;
use crate::values::control;

/// Cells of a workload that are shown one by one; of more, only their mean.
const CELLS_MAX: usize = 3;

/// Forest plots of cost and throughput. Empty where only one pair of servers is compared: its heat map says more.
pub(super) fn figures(recording: &Recording, grid: &Grid, about: &About) -> Vec<(&'static str, Sheet)> {
    if grid.comparisons.len() < 2 {
        return Vec::new();
    }
    let shown = [
        ("effects-cpu", "Server CPU time per message", Metric::CpuNsPerMessage, Better::Lower),
        ("effects-throughput", "Messages per second", Metric::MessagesPerS, Better::Higher),
    ];
    let sheets = shown.map(|(what, title, metric, better)| {
        let workloads: Vec<(String, Vec<Effect>)> = [Mode::Stream, Mode::ReqRes]
            .into_iter()
            .map(|mode| (cells::workload(mode).title().to_owned(), effects(grid, mode, metric)))
            .filter(|(_, effects)| !effects.is_empty())
            .collect();
        let quantity = Quantity { title: title.to_owned(), better };
        (what, forest(&quantity, &workloads, noise(recording, metric), about))
    });
    sheets.into_iter().collect()
}

/// What the control of `recording` says of `metric`.
fn noise(recording: &Recording, metric: Metric) -> String {
    if is_of_the_same(recording) {
        return "Both sides of each ratio are the same server: what is seen here is noise.".to_owned();
    }
    let control = control(recording);
    match control.get(metric.name()).and_then(|control| control.smallest_effect) {
        Some(effect) => format!(
            "The same server measured twice differs by up to {:.1} % here: nothing smaller is claimed.",
            effect * 100.0
        ),
        None => "Without a control, the smallest difference that may be claimed is unknown.".to_owned(),
    }
}

/// Whether `recording` compares servers with nothing but themselves, under another name.
fn is_of_the_same(recording: &Recording) -> bool {
    let manifest = &recording.manifest;
    let server = |name: &str| {
        let found = manifest.engines.iter().find(|engine| engine.name == name);
        found.map(|engine| (engine.engine, &engine.args))
    };
    let comparisons = manifest.ratios.iter().filter_map(|name| Comparison::parse(name));
    comparisons.map(|of| server(&of.of) == server(&of.to)).reduce(|all, same| all && same) == Some(true)
}

fn effects(grid: &Grid, mode: Mode, metric: Metric) -> Vec<Effect> {
    let rows: Vec<&Row> = grid.rows.iter().filter(|row| row.cell.factors.mode == mode).collect();
    let planned = |comparison: &&Comparison| {
        let has = |engine| rows.iter().any(|row| row.samples.contains_key(engine));
        has(&comparison.of) && has(&comparison.to)
    };
    let comparisons = grid.comparisons.iter().filter(planned);
    comparisons.map(|comparison| effect(&rows, comparison, metric)).collect()
}

fn effect(rows: &[&Row], comparison: &Comparison, metric: Metric) -> Effect {
    let ratios: Vec<Vec<f64>> = rows.iter().map(|row| row.ratios(comparison, metric)).collect();
    let pairs: usize = ratios.iter().map(Vec::len).sum();
    let mean = statistics::mean_of_ratios(&ratios);
    let estimate = mean.mean.and_then(|value| {
        Estimate::new(value, mean.low.zip(mean.high), u32::try_from(pairs).unwrap_or(u32::MAX))
    });
    let one_by_one = rows.iter().zip(&ratios).map(|(row, ratios)| {
        (cells::at(&row.cell).say(), cells::estimate(&statistics::Estimate::of(ratios)))
    });
    Effect {
        of: comparison.of.clone(),
        to: comparison.to.clone(),
        cells: if rows.len() > CELLS_MAX { Vec::new() } else { one_by_one.collect() },
        mean: estimate,
        cell_count: mean.cells,
    }
}
