//! The values of each cell, and the means over cells.

use std::collections::BTreeMap;

use polars::prelude::PolarsResult;

use super::{CellValues, EngineValues, GridValues, Judges, Latencies, LeastJain, Means, memory};
use crate::grid::{Comparison, Grid, Values};
use crate::metric;
use crate::recording::Cell;
use crate::statistics::{Judge, Mean, Ratio};

/// The ratios of each comparison, by its name, in each cell, by its key.
type Ratios = BTreeMap<String, BTreeMap<String, Values>>;

impl GridValues {
    /// The values of `grid`. `judge` decides what may be said of a metric, `latency` has the percentiles of all runs of a
    /// server in a cell.
    pub(crate) fn of(grid: &Grid, judge: Judges<'_>, latency: Latencies<'_>) -> PolarsResult<Self> {
        let ratios = grid.comparisons.iter().map(|of| Ok((of.name(), grid.ratios(of)?)));
        let ratios: Ratios = ratios.collect::<PolarsResult<_>>()?;
        let cell = |cell: &Cell| {
            let of = |(name, cells): (&String, &BTreeMap<String, Values>)| {
                let judge = |metric| judge(cell.factors.in_flight_bytes, metric);
                let ratio = |metric| (metric, Ratio::of(values(cells, &cell.key, metric), &judge(metric)));
                (name.clone(), metric::OF_RATIOS.map(ratio).into())
            };
            let ratios = ratios.iter().map(of).collect();
            (cell.key.clone(), CellValues { cell: cell.clone(), engines: BTreeMap::new(), ratios })
        };
        let mut cells: BTreeMap<String, CellValues> = grid.cells.iter().map(cell).collect();
        for samples in grid.samples()? {
            let of_engine = EngineValues::of(&samples, latency(&samples.cell, &samples.engine));
            if let Some(cell) = cells.get_mut(&samples.cell) {
                cell.engines.insert(samples.engine, of_engine);
            }
        }
        memory::weigh_connections(&mut cells);
        let mut of_grid = Self {
            engines: grid.engines.clone(),
            servers: grid.servers.clone(),
            ratios: grid.comparisons.iter().map(Comparison::name).collect(),
            cell_order: grid.cells.iter().map(|cell| cell.key.clone()).collect(),
            cells,
            means: Means::new(),
            least_jain: BTreeMap::new(),
        };
        for workload in of_grid.workloads() {
            let rows: Vec<&CellValues> = of_grid.rows_of(workload).collect();
            let judge = |metric: &str| judge(workload.in_flight, metric);
            let means = ratios.iter().map(|(name, cells)| (name.clone(), means(cells, &rows, &judge)));
            let least = of_grid.engines.iter().map(|name| (name.clone(), LeastJain::of(&rows, name)));
            let (means, least) = (means.collect(), least.collect());
            of_grid.means.insert(workload.to_string(), means);
            of_grid.least_jain.insert(workload.to_string(), least);
        }
        Ok(of_grid)
    }
}

/// The ratios of `metric` in the cell called `key`; none where there is no pair.
fn values<'a>(cells: &'a BTreeMap<String, Values>, key: &str, metric: &str) -> &'a [f64] {
    cells.get(key).and_then(|values| values.get(metric)).map_or(&[], Vec::as_slice)
}

/// The means over `rows` of the ratios in `cells`, by metric.
fn means(
    cells: &BTreeMap<String, Values>,
    rows: &[&CellValues],
    judge: &dyn Fn(&str) -> Judge,
) -> BTreeMap<&'static str, Mean> {
    let mean = |metric| {
        let of_cells: Vec<_> = rows.iter().map(|row| values(cells, &row.cell.key, metric).to_vec()).collect();
        (metric, Mean::of(&of_cells, &judge(metric)))
    };
    metric::OF_RATIOS.map(mean).into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::grid::Samples;
    use experiments::spec::factors::Factors;

    /// A cell in which epoll measured `values` of one metric.
    pub(in crate::values) fn measured(factors: Factors, metric: &'static str, values: &[f64]) -> CellValues {
        let all =
            metric::ALL.map(|(name, _)| (name, if name == metric { values.to_vec() } else { Vec::new() }));
        let engine = "epoll".to_owned();
        let samples = Samples {
            cell: factors.key(),
            engine,
            planned: values.len(),
            runs: values.len(),
            flagged: 0,
            values: all.into(),
        };
        let engines = [(samples.engine.clone(), EngineValues::of(&samples, None))].into();
        CellValues { cell: Cell { key: factors.key(), factors }, engines, ratios: BTreeMap::new() }
    }
}
