//! What connections that behave well get beside hogs.

use super::cells;
use super::open::stem;
use crate::chart::{Axis, Body, Estimate, Extent, Format, Panel, Row, RowMark, Rows, Sheet, Start};
use crate::figure::input::{About, distinct, names, reader_name, say, title};
use crate::metric;
use crate::values::{CellValues, GridValues};

/// What the measured connections got beside each kind of hog, a figure a place of the grid. Empty without hogs.
pub(super) fn figures(grid: &GridValues, about: &About) -> Vec<(String, Sheet)> {
    let mut sheets = Vec::new();
    for at in distinct(&grid.rows().collect::<Vec<_>>(), |row| cells::at(&row.cell)) {
        let own = grid.rows().filter(|row| cells::at(&row.cell) == at);
        let rows: Vec<&CellValues> = own.collect();
        if rows.iter().any(|row| row.cell.factors.hog_kind.is_some()) {
            let victims: Vec<Victims> = rows.iter().flat_map(|row| beside(grid, row)).collect();
            let mut sheet = sheet(&victims, about);
            sheet.title = format!("{}: {}, {}", sheet.title, title(at.workload()).to_lowercase(), say(&at));
            sheets.push((stem("victims", &at), sheet));
        }
    }
    sheets
}

fn beside(grid: &GridValues, row: &CellValues) -> Vec<Victims> {
    let factors = &row.cell.factors;
    let hogs = match factors.hog_kind {
        Some(kind) => format!("beside {} {kind} hogs", factors.hogs),
        None => "without hogs".to_owned(),
    };
    let of = cells::planned(grid, row).map(|(engine, values)| {
        let estimate = |metric| values.metrics.get(metric).and_then(cells::estimate);
        Victims {
            engine: engine.clone(),
            hogs: hogs.clone(),
            p99_ns: estimate(metric::P99),
            replies_per_s: estimate(metric::MESSAGES),
        }
    });
    of.collect()
}

/// What the measured connections got beside one kind of hog.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Victims {
    pub(crate) engine: String,
    /// The hogs in words: their number and kind.
    pub(crate) hogs: String,
    pub(crate) p99_ns: Option<Estimate>,
    pub(crate) replies_per_s: Option<Estimate>,
}

/// Latency and replies of victims: a row a server variant, in a group for each kind of hog.
pub(crate) fn sheet(victims: &[Victims], about: &About) -> Sheet {
    let kinds = names(victims, |v| &v.hogs);
    let p99 = Axis::new("p99 latency of the victims (log)", Extent::Log, Format::Nanoseconds);
    let replies = Axis::new("replies to all victims per second (log)", Extent::Log, Format::Thousands);
    let panels = vec![
        panel("How long victims wait", victims, (&kinds, about), (p99, |v| v.p99_ns)),
        panel("What victims get", victims, (&kinds, about), (replies, |v| v.replies_per_s)),
    ];
    about.sheet("What connections get beside hogs".to_owned(), describe(victims), panels)
}

fn describe(victims: &[Victims]) -> String {
    let value = |format: Format, value: Option<Estimate>| {
        value.map_or("none".to_owned(), |value| format.say(value.value()))
    };
    let say = |v: &Victims| {
        let (p99, replies) =
            (value(Format::Nanoseconds, v.p99_ns), value(Format::Thousands, v.replies_per_s));
        format!("{}, {}: p99 {p99}, {replies} replies per second", v.hogs, reader_name(&v.engine))
    };
    format!(
        "Victims by kind of hog and server. {}.",
        victims.iter().map(say).collect::<Vec<String>>().join("; ")
    )
}

fn panel(
    title: &str,
    victims: &[Victims],
    (kinds, about): (&[String], &About),
    (x, value): (Axis, fn(&Victims) -> Option<Estimate>),
) -> Panel {
    let group = |kind: &String| {
        let own = victims.iter().filter(|v| v.hogs == *kind).enumerate();
        let rows = own.map(|(index, v)| {
            let start = if index == 0 { Start::Under(kind.clone()) } else { Start::Within };
            row(v, value(v), start, (x.format, about))
        });
        rows.collect::<Vec<Row>>()
    };
    let rows = kinds.iter().flat_map(group).collect();
    Panel { title: title.to_owned(), body: Body::Rows(Rows { x: x.clone(), reference: None, rows }) }
}

fn row(victims: &Victims, value: Option<Estimate>, start: Start, (format, about): (Format, &About)) -> Row {
    let name = format!("{} and its variants", reader_name(about.servers.program(&victims.engine)));
    let role = about.servers.role_of_program(&victims.engine);
    Row {
        label: reader_name(&victims.engine),
        start,
        marks: vec![RowMark { name, role, value }],
        verdict: value.map_or("none".to_owned(), |value| format.say(value.value())),
    }
}
