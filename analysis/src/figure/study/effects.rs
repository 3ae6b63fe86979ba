//! What one variant of a server changes against another, in all cells together.

use uring_echo::record::Mode;

use super::cells;
use crate::chart::{Better, Estimate, Sheet};
use crate::figure::features::{Effect, Quantity, forest};
use crate::figure::input::{About, MODES, say, title as mode_title};
use crate::grid::Comparison;
use crate::metric;
use crate::recording::Recording;
use crate::statistics::{Judge, Silence};
use crate::values::{CellValues, ExperimentValues, GridValues};

/// Cells of a workload that are shown one by one; of more, only their mean.
const CELLS_MAX: usize = 3;

/// Forest plots of cost and throughput. Empty where only one pair of servers is compared: its heat map says more.
pub(super) fn figures(
    recording: &Recording,
    values: &ExperimentValues,
    about: &About,
) -> Vec<(&'static str, Sheet)> {
    let grid = &values.grid;
    if grid.ratios.len() < 2 {
        return Vec::new();
    }
    let shown = [
        ("effects-cpu", "Server CPU time per message", metric::CPU, Better::Lower),
        ("effects-throughput", "Messages per second", metric::MESSAGES, Better::Higher),
    ];
    let sheets = shown.map(|(what, title, metric, better)| {
        let workloads: Vec<(String, Vec<Effect>)> = MODES
            .into_iter()
            .map(|mode| (mode_title(mode).to_owned(), effects(grid, mode, metric)))
            .filter(|(_, effects)| !effects.is_empty())
            .collect();
        let quantity = Quantity { title: title.to_owned(), better };
        (what, forest(&quantity, &workloads, noise(recording, values, metric), about))
    });
    sheets.into_iter().collect()
}

/// What the control of `recording` says of `metric`.
fn noise(recording: &Recording, values: &ExperimentValues, metric: &str) -> String {
    if is_of_the_same(recording) {
        return "Both sides of each ratio are the same server: what is seen here is noise.".to_owned();
    }
    let control = values.control.get(metric);
    let Some(effect) = control.and_then(|control| control.smallest_effect) else {
        return "Without a control, the smallest difference that may be claimed is unknown.".to_owned();
    };
    let effect = format!("The same server measured twice differs by up to {:.1} % here", effect * 100.0);
    match Judge::new(recording.manifest.size, control).smallest_effect() {
        Err(Silence::Quick) => format!("{effect}. A quick recording claims nothing."),
        _ => format!("{effect}: nothing smaller is claimed."),
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

fn effects(grid: &GridValues, mode: Mode, metric: &str) -> Vec<Effect> {
    let rows: Vec<&CellValues> = grid.rows().filter(|row| row.cell.factors.mode == mode).collect();
    let planned = |comparison: &&Comparison| {
        let has = |engine| rows.iter().any(|row| row.engines.contains_key(engine));
        has(&comparison.of) && has(&comparison.to)
    };
    let comparisons = grid.comparisons();
    let comparisons = comparisons.iter().filter(planned);
    comparisons.map(|comparison| effect(grid, &rows, comparison, (mode, metric))).collect()
}

fn effect(
    grid: &GridValues,
    rows: &[&CellValues],
    comparison: &Comparison,
    (mode, metric): (Mode, &str),
) -> Effect {
    let ratio = |row: &&CellValues| row.ratio(comparison, metric).map(|ratio| ratio.estimate.clone());
    let pairs: usize = rows.iter().filter_map(ratio).map(|ratio| ratio.n).sum();
    let mean = grid.mean(mode, comparison, metric);
    let estimate =
        mean.and_then(|mean| Estimate::new(mean.mean?, mean.low.zip(mean.high), cells::count(pairs)));
    let one_by_one =
        rows.iter().map(|row| (say(&row.cell.factors), ratio(row).as_ref().and_then(cells::estimate)));
    Effect {
        of: comparison.of.clone(),
        to: comparison.to.clone(),
        cells: if rows.len() > CELLS_MAX { Vec::new() } else { one_by_one.collect() },
        mean: estimate,
        cell_count: mean.map_or(0, |mean| mean.cells),
    }
}
