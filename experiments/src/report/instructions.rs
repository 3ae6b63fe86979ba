//! Counts of instructions: what a message costs in all, what the server has of it, and how far the counts of repetitions lie apart.

use uring_echo::table::{self, Column, Row, left, right};

use super::columns::{heading, named, or_dash};
use super::grid::{Comparison, Grid, Samples};
use super::metric::Metric;
use crate::report::format::{bytes, grouped};
use crate::spec::factors::Factors;
use crate::spec::workload::Workload;
use crate::verdict::statistics::median;

const COLUMNS: [Column; 8] = [
    right("payload", ""),
    right("conns", ""),
    left("engine", ""),
    right("instructions", "a message"),
    right("spread", "%"),
    right("the server's", "own"),
    right("syscalls", "1/msg"),
    right("÷", "compared"),
];

/// A table for each workload, and how to read them.
pub(super) fn section(grid: &Grid) -> Vec<String> {
    let mut lines = Vec::new();
    for workload in grid.workloads() {
        lines.push(String::new());
        lines.push(heading(workload));
        lines.extend(table::render(&COLUMNS, &rows(grid, workload)));
    }
    lines.extend([
        String::new(),
        "Instructions of the whole system: client, server and kernel, medians of the repetitions. Spread: from the least to the most"
            .into(),
        "of them. The server's own: executed while its process ran, the kernel's work for it and for whom it interrupted included."
            .into(),
        "An instruction is no unit of time: a system call is few of them and takes long.".into(),
    ]);
    lines
}

fn rows(grid: &Grid, workload: Workload) -> Vec<Row> {
    let mut rows = Vec::new();
    for cell in grid.cells_of(workload) {
        for engine in &grid.engines {
            let Some(samples) = grid.samples(cell, engine) else { continue };
            let compared = grid.comparisons.iter().find(|comparison| comparison.of == *engine);
            rows.push(Row::Cells(row(grid, cell, (engine, samples), compared)));
        }
    }
    rows
}

fn row(
    grid: &Grid,
    cell: &Factors,
    (engine, samples): (&str, &Samples),
    compared: Option<&Comparison>,
) -> Vec<String> {
    let ratio = compared.and_then(|of| grid.ratio(cell, of, Metric::CpuPerMessage));
    let ratio = ratio.and_then(|ratio| ratio.estimate.median);
    let own = samples.median(|point| point.server_ns_per_message);
    vec![
        bytes(cell.payload_bytes),
        cell.connections.to_string(),
        named(engine, samples),
        or_dash(instructions(samples), grouped),
        or_dash(spread(samples), |share| format!("{:.2}", share * 100.0)),
        or_dash(own, grouped),
        or_dash(samples.syscalls_per_message(), |count| format!("{count:.3}")),
        or_dash(ratio, |ratio| format!("{ratio:.3}")),
    ]
}

fn counts(samples: &Samples) -> Vec<f64> {
    samples.series(|point| point.summary.cpu_ns_per_message).into_iter().flatten().collect()
}

/// Instructions a message: the median.
pub(super) fn instructions(samples: &Samples) -> Option<f64> {
    median(&counts(samples))
}

/// From the least to the most, as a share of the median; `None` of a single count.
pub(super) fn spread(samples: &Samples) -> Option<f64> {
    let counts = counts(samples);
    let (least, most) = counts.iter().fold((f64::MAX, f64::MIN), |(l, m), c| (l.min(*c), m.max(*c)));
    (counts.len() > 1).then_some((most - least) / median(&counts)?)
}
