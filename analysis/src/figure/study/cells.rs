//! From the grid of a recording to estimates and ratios.

use uring_echo::record::Mode;

use crate::chart::{Cell as HeatCell, Estimate, Ratio};
use crate::figure::input::{At, Compared, Measured, Workload, distinct};
use crate::grid::{Comparison, Grid, Row};
use crate::metric::Metric;
use crate::recording::{Cell, Run};
use crate::statistics;

/// How clients behave in `mode`.
pub(super) fn workload(mode: Mode) -> Workload {
    match mode {
        Mode::Stream => Workload::Stream,
        Mode::ReqRes => Workload::ReqRes,
    }
}

/// The place of `cell`.
pub(super) fn at(cell: &Cell) -> At {
    At {
        workload: workload(cell.factors.mode),
        payload_bytes: cell.factors.payload_bytes as u64,
        connections: cell.factors.connections as u64,
    }
}

/// Whether `run` is of one of the two servers of `comparison`.
pub(super) fn is_one_of(run: &Run, comparison: &Comparison) -> bool {
    run.place.engine == comparison.of || run.place.engine == comparison.to
}

/// Whether payload and connections tell all cells apart, so that a grid of them shows each.
pub(super) fn is_plain(grid: &Grid) -> bool {
    let places: Vec<At> = grid.rows.iter().map(|row| at(&row.cell)).collect();
    distinct(&places, |at| *at).len() == places.len()
}

/// Whether `grid` compares io_uring with epoll more than once, so that figures have to say of which variants they are.
pub(super) fn has_variants(grid: &Grid) -> bool {
    grid.comparisons.iter().filter(|comparison| comparison.is_of_engines()).count() > 1
}

/// `metric` of every server in every cell.
pub(super) fn measured(grid: &Grid, metric: Metric) -> Vec<Measured> {
    let all = grid.rows.iter().flat_map(|row| {
        let planned = grid.engines.iter().filter_map(|engine| row.samples.get_key_value(engine));
        planned.map(|(engine, samples)| Measured {
            at: at(&row.cell),
            engine: engine.clone(),
            value: estimate(&statistics::Estimate::of(&samples.values(metric))),
        })
    });
    all.collect()
}

/// `comparison` of `metric` in every cell that plans both servers.
pub(super) fn compared(grid: &Grid, comparison: &Comparison, metric: Metric) -> Vec<Compared> {
    let plans_both = |row: &&Row| {
        [&comparison.of, &comparison.to].into_iter().all(|engine| row.samples.contains_key(engine))
    };
    let rows = grid.rows.iter().filter(plans_both);
    rows.map(|row| Compared { at: at(&row.cell), ratio: ratio(&row.ratios(comparison, metric)) }).collect()
}

/// The same estimate, as charts take it.
pub(super) fn estimate(of: &statistics::Estimate) -> Option<Estimate> {
    Estimate::new(of.median?, of.low.zip(of.high), count(of.n))
}

fn ratio(ratios: &[f64]) -> HeatCell {
    let of = statistics::Estimate::of(ratios);
    Ratio::new(of.median?, of.low.zip(of.high), count(of.n), "")
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
