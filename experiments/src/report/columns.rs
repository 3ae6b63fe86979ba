//! The columns of the table: one row for each engine of a cell, a summary row for each comparison.

use uring_echo::record::{Limit, Mode};
use uring_echo::table::{self, Column, Row, left, right};
use uring_echo::words::plural;

use super::grid::{Comparison, Grid, Samples};
use super::metric::Metric;
use crate::report::format::{bytes, decimal, span, three_digits};
use crate::spec::factors::Factors;
use crate::spec::workload::Workload;
use crate::verdict::{Mean, Ratio, Silence, Word};

const COLUMNS: [Column; 14] = [
    right("payload", ""),
    right("conns", ""),
    left("engine", ""),
    right("goodput", "MB/s"),
    right("messages", "1/s"),
    right("CPU", "ns/msg"),
    right("syscalls", "1/msg"),
    right("latency", "p50"),
    right("latency", "p99"),
    right("Jain", "worst"),
    left("limit", ""),
    left("ratio", "to"),
    left("CPU per message", "median (95 %)"),
    right("goodput", "median"),
];

/// Columns before those of the ratios.
const MEASURED_COUNT: usize = 11;

/// The table of `workload` under its heading.
pub(super) fn section(grid: &Grid, workload: Workload) -> Vec<String> {
    let mut rows = Vec::new();
    for (index, cell) in grid.cells_of(workload).enumerate() {
        if index > 0 {
            rows.push(Row::Blank);
        }
        rows.extend(cell_rows(grid, cell));
    }
    if !grid.comparisons.is_empty() {
        rows.push(Row::Rule);
        rows.extend(grid.comparisons.iter().map(|comparison| mean_row(grid, workload, comparison)));
    }
    let mut lines = vec![heading(workload)];
    lines.extend(table::render(&COLUMNS, &rows));
    lines
}

pub(super) fn heading(workload: Workload) -> String {
    let what = match workload.mode {
        Mode::Stream => "the client writes without waiting for echoes",
        Mode::ReqRes => "the client writes, waits for the echo, writes again",
    };
    let in_flight = workload.in_flight.map_or_else(String::new, |level| format!(", {}", level.in_words()));
    format!("{}{in_flight}: {what}", workload.mode.to_string().to_uppercase())
}

fn cell_rows(grid: &Grid, cell: &Factors) -> Vec<Row> {
    let mut rows = Vec::new();
    for engine in &grid.engines {
        let Some(samples) = grid.samples(cell, engine) else { continue };
        let mut measured = measured(cell, engine, samples);
        if !rows.is_empty() {
            // The cell is named once, on its first row.
            measured[0].clear();
            measured[1].clear();
        }
        let mut ratios: Vec<_> = grid
            .comparisons
            .iter()
            .filter(|comparison| comparison.of == *engine)
            .map(|comparison| ratio_cells(grid, cell, comparison))
            .collect();
        if ratios.is_empty() {
            ratios.push(Default::default());
        }
        for ratio in ratios {
            let cells = measured.iter_mut().map(std::mem::take).chain(ratio).collect();
            rows.push(Row::Cells(cells));
        }
    }
    rows
}

fn measured(cell: &Factors, engine: &str, samples: &Samples) -> Vec<String> {
    let quantile = |share| samples.latency.as_ref().map(|latency| latency.quantile(share).0 as f64);
    vec![
        // What is on its way stands in the heading.
        bytes(cell.payload_bytes) + &Factors { in_flight_bytes: None, ..cell.clone() }.further(),
        cell.connections.to_string(),
        named(engine, samples),
        or_dash(samples.median(|point| Some(point.summary.goodput_bytes_per_s / 1e6)), three_digits),
        or_dash(samples.median(|point| Some(point.summary.messages_per_s)), decimal),
        or_dash(samples.median(|point| point.summary.cpu_ns_per_message), |ns| format!("{ns:.0}")),
        or_dash(samples.syscalls_per_message(), |count| format!("{count:.3}")),
        or_dash(quantile(0.5), span),
        or_dash(quantile(0.99), span),
        or_dash(samples.worst_jain(), |jain| format!("{jain:.3}")),
        limit(samples).into(),
    ]
}

/// The engine, with how many repetitions it has if some are missing.
pub(super) fn named(engine: &str, samples: &Samples) -> String {
    match (samples.valid_count(), samples.planned_count()) {
        (valid, planned) if valid < planned => format!("{engine} ({valid}/{planned})"),
        _ => engine.to_owned(),
    }
}

pub(super) fn or_dash(value: Option<f64>, format: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "–".into(), format)
}

/// The end that was the limit, when all repetitions agree.
fn limit(samples: &Samples) -> &'static str {
    let mut limits = samples.limits();
    let Some(first) = limits.next() else { return "–" };
    if limits.any(|limit| limit != first) {
        return "varies";
    }
    match first {
        Limit::Server => "server",
        Limit::Client => "client",
        Limit::Both => "both",
        Limit::Neither => "neither",
    }
}

fn ratio_cells(grid: &Grid, cell: &Factors, comparison: &Comparison) -> [String; 3] {
    let ratio = |metric, format: fn(&Ratio) -> String| {
        grid.ratio(cell, comparison, metric).map_or_else(|| "–".into(), |ratio| format(&ratio))
    };
    [comparison.to.clone(), ratio(Metric::CpuPerMessage, spread), ratio(Metric::Goodput, middle)]
}

/// A ratio with its interval.
fn spread(ratio: &Ratio) -> String {
    with_interval(ratio.estimate.median, ratio.estimate.low.zip(ratio.estimate.high)) + sign(ratio.verdict)
}

/// A ratio without its interval.
fn middle(ratio: &Ratio) -> String {
    with_interval(ratio.estimate.median, None) + sign(ratio.verdict)
}

fn with_interval(middle: Option<f64>, interval: Option<(f64, f64)>) -> String {
    let interval = interval.map_or_else(String::new, |(low, high)| format!(" ({low:.2}..{high:.2})"));
    or_dash(middle, |middle| format!("{middle:.2}")) + &interval
}

/// What may be said of a ratio, as a sign; a blank in its place keeps the digits aligned.
pub(super) const fn sign(word: Word) -> &'static str {
    match word {
        Word::Less => " <",
        Word::More => " >",
        Word::NoDifference => " ≈",
        Word::NoClaim => "  ",
    }
}

fn mean_row(grid: &Grid, workload: Workload, comparison: &Comparison) -> Row {
    let mean = |metric, format: fn(&Mean) -> String| {
        grid.mean(workload, comparison, metric).map_or_else(|| "–".into(), |mean| format(&mean))
    };
    let spread = |mean: &Mean| with_interval(mean.mean, mean.low.zip(mean.high)) + sign(mean.verdict);
    let middle = |mean: &Mean| with_interval(mean.mean, None) + sign(mean.verdict);
    let label = format!("geometric mean of the cells: {} to {}", comparison.of, comparison.to);
    let mut cells = vec![String::new(); MEASURED_COUNT];
    cells.extend([comparison.to.clone(), mean(Metric::CpuPerMessage, spread), mean(Metric::Goodput, middle)]);
    Row::Labelled(label, cells)
}

/// What the columns mean.
pub(super) fn legend(grid: &Grid) -> Vec<String> {
    let mut lines = vec![
        format!(
            "Medians of {}; latency from their merged histograms. CPU: busy time of the server's core, \
             softirq included.",
            plural(grid.repetitions, "repetition")
        ),
        "Ratios: median of the ratios of the repetitions, each of two runs made right after each other, with its 95 % \
         interval. CPU".into(),
        "below 1 and goodput above 1 are better. Limit: the end whose core was at least 95 % busy.".into(),
        signs(grid),
    ];
    if grid.cells().any(|cell| grid.engines.iter().any(|engine| has_no_counters(grid, cell, engine))) {
        lines.push(
            "–: the server does not count its system calls, --count-syscalls does; or there is no valid run."
                .into(),
        );
    }
    lines
}

/// What stands behind a ratio.
fn signs(grid: &Grid) -> String {
    let mut effects = grid.in_flight().map(|of| grid.judge(of, Metric::CpuPerMessage).smallest_effect());
    let first = effects.next().unwrap_or(Err(Silence::NoControl));
    match effects.fold(first, Result::or) {
        Ok(_) => {
            "<, >: less or more, by the interval and by the A/A control of this recording; ≈: no difference; \
                  no sign: too few pairs to say."
                .into()
        }
        Err(why) => format!("No ratio is marked as less or more; {why}."),
    }
}

fn has_no_counters(grid: &Grid, cell: &Factors, engine: &str) -> bool {
    grid.samples(cell, engine).is_some_and(|samples| samples.syscalls_per_message().is_none())
}
