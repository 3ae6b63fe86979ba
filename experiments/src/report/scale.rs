//! Cost and memory by number of connections.

use uring_echo::table::{self, Column, Row, left, right};

use super::columns::{named, or_dash};
use super::grid::{Grid, Samples};
use crate::report::format::{bytes, decimal, span, three_digits};
use crate::spec::factors::Factors;

const COLUMNS: [Column; 11] = [
    right("payload", ""),
    right("active", ""),
    right("idle", ""),
    left("engine", ""),
    right("messages", "1/s"),
    right("CPU", "ns/msg"),
    right("syscalls", "1/msg"),
    right("latency", "p99"),
    right("Jain", "worst"),
    right("memory", "MiB"),
    right("more", "B/conn"),
];

/// A row for each number of connections and engine.
pub(super) fn section(grid: &Grid) -> Vec<String> {
    let mut rows = Vec::new();
    for cell in grid.cells() {
        if !rows.is_empty() {
            rows.push(Row::Blank);
        }
        for engine in &grid.engines {
            if let Some(samples) = grid.samples(cell, engine) {
                let name = named(engine, samples);
                rows.push(Row::Cells(row(cell, &name, samples, growth(grid, cell, engine))));
            }
        }
    }
    let mut lines = vec![String::new(), "SCALE: cost and memory by number of connections".into()];
    lines.extend(table::render(&COLUMNS, &rows));
    lines.extend([
        String::new(),
        "Memory: most that the server's process had resident; what the kernel holds in sockets is not part of it. More: \
         what each"
            .into(),
        "connection adds to that, from the fewest connections of its kind on.".into(),
    ]);
    lines
}

fn row(cell: &Factors, engine: &str, samples: &Samples, growth: Option<f64>) -> Vec<String> {
    let p99 = samples.latency.as_ref().map(|all| all.quantile(0.99).0 as f64);
    let median = |value: fn(&super::grid::Point) -> Option<f64>| samples.median(value);
    vec![
        bytes(cell.payload_bytes),
        cell.connections.to_string(),
        cell.idle.to_string(),
        engine.to_owned(),
        or_dash(median(|point| Some(point.summary.messages_per_s)), decimal),
        or_dash(median(|point| point.summary.cpu_ns_per_message), |ns| format!("{ns:.0}")),
        or_dash(samples.syscalls_per_message(), |count| format!("{count:.3}")),
        or_dash(p99, span),
        or_dash(samples.worst_jain(), |jain| format!("{jain:.3}")),
        or_dash(memory(samples).map(|bytes| bytes / f64::from(1 << 20)), three_digits),
        or_dash(growth, |bytes| format!("{bytes:.0}")),
    ]
}

fn memory(samples: &Samples) -> Option<f64> {
    samples.median(|point| point.rss_max_bytes.map(|bytes| bytes as f64))
}

/// Bytes that a connection adds: the difference to the smallest cell that differs in their number alone.
fn growth(grid: &Grid, cell: &Factors, engine: &str) -> Option<f64> {
    let is_kin = |other: &&Factors| {
        (other.idle > 0) == (cell.idle > 0)
            && Factors { connections: cell.connections, idle: cell.idle, ..(*other).clone() } == *cell
    };
    let smallest = grid.cells().filter(is_kin).min_by_key(|other| other.sockets())?;
    let more = cell.sockets().checked_sub(smallest.sockets()).filter(|&more| more > 0)?;
    let memory = |cell| grid.samples(cell, engine).and_then(memory);
    Some((memory(cell)? - memory(smallest)?) / more as f64)
}
