//! The headline numbers: what each experiment is about, io_uring against epoll in ours, a row for each comparison and workload of an experiment.

use experiments::spec::workload::Workload;

use crate::figure::input::reader_name;
use crate::grid::Comparison;
use crate::markdown::{self, Head};
use crate::metric;
use crate::statistics::{Mean, Word};
use crate::values::{ExperimentValues, Values};

/// What a comparison came to in one workload of an experiment: geometric means over the cells.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// The experiment.
    pub(crate) name: String,
    /// What is divided by what, as readers know them.
    pub(crate) compared: String,
    pub(crate) workload: Workload,
    /// Busy time of the server's core per message.
    pub(crate) cpu: &'a Mean,
    /// Messages per second; `None` where they were not compared.
    pub(crate) throughput: Option<&'a Mean>,
    /// Size of the experiment, what was left out, and the runs that count.
    pub(crate) recorded: String,
}

/// The rows of `experiment`, whose name is `name`: none where it compares a server with itself only, or
/// counts instructions.
pub(crate) fn rows<'a>(name: &str, experiment: &'a ExperimentValues) -> Vec<Row<'a>> {
    let grid = &experiment.grid;
    let comparisons = if experiment.clock.is_time() { grid.asked() } else { Vec::new() };
    let mut rows = Vec::new();
    for comparison in &comparisons {
        let compared = format!("{} ÷ {}", reader_name(&comparison.of), reader_name(&comparison.to));
        for workload in grid.workloads() {
            let Some(cpu) = grid.mean(workload, comparison, metric::CPU) else { continue };
            let throughput = grid.mean(workload, comparison, metric::MESSAGES);
            let recorded = recorded(experiment, workload, comparison);
            let (name, compared) = (name.to_owned(), compared.clone());
            rows.push(Row { name, compared, workload, cpu, throughput, recorded });
        }
    }
    rows
}

/// What may be said of the mean and of how many of its cells; of a recording that claims nothing, only that.
pub(crate) fn verdict(mean: &Mean) -> String {
    match mean.verdict {
        Word::NoClaim => Word::NoClaim.to_string(),
        word => format!("{word} (cells: {} less, {} more)", mean.less, mean.more),
    }
}

/// The mean with its 95 % interval.
pub(crate) fn with_interval(mean: &Mean) -> String {
    let Some(value) = mean.mean else { return "–".to_owned() };
    match mean.low.zip(mean.high) {
        Some((low, high)) => format!("{value:.2} ({low:.2}–{high:.2})"),
        None => format!("{value:.2}"),
    }
}

/// Size, what was left out, and the runs of both servers that count; where some do not, also how many were planned.
fn recorded(experiment: &ExperimentValues, workload: Workload, comparison: &Comparison) -> String {
    let servers = experiment.grid.rows_of(workload).flat_map(|cell| {
        [&comparison.of, &comparison.to].into_iter().filter_map(|engine| cell.engines.get(engine))
    });
    let (counted, planned) =
        servers.fold((0, 0), |(counted, planned), server| (counted + server.runs, planned + server.planned));
    let runs = if counted == planned { counted.to_string() } else { format!("{counted} of {planned}") };
    let part =
        if experiment.filter.is_empty() { String::new() } else { format!(" only {},", experiment.filter) };
    format!("{},{part} {runs} runs", experiment.size)
}

/// The headline numbers of `values` as Markdown: geometric means over the cells of a workload, with their 95 % intervals.
pub(crate) fn table(values: &Values) -> String {
    let rows: Vec<Vec<String>> = values
        .experiments
        .iter()
        .flat_map(|(name, experiment)| rows(name, experiment))
        .map(|row| cells(&row))
        .collect();
    if rows.is_empty() {
        return "No recording compares two servers.\n".to_owned();
    }
    let heads = [
        Head::words("experiment"),
        Head::words("compared"),
        Head::words("mode"),
        Head::numbers("cells"),
        Head::numbers("CPU per message"),
        Head::numbers("least–most cell"),
        Head::words("verdict"),
        Head::numbers("messages per s"),
        Head::words("recorded"),
    ];
    markdown::table(&heads, &rows)
}

fn cells(row: &Row<'_>) -> Vec<String> {
    let cpu = row.cpu;
    vec![
        row.name.clone(),
        row.compared.clone(),
        row.workload.in_words(),
        cpu.cells.to_string(),
        with_interval(cpu),
        least_to_most(cpu),
        verdict(cpu),
        row.throughput.map_or_else(|| "–".to_owned(), with_interval),
        row.recorded.clone(),
    ]
}

fn least_to_most(mean: &Mean) -> String {
    let ends = mean.least.zip(mean.most);
    ends.map_or_else(|| "–".to_owned(), |(least, most)| format!("{least:.2}–{most:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Judge, Silence};

    #[test]
    fn a_mean_without_repetitions_has_no_interval_to_show() {
        let mean = Mean::of(&[vec![2.0], vec![0.5]], &Judge::silent(Silence::NoControl));
        assert_eq!((with_interval(&mean), least_to_most(&mean)), ("1.00".into(), "0.50–2.00".into()));
    }
}
