//! From the values of a recording to estimates and ratios, as charts take them.

use experiments::spec::factors::Factors;

use crate::chart::{Cell as HeatCell, Estimate, Ratio};
use crate::figure::input::{Compared, Measured, distinct, place};
use crate::grid::Comparison;
use crate::recording::{Cell, Run};
use crate::statistics;
use crate::values::{CellValues, EngineValues, GridValues};

/// The place of `cell` in the grid.
pub(super) fn at(cell: &Cell) -> Factors {
    place(&cell.factors)
}

/// Whether `run` is of one of the two servers of `comparison`.
pub(super) fn is_one_of(run: &Run, comparison: &Comparison) -> bool {
    run.entry.engine == comparison.of || run.entry.engine == comparison.to
}

/// Whether workload, payload and connections tell all cells apart, so that a grid of them shows each.
pub(super) fn is_plain(grid: &GridValues) -> bool {
    let places: Vec<Factors> = grid.rows().map(|row| at(&row.cell)).collect();
    distinct(&places, Factors::clone).len() == places.len()
}

/// The servers that are planned in `row`, in the order of `grid`, with what each measured.
pub(super) fn planned<'a>(
    grid: &'a GridValues,
    row: &'a CellValues,
) -> impl Iterator<Item = (&'a String, &'a EngineValues)> {
    grid.engines.iter().filter_map(|engine| row.engines.get_key_value(engine))
}

/// `metric` of every server in every cell.
pub(super) fn measured(grid: &GridValues, metric: &str) -> Vec<Measured> {
    let all = grid.rows().flat_map(|row| {
        planned(grid, row).map(|(engine, values)| Measured {
            at: at(&row.cell),
            engine: engine.clone(),
            value: values.metrics.get(metric).and_then(estimate),
        })
    });
    all.collect()
}

/// Whether both servers of `comparison` are planned in `row`.
fn plans_both(row: &CellValues, comparison: &Comparison) -> bool {
    [&comparison.of, &comparison.to].into_iter().all(|engine| row.engines.contains_key(engine))
}

/// `comparison` of `metric` in every cell that plans both servers.
pub(super) fn compared(grid: &GridValues, comparison: &Comparison, metric: &str) -> Vec<Compared> {
    let rows = grid.rows().filter(|row| plans_both(row, comparison));
    let of = |row: &CellValues| row.ratio(comparison, metric).and_then(ratio);
    rows.map(|row| Compared { at: at(&row.cell), ratio: of(row) }).collect()
}

/// The same estimate, as charts take it.
pub(super) fn estimate(of: &statistics::Estimate) -> Option<Estimate> {
    Estimate::new(of.median?, of.low.zip(of.high), count(of.n))
}

fn ratio(of: &statistics::Ratio) -> HeatCell {
    Some(Ratio::new(estimate(&of.estimate)?, "")?.saying(of.verdict))
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
