//! Means over all cells of an experiment, in words and in tables.

use experiments::report::format as number;

use experiments::spec::workload::Workload;

use crate::figure::study::answer::ENGINES;
use crate::grid::Comparison;
use crate::metric;
use crate::report::model::Table;
use crate::statistics::Mean;
use crate::values::{ExperimentValues, GridValues};

/// Metrics of the headline tables, with their names and which direction io_uring wants.
const HEADLINES: [(&str, &str); 4] = [
    (metric::CPU, "server CPU time per message (less is better)"),
    (metric::MESSAGES, "messages per second (more is better)"),
    (metric::SYSCALLS, "server system calls per message (less is better)"),
    (metric::P99, "p99 latency (less is better)"),
];

/// The mean of `metric` over the cells of `workload`.
pub(super) fn mean<'a>(grid: &'a GridValues, workload: Workload, metric: &str) -> Option<&'a Mean> {
    grid.mean(workload, &Comparison::parse(ENGINES)?, metric)
}

/// The means of `values`, the recording of the experiment `name`; `None` if it has none.
pub(super) fn headline(name: &str, values: &ExperimentValues) -> Option<Table> {
    let heads = [
        "Workload",
        "io_uring ÷ epoll",
        "Geometric mean",
        "95 % interval",
        "Cells",
        "Least",
        "Most",
        "Verdict",
        "Less in",
        "More in",
    ];
    let row = |workload, (metric, words)| {
        Some(headline_row(workload, words, mean(&values.grid, workload, metric)?))
    };
    let rows = values.grid.workloads().into_iter().flat_map(|workload| HEADLINES.map(|of| row(workload, of)));
    let rows: Vec<Vec<String>> = rows.flatten().collect();
    (!rows.is_empty()).then(|| Table {
        caption: format!("{name}: ratios over all cells. The heat maps below show each cell."),
        heads: heads.map(str::to_owned).to_vec(),
        names: 2,
        rows,
    })
}

fn headline_row(workload: Workload, words: &str, mean: &Mean) -> Vec<String> {
    let say = |value: Option<f64>| value.map_or("–".to_owned(), number::ratio);
    let interval = match mean.low.zip(mean.high) {
        Some((low, high)) => format!("{} to {}", number::ratio(low), number::ratio(high)),
        None => "–".to_owned(),
    };
    let counts = [mean.verdict.to_string(), mean.less.to_string(), mean.more.to_string()];
    let numbers = [say(mean.mean), interval, mean.cells.to_string(), say(mean.least), say(mean.most)];
    [workload.in_words(), words.to_owned()].into_iter().chain(numbers).chain(counts).collect()
}
