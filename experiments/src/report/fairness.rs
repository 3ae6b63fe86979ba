//! What the victims get beside each kind of hog: of what they get without any, and of what the default gives them there.

use std::collections::BTreeSet;

use uring_echo::table::{self, Column, Row, left, right};

use super::ablation::left_out;
use super::columns::{named, or_dash};
use super::grid::{Grid, Samples};
use super::metric::Metric;
use crate::recording::manifest::Manifest;
use crate::report::format::{decimal, span, three_digits};
use crate::spec::factors::Factors;

const COLUMNS: [Column; 13] = [
    left("engine", ""),
    left("hogs", ""),
    right("messages", "1/s"),
    right("messages", "of without"),
    right("messages", "of default"),
    right("latency", "p50"),
    right("latency", "p99"),
    right("Jain", "worst"),
    right("min/max", "median"),
    right("ENOBUFS", "1/s"),
    right("CPU", "ns/msg"),
    right("CPU", "of default"),
    right("hogs get", "MB/s"),
];

/// A table for each kind of victims, with a row for each engine and kind of hog.
pub(super) fn section(grid: &Grid, manifest: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    let victims: BTreeSet<Factors> = grid.cells().map(without_hogs).collect();
    for victims in victims {
        lines.extend([String::new(), format!("FAIRNESS: victims in {victims}, beside hogs")]);
        lines.extend(table::render(&COLUMNS, &rows(grid, &victims)));
    }
    lines.extend([
        String::new(),
        "Medians; latency of merged histograms. Messages, latency, Jain and min/max are of the victims. Of without: as a part of \
         those"
            .into(),
        "of the same engine without hogs. Of default: as a part of those of the engine that it is a variant of, run right before \
         or after."
            .into(),
        "Min/max: the victim that got least by the one that got most. ENOBUFS: receives that found no buffer. CPU: of a message, \
         those of"
            .into(),
        "the hogs counted too.".into(),
    ]);
    lines.extend(left_out(&manifest.left_out));
    lines
}

fn without_hogs(cell: &Factors) -> Factors {
    Factors { hogs: 0, hog_kind: None, ..cell.clone() }
}

fn rows(grid: &Grid, victims: &Factors) -> Vec<Row> {
    let mut rows = Vec::new();
    for engine in &grid.engines {
        if !rows.is_empty() {
            rows.push(Row::Blank);
        }
        for cell in grid.cells().filter(|cell| without_hogs(cell) == *victims) {
            if let Some(samples) = grid.samples(cell, engine) {
                rows.push(Row::Cells(row(grid, cell, engine, samples)));
            }
        }
    }
    rows
}

fn row(grid: &Grid, cell: &Factors, engine: &str, samples: &Samples) -> Vec<String> {
    let quantile = |share| or_dash(samples.latency.as_ref().map(|all| all.quantile(share).0 as f64), span);
    let rate = |samples: &Samples| samples.median(|point| Some(point.summary.messages_per_s));
    let alone = grid.samples(&without_hogs(cell), engine).filter(|_| cell.hogs > 0);
    let of_alone = rate(samples).zip(alone.and_then(rate)).map(|(with, without)| with / without);
    let spread = samples.median(|point| point.summary.connection_received_bytes.as_ref()?.min_max_ratio);
    let hogs = cell.hog_kind.map_or_else(|| "none".into(), |kind| format!("{} {kind}", cell.hogs));
    let cpu = samples.median(|point| point.summary.cpu_ns_per_byte).map(|ns| ns * cell.payload_bytes as f64);
    let ratio = |ratio: f64| format!("{ratio:.2}");
    vec![
        named(engine, samples),
        hogs,
        or_dash(rate(samples), decimal),
        or_dash(of_alone, ratio),
        or_dash(of_default(grid, cell, engine, Metric::Goodput), ratio),
        quantile(0.5),
        quantile(0.99),
        or_dash(samples.worst_jain(), |jain| format!("{jain:.3}")),
        or_dash(spread, ratio),
        or_dash(samples.median(|point| point.starved_per_s), decimal),
        or_dash(cpu, |ns| format!("{ns:.0}")),
        or_dash(of_default(grid, cell, engine, Metric::CpuPerByte), ratio),
        or_dash(samples.median(|point| Some(point.hog_bytes_per_s? / 1e6)), three_digits),
    ]
}

/// `metric` as a part of what the engine has that `engine` is a variant of; `None` where it is a variant of none.
fn of_default(grid: &Grid, cell: &Factors, engine: &str, metric: Metric) -> Option<f64> {
    let of = grid.variant_of.get(engine)?;
    let comparison = grid.comparisons.iter().find(|pair| pair.of == engine && pair.to == *of)?;
    grid.ratio(cell, comparison, metric)?.estimate.median
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::control::Controls;
    use crate::report::golden::{entry, recording, summary_of};
    use crate::report::grid::Point;
    use uring_echo::record::{HogKind, Mode};

    /// One run of each of two servers, alone and beside hogs: repetition, engine, hogs, messages a second, ENOBUFS a second.
    const RUNS: [(u32, &str, usize, f64, f64); 4] = [
        (1, "uring", 0, 1000.0, 0.0),
        (1, "uring-starved", 0, 900.0, 0.0),
        (1, "uring", 4, 500.0, 0.0),
        (1, "uring-starved", 4, 5.0, 2e6),
    ];

    #[test]
    fn victims_are_told_of_what_they_get_without_hogs_and_of_what_the_default_gives_them() {
        let (mut manifest, _) = recording();
        let cell = |hogs: usize| {
            let hog_kind = (hogs > 0).then_some(HogKind::Greedy);
            Factors { hogs, hog_kind, ..Factors::new(Mode::ReqRes, 256, 8) }
        };
        let of = |(repetition, engine, hogs, ..): (u32, &str, usize, f64, f64)| {
            let mut run = entry(1, repetition, engine, Mode::ReqRes);
            (run.cell, run.factors) = (cell(hogs).key(), cell(hogs));
            run
        };
        manifest.runs = RUNS.map(of).into();
        manifest.ratios = vec!["uring-starved/uring".into()];
        manifest.engines[2].name = "uring-starved".into();
        manifest.engines[2].variant_of = Some("uring".into());
        let mut grid = Grid::of(&manifest, &Controls::default());
        for (run, (.., messages, starved)) in manifest.runs.iter().zip(RUNS) {
            let summary = summary_of(messages, 100.0);
            grid.add(run, Point { starved_per_s: Some(starved), ..Point::from(summary) }, None);
        }
        let of = |engine: &str, hogs: usize| {
            let cell = cell(hogs);
            let row = row(&grid, &cell, engine, grid.samples(&cell, engine).unwrap());
            [&row[1..5], &row[9..10]].concat().join("|")
        };
        // Hogs; messages, of without, of default; ENOBUFS.
        assert_eq!(of("uring", 0), "none|1.00 k|–|–|0.00");
        assert_eq!(of("uring-starved", 0), "none|900|–|0.90|0.00");
        assert_eq!(of("uring", 4), "4 greedy|500|0.50|–|0.00");
        assert_eq!(of("uring-starved", 4), "4 greedy|5.00|0.01|0.01|2.00 M");
        let lines = section(&grid, &manifest);
        let heading = "FAIRNESS: victims in req-res 256 B x 8, beside hogs";
        assert_eq!(lines.iter().filter(|line| line.starts_with("FAIRNESS")).collect::<Vec<_>>(), [heading]);
    }
}
