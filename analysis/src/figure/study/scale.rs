//! What a message costs and a connection weighs as connections become many.

use experiments::spec::Table;

use super::cells;
use crate::chart::{Axis, Estimate, Extent, Format, Sheet};
use crate::figure::curves::{CellCurves, Curve, scaling};
use crate::figure::input::{About, distinct, label_bytes, say, suffix, title};
use crate::metric;
use crate::recording::{Cell, Recording};
use crate::statistics;
use crate::values::{CellValues, GridValues};

/// A quantity that is drawn over connections: its title, axis, format and metric.
type Quantity = (&'static str, &'static str, Format, &'static str);

/// Memory is a sum over the connections, and is shown of one.
const QUANTITIES: [Quantity; 3] = [
    ("CPU time", "CPU time per message (log)", Format::Nanoseconds, metric::CPU),
    ("System calls", "system calls per message (log)", Format::Plain, metric::SYSCALLS),
    ("Memory", "resident memory ÷ connections (log)", Format::Bytes, metric::MEMORY),
];

/// What becomes more from cell to cell.
struct Rising {
    stem: &'static str,
    label: &'static str,
    title: &'static str,
    count: fn(&Cell) -> usize,
    is_in: fn(&Cell) -> bool,
}

/// Name and picture of each figure, and the cells that are in it.
pub(super) type Scaled = (String, Sheet, Vec<String>);

/// Cost and memory over connections, all of them at work or all but a few silent. Empty unless `recording` is about
/// that: it says so itself, or has silent connections.
pub(super) fn figures(recording: &Recording, grid: &GridValues, about: &About) -> Vec<Scaled> {
    let has_idle = grid.rows().any(|row| row.cell.factors.idle > 0);
    if recording.manifest.table != Table::Scale && !has_idle {
        return Vec::new();
    }
    let all = [
        Rising {
            stem: "active",
            label: "connections, all at work",
            title: "all connections at work",
            count: |cell| cell.factors.connections,
            is_in: |cell| {
                cell.factors.idle == 0 && cell.factors.hogs == 0 && !super::open::is_open(&cell.factors)
            },
        },
        Rising {
            stem: "idle",
            label: "silent connections",
            title: "a few connections at work among silent ones",
            count: |cell| cell.factors.idle,
            is_in: |cell| cell.factors.idle > 0,
        },
    ];
    all.iter().flat_map(|rising| rising.figures(recording, grid, about)).collect()
}

impl Rising {
    /// A figure for each workload, payload and number of what does not rise.
    fn figures(&self, recording: &Recording, grid: &GridValues, about: &About) -> Vec<Scaled> {
        let rows: Vec<&CellValues> = grid.rows().filter(|row| (self.is_in)(&row.cell)).collect();
        let stems = distinct(&rows, |row| self.stem_of(&row.cell));
        let figure = |stem: String| {
            let own: Vec<&CellValues> =
                rows.iter().copied().filter(|row| self.stem_of(&row.cell) == stem).collect();
            let keys = own.iter().map(|row| row.cell.key.clone()).collect();
            (stem, self.sheet(recording, grid, &own, about), keys)
        };
        stems.into_iter().map(figure).collect()
    }

    fn stem_of(&self, cell: &Cell) -> String {
        let of = &cell.factors;
        let stem = format!("{}-{}-{}", self.stem, of.mode, of.payload_bytes);
        let stem = if of.idle > 0 { format!("{stem}-{}", of.connections) } else { stem };
        stem + &suffix(of.in_flight_bytes)
    }

    fn sheet(&self, recording: &Recording, grid: &GridValues, rows: &[&CellValues], about: &About) -> Sheet {
        let quantities: Vec<(Axis, CellCurves)> =
            QUANTITIES.into_iter().map(|quantity| self.curves(recording, grid, rows, quantity)).collect();
        let place = rows.first().map(|row| {
            let of = &row.cell.factors;
            let fixed = if of.idle > 0 { say(of) } else { label_bytes(of.payload_bytes) };
            format!("{}, {fixed}: ", title(of.workload()))
        });
        let title = format!("{}{}", place.unwrap_or_default(), self.title);
        scaling(&title, self.label, &quantities, about)
    }

    /// The axis and the curves of a quantity, the rows from the left as they rise.
    fn curves(
        &self,
        recording: &Recording,
        grid: &GridValues,
        rows: &[&CellValues],
        (title, label, format, metric): Quantity,
    ) -> (Axis, CellCurves) {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| (self.count)(&row.cell));
        let curve = |engine: &String| {
            let point =
                |row: &&CellValues| ((self.count)(&row.cell) as f64, value(recording, row, engine, metric));
            Curve::new(engine, rows.iter().map(point).collect())
        };
        let curves = grid.engines.iter().map(curve).collect();
        (Axis::new(label, Extent::Log, format), CellCurves { title: title.to_owned(), curves })
    }
}

/// `metric` of `engine` in the cell of `row`, the memory as that of a connection.
fn value(recording: &Recording, row: &CellValues, engine: &str, metric: &str) -> Option<Estimate> {
    if metric != metric::MEMORY {
        return cells::estimate(row.engines.get(engine)?.metrics.get(metric)?);
    }
    let sockets = row.cell.factors.sockets() as f64;
    let own = recording.counted_of(&row.cell.key, engine);
    let values = own.filter_map(|run| Some(run.record.as_ref()?.server.rss_max_bytes? as f64 / sockets));
    cells::estimate(&statistics::Estimate::of(&values.collect::<Vec<_>>()))
}
