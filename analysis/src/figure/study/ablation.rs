//! What one thing different changes: forest plots of CPU time per message, around what it is different from.

use experiments::spec::workload::Workload;
use experiments::verdict::Word;

use super::answer::band;
use super::cells;
use crate::changes::{Change, changes};
use crate::chart::{
    Axis, Body, Estimate, Extent, Format, Panel, Reference, Role, Row, RowMark, Rows, Sheet, Start,
};
use crate::figure::input::{About, distinct, reader_name, title};
use crate::values::ExperimentValues;

/// A panel for each workload, a row for each variant; `None` where nothing is compared.
pub(super) fn figure(values: &ExperimentValues, about: &About) -> Option<Sheet> {
    let changes = changes(values);
    (!changes.is_empty()).then(|| sheet(&changes, about))
}

/// The forest of `changes`.
pub(crate) fn sheet(changes: &[Change], about: &About) -> Sheet {
    let panels = distinct(changes, |change| change.workload).into_iter().map(|of| panel(changes, of));
    let interval = "Each marker is a geometric mean over cells, each line its 95 % interval, from pairs of runs made right after \
                    each other."
        .to_owned();
    let uncontrolled = changes.iter().any(|change| change.smallest_effect.is_none());
    let note = uncontrolled.then_some("Without a control, a recording may claim no difference.");
    Sheet {
        subtitle: interval,
        stamp: about.quick.then(|| "Quick recording: claims nothing".to_owned()),
        notes: note.map(str::to_owned).into_iter().collect(),
        columns: 1,
        one_scale: true,
        ..about.sheet(
            "Server CPU time per message: one thing different".to_owned(),
            describe(changes),
            panels.collect(),
        )
    }
}

fn panel(changes: &[Change], workload: Workload) -> Panel {
    let own: Vec<&Change> = changes.iter().filter(|change| change.workload == workload).collect();
    let smallest_effect = own.iter().find_map(|change| change.smallest_effect);
    let mut sides: Vec<&String> = own.iter().map(|change| &change.comparison.to).collect();
    sides.sort();
    sides.dedup();
    let group = |to: &&String| {
        let rows = own.iter().filter(|change| change.comparison.to == **to).enumerate();
        let start = |index| match index {
            0 => Start::Under(format!("against {}", reader_name(to))),
            _ => Start::Within,
        };
        rows.map(|(index, change)| row(change, start(index))).collect::<Vec<Row>>()
    };
    Panel {
        title: title(workload),
        body: costs_around_1(smallest_effect, sides.iter().flat_map(group).collect()),
    }
}

/// Ratios of cost around 1, in which nothing below `smallest_effect` is a difference.
pub(super) fn costs_around_1(smallest_effect: Option<f64>, rows: Vec<Row>) -> Body {
    let sides = ("cheaper".to_owned(), "dearer".to_owned());
    let reference = Reference { value: 1.0, sides, band: smallest_effect.map(band) };
    let x = Axis::new("CPU time per message, ratio (log)", Extent::Ratio, Format::Ratio);
    Body::Rows(Rows { x, reference: Some(reference), rows })
}

fn row(change: &Change, start: Start) -> Row {
    let (name, role) = match change.cpu.verdict {
        Word::Less => ("cheaper", Role::Series(2)),
        Word::More => ("dearer", Role::Series(3)),
        Word::NoDifference => ("no difference", Role::Neither),
        Word::NoClaim => ("nothing claimed", Role::Neither),
    };
    let marks = vec![RowMark { name: name.to_owned(), role, value: estimate(change) }];
    Row { label: reader_name(&change.comparison.of), start, marks, verdict: in_percent(change.cpu.mean) }
}

fn estimate(change: &Change) -> Option<Estimate> {
    let cpu = &change.cpu;
    Estimate::new(cpu.mean?, cpu.low.zip(cpu.high), cells::count(change.pairs))
}

/// A ratio as a change, with a minus sign as wide as the plus sign.
pub(crate) fn in_percent(ratio: Option<f64>) -> String {
    let ratio = ratio.map(|ratio| format!("{:+.1} %", (ratio - 1.0) * 100.0).replace('-', "−"));
    ratio.unwrap_or_else(|| "none".to_owned())
}

fn describe(changes: &[Change]) -> String {
    let say = |change: &Change| {
        let (of, to) = (reader_name(&change.comparison.of), reader_name(&change.comparison.to));
        let change_of = in_percent(change.cpu.mean);
        format!("{}: {of} against {to} {change_of}, {}", title(change.workload), change.cpu.verdict)
    };
    let said: Vec<String> = changes.iter().map(say).collect();
    format!("Changes of the server's CPU time per message. {}.", said.join("; "))
}
