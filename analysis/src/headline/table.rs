//! One row for each experiment, comparison of io_uring with epoll, and mode.

use uring_echo::record::Mode;

use crate::grid::Comparison;
use crate::metric::Metric;
use crate::statistics::Mean;
use crate::values::{ExperimentValues, GridValues, Values};

const COLUMNS: usize = 8;

/// Heads of the columns, and whether the column holds numbers.
const HEADS: [(&str, bool); COLUMNS] = [
    ("experiment", false),
    ("mode", false),
    ("cells", true),
    ("CPU per message, io_uring ÷ epoll", true),
    ("least–most cell", true),
    ("clearly below / above 1", true),
    ("messages per s, io_uring ÷ epoll", true),
    ("recorded", false),
];

type Row = [String; COLUMNS];

/// The headline numbers of `values` as Markdown: geometric means over the cells of a mode, with their 95 % intervals.
pub fn table(values: &Values) -> String {
    let rows: Vec<Row> =
        values.experiments.iter().flat_map(|(name, experiment)| rows(name, experiment)).collect();
    if rows.is_empty() {
        return "No recording compares io_uring with epoll.\n".to_owned();
    }
    render(&rows)
}

fn rows(name: &str, experiment: &ExperimentValues) -> Vec<Row> {
    let grid = &experiment.grid;
    let comparisons = grid.ratios.iter().filter_map(|ratio| Comparison::parse(ratio));
    let comparisons: Vec<Comparison> = comparisons.filter(Comparison::is_of_engines).collect();
    let mut rows = Vec::new();
    for comparison in &comparisons {
        let name = match comparisons.len() {
            1 => name.to_owned(),
            _ => format!("{name}: {}", comparison.name()),
        };
        for mode in [Mode::Stream, Mode::ReqRes] {
            let Some(cpu) = mean(grid, mode, comparison, Metric::CpuNsPerMessage) else { continue };
            let throughput = mean(grid, mode, comparison, Metric::MessagesPerS);
            rows.push([
                name.clone(),
                mode.to_string(),
                cpu.cells.to_string(),
                with_interval(cpu),
                least_to_most(cpu),
                format!("{} / {}", cpu.clearly_below_1, cpu.clearly_above_1),
                throughput.map_or_else(|| "–".to_owned(), with_interval),
                recorded(experiment, mode, comparison),
            ]);
        }
    }
    rows
}

/// The mean of `metric`; `None` where no cell has both servers.
fn mean<'a>(grid: &'a GridValues, mode: Mode, comparison: &Comparison, metric: Metric) -> Option<&'a Mean> {
    let mean = grid.means.get(&mode.to_string())?.get(&comparison.name())?.get(metric.name())?;
    (mean.cells > 0).then_some(mean)
}

fn with_interval(mean: &Mean) -> String {
    let Some(value) = mean.mean else { return "–".to_owned() };
    match mean.low.zip(mean.high) {
        Some((low, high)) => format!("{value:.2} ({low:.2}–{high:.2})"),
        None => format!("{value:.2}"),
    }
}

fn least_to_most(mean: &Mean) -> String {
    let ends = mean.least.zip(mean.most);
    ends.map_or_else(|| "–".to_owned(), |(least, most)| format!("{least:.2}–{most:.2}"))
}

/// Size, what was left out, and the runs of both servers that count; where some do not, also how many were planned.
fn recorded(experiment: &ExperimentValues, mode: Mode, comparison: &Comparison) -> String {
    let cells = experiment.grid.cells.values().filter(|cell| cell.cell.factors.mode == mode);
    let servers = cells.flat_map(|cell| {
        [&comparison.of, &comparison.to].into_iter().filter_map(|engine| cell.engines.get(engine))
    });
    let runs: Vec<usize> = servers.map(|server| server.runs).collect();
    let (counted, planned) = (runs.iter().sum::<usize>(), runs.len() * experiment.repetitions as usize);
    let runs = if counted == planned { counted.to_string() } else { format!("{counted} of {planned}") };
    let part =
        if experiment.filter.is_empty() { String::new() } else { format!(" only {},", experiment.filter) };
    format!("{},{part} {runs} runs", experiment.size)
}

fn render(rows: &[Row]) -> String {
    let heads = HEADS.map(|(head, _)| head.to_owned());
    let width = |column: usize| {
        let cells = rows.iter().chain([&heads]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &Row| {
        let cells = (0..COLUMNS).map(|column| match HEADS[column] {
            (_, true) => format!(" {:>width$} |", row[column], width = widths[column]),
            (_, false) => format!(" {:<width$} |", row[column], width = widths[column]),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rules = (0..COLUMNS).map(|column| {
        let dashes = "-".repeat(widths[column]);
        if HEADS[column].1 { format!(" {dashes}:|") } else { format!(" {dashes} |") }
    });
    let rule = format!("|{}\n", rules.collect::<String>());
    let body: String = rows.iter().map(line).collect();
    line(&heads) + &rule + &body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_to_the_right() {
        let row = |name: &str| -> Row { std::array::from_fn(|column| format!("{name}{column}")) };
        let text = render(&[row("a"), row("a longer name ÷ ")]);
        let lines: Vec<&str> = text.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width), "{text}");
        assert!(lines[1].starts_with("| ---") && lines[1].contains("-:|"), "{text}");
        assert!(lines[2].starts_with("| a0  ") && lines[2].contains("  a2 |"), "{text}");
    }

    #[test]
    fn a_mean_without_repetitions_has_no_interval_to_show() {
        let mean = crate::statistics::mean_of_ratios(&[vec![2.0], vec![0.5]]);
        assert_eq!((with_interval(&mean), least_to_most(&mean)), ("1.00".into(), "0.50–2.00".into()));
    }
}
