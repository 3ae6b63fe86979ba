//! What one variant of a server changes against another, in all cells together: forest plots of ratios around 1.

use experiments::report::format as number;
use experiments::spec::Size;
use experiments::spec::in_flight::InFlight;
use experiments::spec::workload::Workload;

use super::cells;
use crate::chart::{
    Axis, Better, Body, Estimate, Extent, Format, Panel, Reference, Role, Row, RowMark, Rows, Sheet, Start,
};
use crate::figure::input::{About, distinct, reader_name, say, title};
use crate::grid::Comparison;
use crate::metric;
use crate::recording::Recording;
use crate::servers::Servers;
use crate::statistics::{Control, Judge, Silence};
use crate::values::{CellValues, ExperimentValues, GridValues};

/// One server variant over what it is held against.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    pub(crate) of: String,
    pub(crate) to: String,
    /// Each cell by its name; empty where there are too many to show one by one.
    pub(crate) cells: Vec<(String, Option<Estimate>)>,
    /// The geometric mean over all cells.
    pub(crate) mean: Option<Estimate>,
    pub(crate) cell_count: usize,
}

/// Cells of a workload that are shown one by one; of more, only their mean.
const CELLS_MAX: usize = 3;

/// Forest plots of cost and throughput. Empty where only one pair of servers is compared: its heat map says more.
pub(super) fn figures(
    recording: &Recording,
    values: &ExperimentValues,
    about: &About,
) -> Vec<(&'static str, Sheet)> {
    let grid = &values.grid;
    if grid.ratios.len() < 2 {
        return Vec::new();
    }
    let shown = [
        ("effects-cpu", "Server CPU time per message", metric::CPU, Better::Lower),
        ("effects-throughput", "Messages per second", metric::MESSAGES, Better::Higher),
    ];
    let sheets = shown.map(|(what, title, metric, better)| {
        let all = grid.workloads().into_iter().map(|of| (of, effects(grid, of, metric)));
        let all: Vec<_> = all.filter(|(_, effects)| !effects.is_empty()).collect();
        (what, forest((title, better), &all, noise(recording, values, metric), about))
    });
    sheets.into_iter().collect()
}

/// What the controls of `recording` say of `metric`: a sentence, and one more for each depth of queues.
fn noise(recording: &Recording, values: &ExperimentValues, metric: &str) -> Vec<String> {
    if is_of_the_same(recording) {
        return vec!["Both sides of each ratio are the same server: what is seen here is noise.".to_owned()];
    }
    let depths = distinct(&values.grid.workloads(), |of| of.in_flight).into_iter();
    depths.map(|of| noise_of(recording.manifest.size, of, values.control(of, metric))).collect()
}

fn noise_of(size: Size, in_flight: Option<InFlight>, control: Option<&Control>) -> String {
    let with = in_flight.map_or_else(String::new, |level| format!(", with {}", level.in_words()));
    let Some(effect) = control.and_then(|control| control.smallest_effect) else {
        return format!("Without a control{with}, the smallest difference that may be claimed is unknown.");
    };
    let effect =
        format!("The same server measured twice{with} differs by up to {:.1} % here", effect * 100.0);
    match Judge::new(size, control).smallest_effect() {
        Err(Silence::Quick) => format!("{effect}. A quick recording claims nothing."),
        _ => format!("{effect}: nothing smaller is claimed."),
    }
}

/// Whether `recording` compares servers with nothing but themselves, under another name.
fn is_of_the_same(recording: &Recording) -> bool {
    let manifest = &recording.manifest;
    let server = |name: &str| {
        let found = manifest.engines.iter().find(|engine| engine.name == name);
        found.map(|engine| (&engine.engine, &engine.args))
    };
    let comparisons = manifest.ratios.iter().filter_map(|name| Comparison::parse(name));
    comparisons.map(|of| server(&of.of) == server(&of.to)).reduce(|all, same| all && same) == Some(true)
}

fn effects(grid: &GridValues, workload: Workload, metric: &str) -> Vec<Effect> {
    let rows: Vec<&CellValues> = grid.rows_of(workload).collect();
    let planned = |comparison: &&Comparison| {
        let has = |engine| rows.iter().any(|row| row.engines.contains_key(engine));
        has(&comparison.of) && has(&comparison.to)
    };
    let comparisons = grid.comparisons();
    let comparisons = comparisons.iter().filter(planned);
    comparisons.map(|comparison| effect(grid, &rows, comparison, (workload, metric))).collect()
}

fn effect(
    grid: &GridValues,
    rows: &[&CellValues],
    comparison: &Comparison,
    (workload, metric): (Workload, &str),
) -> Effect {
    let ratio = |row: &&CellValues| row.ratio(comparison, metric).map(|ratio| ratio.estimate.clone());
    let pairs: usize = rows.iter().filter_map(ratio).map(|ratio| ratio.n).sum();
    let mean = grid.mean(workload, comparison, metric);
    let estimate =
        mean.and_then(|mean| Estimate::new(mean.mean?, mean.low.zip(mean.high), cells::count(pairs)));
    let one_by_one =
        rows.iter().map(|row| (say(&row.cell.factors), ratio(row).as_ref().and_then(cells::estimate)));
    Effect {
        of: comparison.of.clone(),
        to: comparison.to.clone(),
        cells: if rows.len() > CELLS_MAX { Vec::new() } else { one_by_one.collect() },
        mean: estimate,
        cell_count: mean.map_or(0, |mean| mean.cells),
    }
}

/// A forest plot of ratios around 1 of what `what` names, a panel a workload, with the `noise` of the recording in words.
pub(crate) fn forest(
    (what, better): (&str, Better),
    all: &[(Workload, Vec<Effect>)],
    noise: Vec<String>,
    about: &About,
) -> Sheet {
    let panel = |(workload, effects): &(Workload, Vec<Effect>)| {
        let rows = effects.iter().flat_map(|effect| effect.rows(&about.servers)).collect();
        Panel { title: title(*workload), body: Body::Rows(around_1(better, rows)) }
    };
    let said = all.iter().flat_map(|(workload, effects)| {
        effects.iter().map(move |of| format!("{}, {}: {}", title(*workload), of.name(), in_numbers(of.mean)))
    });
    let title = format!("{what}: each variant against another");
    let description = format!("{what}, ratios. {}", said.collect::<Vec<String>>().join("; "));
    Sheet {
        notes: std::iter::once("An interval that contains 1 claims nothing.".to_owned())
            .chain(noise)
            .collect(),
        columns: 1,
        one_scale: true,
        ..about.sheet(title, description, all.iter().map(panel).collect())
    }
}

fn around_1(better: Better, rows: Vec<Row>) -> Rows {
    let (left, right) = match better {
        Better::Lower => ("cheaper", "dearer"),
        Better::Higher => ("slower", "faster"),
    };
    let reference = Reference { value: 1.0, sides: (left.to_owned(), right.to_owned()), band: None };
    Rows { x: Axis::new("ratio (log)", Extent::Ratio, Format::Ratio), reference: Some(reference), rows }
}

impl Effect {
    fn name(&self) -> String {
        format!("{} ÷ {}", reader_name(&self.of), reader_name(&self.to))
    }

    /// Below a heading every cell that is shown, and the mean.
    fn rows(&self, servers: &Servers) -> Vec<Row> {
        let mean = (format!("mean of {} cells", self.cell_count), self.mean);
        let all = self.cells.iter().cloned().chain([mean]).enumerate();
        let rows = all.map(|(index, (label, ratio))| {
            let start = if index == 0 { Start::Under(self.name()) } else { Start::Within };
            self.row(label, ratio, (start, servers))
        });
        rows.collect()
    }

    fn row(&self, label: String, ratio: Option<Estimate>, (start, servers): (Start, &Servers)) -> Row {
        let (name, role) = self.series(servers);
        let marks = vec![RowMark { name, role, value: ratio }];
        Row { label, start, marks, verdict: in_numbers(ratio) }
    }

    /// What is compared: variants of one engine in its colour, anything else in another.
    fn series(&self, servers: &Servers) -> (String, Role) {
        let sides = Comparison { of: self.of.clone(), to: self.to.clone() };
        match servers.common_program(&sides) {
            Some(program) => {
                let name = reader_name(program);
                (format!("{name} to {name}"), servers.role_of_program(program))
            }
            None => ("different servers".to_owned(), Role::Series(2)),
        }
    }
}

fn in_numbers(ratio: Option<Estimate>) -> String {
    let say = number::ratio;
    match ratio.map(|ratio| (ratio.value(), ratio.interval())) {
        Some((value, Some((low, high)))) => format!("{} [{}, {}]", say(value), say(low), say(high)),
        Some((value, None)) => say(value),
        None => "no pair of valid runs".to_owned(),
    }
}
