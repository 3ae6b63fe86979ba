//! What a message costs and a connection weighs as connections become many.

use experiments::spec::Table;

use super::cells;
use crate::chart::{Axis, Extent, Format, Sheet};
use crate::figure::curves::{CellCurves, Curve, scaling};
use crate::figure::input::{About, distinct, label_bytes, say, title};
use crate::metric;
use crate::recording::{Cell, Recording};
use crate::statistics;
use crate::values::{CellValues, GridValues};

/// A quantity that is drawn over connections.
struct Quantity {
    title: &'static str,
    axis: &'static str,
    format: Format,
    metric: &'static str,
    /// Whether it is the memory, a sum over the connections that is shown of one.
    is_shared: bool,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity {
        title: "CPU time",
        axis: "CPU time per message (log)",
        format: Format::Nanoseconds,
        metric: metric::CPU,
        is_shared: false,
    },
    Quantity {
        title: "System calls",
        axis: "system calls per message (log)",
        format: Format::Plain,
        metric: metric::SYSCALLS,
        is_shared: false,
    },
    Quantity {
        title: "Memory",
        axis: "resident memory ÷ connections (log)",
        format: Format::Bytes,
        metric: metric::MEMORY,
        is_shared: true,
    },
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
        if of.idle > 0 { format!("{stem}-{}", of.connections) } else { stem }
    }

    fn sheet(&self, recording: &Recording, grid: &GridValues, rows: &[&CellValues], about: &About) -> Sheet {
        let quantities: Vec<(Axis, CellCurves)> =
            QUANTITIES.iter().map(|quantity| self.curves(recording, grid, rows, quantity)).collect();
        let place = rows.first().map(|row| {
            let of = &row.cell.factors;
            let fixed = if of.idle > 0 { say(of) } else { label_bytes(of.payload_bytes) };
            format!("{}, {fixed}: ", title(of.mode))
        });
        let title = format!("{}{}", place.unwrap_or_default(), self.title);
        scaling(&title, self.label, &quantities, about)
    }

    fn curves(
        &self,
        recording: &Recording,
        grid: &GridValues,
        rows: &[&CellValues],
        quantity: &Quantity,
    ) -> (Axis, CellCurves) {
        let curve = |engine: &String| {
            let mut points: Vec<_> = rows
                .iter()
                .map(|row| {
                    let value = quantity.of(recording, row, engine);
                    ((self.count)(&row.cell) as f64, value)
                })
                .collect();
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
            Curve::new(engine, points)
        };
        let curves = grid.engines.iter().map(curve).collect();
        let axis = Axis::new(quantity.axis, Extent::Log, quantity.format);
        (axis, CellCurves { title: quantity.title.to_owned(), curves })
    }
}

impl Quantity {
    fn of(&self, recording: &Recording, row: &CellValues, engine: &str) -> Option<crate::chart::Estimate> {
        if !self.is_shared {
            return cells::estimate(row.engines.get(engine)?.metrics.get(self.metric)?);
        }
        let sockets = row.cell.factors.sockets() as f64;
        let own = recording.counted_of(&row.cell.key, engine);
        let values = own.filter_map(|run| Some(run.record.as_ref()?.server.rss_max_bytes? as f64 / sockets));
        cells::estimate(&statistics::Estimate::of(&values.collect::<Vec<_>>()))
    }
}
