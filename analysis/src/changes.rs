//! What each variant of a server changes against what it is a variant of, over the cells of a workload.

use experiments::spec::workload::Workload;
use polars::prelude::{Column, DataFrame, PolarsResult};

use crate::grid::Comparison;
use crate::metric;
use crate::statistics::Mean;
use crate::values::{CellValues, ExperimentValues};

/// One comparison in one workload, and what its numerator measured there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) workload: Workload,
    pub(crate) comparison: Comparison,
    /// CPU time per message, divided.
    pub(crate) cpu: Mean,
    /// Pairs of runs that `cpu` stands on.
    pub(crate) pairs: usize,
    /// The smallest difference from 1 that the recording may claim here; `None` without a control.
    pub(crate) smallest_effect: Option<f64>,
    /// System calls per message, mean of the cells' medians.
    pub(crate) syscalls_per_message: Option<f64>,
    /// Jain's index, the least of the cells' medians.
    pub(crate) jain: Option<f64>,
    /// Jain's index, the least of single runs.
    pub(crate) jain_of_run: Option<f64>,
    /// Most memory that the server had resident, the largest of the cells' medians.
    pub(crate) server_rss_max_bytes: Option<f64>,
}

/// Every comparison of `values` in every workload that has a pair of it, in the order of tables.
pub(crate) fn changes(values: &ExperimentValues) -> Vec<Change> {
    let (workloads, comparisons) = (values.grid.workloads(), values.grid.comparisons());
    let of = |workload| comparisons.iter().filter_map(move |of| change(values, workload, of));
    workloads.into_iter().flat_map(of).collect()
}

fn change(values: &ExperimentValues, workload: Workload, comparison: &Comparison) -> Option<Change> {
    let grid = &values.grid;
    let cpu = grid.mean(workload, comparison, metric::CPU)?.clone();
    let rows: Vec<&CellValues> = grid.rows_of(workload).collect();
    let pairs = rows.iter().filter_map(|row| Some(row.ratio(comparison, metric::CPU)?.estimate.n)).sum();
    let medians = |metric: &str| -> Vec<f64> {
        let own = rows.iter().filter_map(|row| row.engines.get(&comparison.of));
        own.filter_map(|engine| engine.median(metric)).collect()
    };
    let calls = medians(metric::SYSCALLS);
    let jain = grid.least_jain.get(&workload.to_string()).and_then(|engines| engines.get(&comparison.of));
    Some(Change {
        workload,
        comparison: comparison.clone(),
        cpu,
        pairs,
        smallest_effect: values
            .control(workload.in_flight, metric::CPU)
            .and_then(|control| control.smallest_effect),
        syscalls_per_message: (!calls.is_empty()).then(|| calls.iter().sum::<f64>() / calls.len() as f64),
        jain: jain.and_then(|jain| jain.median),
        jain_of_run: jain.and_then(|jain| jain.run),
        server_rss_max_bytes: medians(metric::MEMORY).into_iter().max_by(f64::total_cmp),
    })
}

/// `changes` as a table, a row each. Changes of CPU time are shares: 0.1 is a tenth more.
pub(crate) fn frame(changes: &[Change]) -> PolarsResult<DataFrame> {
    let text = |name: &str, of: fn(&Change) -> String| {
        Column::new(name.into(), changes.iter().map(of).collect::<Vec<_>>())
    };
    let count = |name: &str, of: fn(&Change) -> usize| {
        Column::new(name.into(), changes.iter().map(|change| of(change) as u64).collect::<Vec<_>>())
    };
    let number = |name: &str, of: fn(&Change) -> Option<f64>| {
        Column::new(name.into(), changes.iter().map(of).collect::<Vec<_>>())
    };
    let columns = vec![
        text("workload", |of| of.workload.to_string()),
        text("engine", |of| of.comparison.of.clone()),
        text("against", |of| of.comparison.to.clone()),
        count("cells", |of| of.cpu.cells),
        count("pairs", |of| of.pairs),
        number("cpu_change_share", |of| Some(of.cpu.mean? - 1.0)),
        number("cpu_change_share_low", |of| Some(of.cpu.low? - 1.0)),
        number("cpu_change_share_high", |of| Some(of.cpu.high? - 1.0)),
        text("verdict", |of| of.cpu.verdict.to_string()),
        number("smallest_effect_share", |of| of.smallest_effect),
        number(metric::SYSCALLS, |of| of.syscalls_per_message),
        number("jain_least_median", |of| of.jain),
        number("jain_least_run", |of| of.jain_of_run),
        number(metric::MEMORY, |of| of.server_rss_max_bytes),
    ];
    DataFrame::new(changes.len(), columns)
}
