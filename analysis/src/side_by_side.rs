//! Many servers beside one: what each costs against it and how evenly it serves, a row a server.

use experiments::spec::workload::Workload;

use crate::figure::input::reader_name;
use crate::grid::Comparison;
use crate::headline::with_interval;
use crate::markdown::{self, Head};
use crate::metric;
use crate::statistics::Mean;
use crate::values::{ExperimentValues, GridValues, LeastJain, Values};

/// Programs that are compared with one, from which on they are shown a row each.
const PROGRAMS_MIN: usize = 3;

/// A server beside the one that all are compared with.
pub(crate) struct Beside<'a> {
    pub(crate) comparison: &'a Comparison,
    pub(crate) workload: Workload,
    /// CPU time per message, divided by that of the other.
    pub(crate) cpu: &'a Mean,
    /// `None` where nothing was measured.
    pub(crate) least_jain: Option<&'a LeastJain>,
}

/// The comparisons of `grid`, if they are of many programs, all with the same server; none otherwise.
pub(crate) fn comparisons(grid: &GridValues) -> Vec<Comparison> {
    let all = grid.comparisons();
    let mut programs: Vec<&str> = all.iter().map(|of| grid.servers.program(&of.of)).collect();
    programs.sort_unstable();
    programs.dedup();
    let is_one_base = all.windows(2).all(|pair| pair[0].to == pair[1].to);
    if is_one_base && programs.len() >= PROGRAMS_MIN { all.clone() } else { Vec::new() }
}

/// What there is to say of `comparisons` in `workload`.
pub(crate) fn rows<'a>(
    grid: &'a GridValues,
    comparisons: &'a [Comparison],
    workload: Workload,
) -> Vec<Beside<'a>> {
    let least = grid.least_jain.get(&workload.to_string());
    let row = |comparison: &'a Comparison| {
        let cpu = grid.mean(workload, comparison, metric::CPU)?;
        let least_jain = least.and_then(|least| least.get(&comparison.of));
        Some(Beside { comparison, workload, cpu, least_jain })
    };
    comparisons.iter().filter_map(row).collect()
}

/// The tables of `values` as Markdown: one for each experiment with many servers.
pub(crate) fn tables(values: &Values) -> String {
    let tables = values.experiments.values().filter_map(table);
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() {
        "No recording puts many servers beside one.\n".to_owned()
    } else {
        tables.join("\n")
    }
}

fn table(experiment: &ExperimentValues) -> Option<String> {
    let grid = &experiment.grid;
    let comparisons = comparisons(grid);
    let base = reader_name(&comparisons.first()?.to);
    let workloads = grid.workloads();
    let of_workload: Vec<Vec<Beside<'_>>> =
        workloads.iter().map(|&workload| rows(grid, &comparisons, workload)).collect();
    let row = |comparison: &Comparison| {
        let own = || of_workload.iter().map(|rows| rows.iter().find(|row| row.comparison == comparison));
        let costs = own().map(|row| row.map_or_else(|| "–".to_owned(), |row| with_interval(row.cpu)));
        let least = own().flatten().filter_map(|row| row.least_jain?.median).min_by(f64::total_cmp);
        let least = least.map_or_else(|| "–".to_owned(), |jain| format!("{jain:.2}"));
        std::iter::once(reader_name(&comparison.of)).chain(costs).chain([least]).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = comparisons.iter().map(row).collect();
    let costs = workloads.iter().map(|workload| Head::numbers(workload.in_words()));
    let heads: Vec<Head> = std::iter::once(Head::words(format!("CPU per message ÷ {base}")))
        .chain(costs)
        .chain([Head::numbers("least Jain")])
        .collect();
    Some(markdown::table(&heads, &rows))
}
