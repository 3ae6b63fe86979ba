//! The answer to the question of the project: what a message costs under io_uring, divided by what it costs under epoll.

use experiments::report::format as number;
use experiments::spec::factors::Factors;
use experiments::verdict::Word;
use uring_echo::record::Mode;

use super::input::{About, distinct, label_bytes, say, title};
use crate::chart::{
    Axis, Band, Body, Estimate, Extent, Format, Panel, Reference, Role, Row, RowMark, Rows, Sheet, Start,
};

/// What one recording says of one workload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) mode: Mode,
    pub(crate) experiment: String,
    /// Whether the recording is of the size `quick`, which claims nothing.
    pub(crate) quick: bool,
    /// The smallest difference from 1 that the recording may claim; `None` if it has no control.
    pub(crate) smallest_effect: Option<f64>,
    /// Every cell; `None` where no pair of runs counts.
    pub(crate) cells: Vec<(Factors, Option<Said>)>,
}

/// What is said of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Said {
    /// CPU time per message under io_uring, divided by that under epoll.
    pub(crate) ratio: Estimate,
    pub(crate) verdict: Word,
}

/// The ratios of every cell in `measured`, a panel a workload; `None` if there is no cell.
pub(crate) fn answer(measured: &[Measured]) -> Option<Sheet> {
    let measured: Vec<&Measured> = measured.iter().filter(|of| !of.cells.is_empty()).collect();
    if measured.is_empty() {
        return None;
    }
    let quick = measured.iter().any(|of| of.quick);
    let interval = format!(
        "Each marker is the median of {}, each line its 95 % interval. Below 1, io_uring is cheaper.",
        pairs(&measured)
    );
    let about = About { quick, interval, variants: None };
    let title = "Server CPU time per message: io_uring divided by epoll".to_owned();
    let panels = measured.iter().map(|of| of.panel()).collect();
    Some(Sheet {
        stamp: quick.then(|| "Quick recording: claims nothing".to_owned()),
        notes: notes(&measured),
        one_scale: true,
        ..about.sheet(title, describe(&measured), panels)
    })
}

/// On how many pairs of runs a marker stands.
fn pairs(measured: &[&Measured]) -> String {
    let estimates =
        measured.iter().flat_map(|of| of.cells.iter().filter_map(|(_, said)| said.map(|said| said.ratio)));
    let counts = distinct(&estimates.collect::<Vec<_>>(), Estimate::runs);
    match counts[..] {
        [] => "no pair of runs".to_owned(),
        [1] => "1 pair of runs".to_owned(),
        [count] => format!("{count} pairs of runs"),
        [least, .., most] => format!("{least} to {most} pairs of runs"),
    }
}

fn notes(measured: &[&Measured]) -> Vec<String> {
    let uncontrolled = measured.iter().any(|of| of.smallest_effect.is_none());
    let note = uncontrolled.then_some("Without a control, a recording may claim no difference.");
    note.map(str::to_owned).into_iter().collect()
}

fn describe(measured: &[&Measured]) -> String {
    let say = |at: &Factors, said: Option<Said>| {
        let said =
            said.map(|said| format!("{}, {}", number::ratio(said.ratio.value()), called(said.verdict)));
        format!("{}, {}: {}", at.mode, say(at), said.unwrap_or_else(|| "nothing to compare".to_owned()))
    };
    let cells = measured.iter().flat_map(|of| of.cells.iter().map(|(at, said)| say(at, *said)));
    format!(
        "Server CPU time per message, io_uring divided by epoll, by payload × connections. {}.",
        cells.collect::<Vec<String>>().join("; ")
    )
}

impl Measured {
    fn panel(&self) -> Panel {
        Panel {
            title: format!("{} ({})", title(self.mode), self.experiment),
            body: Body::Rows(Rows {
                x: Axis::new("io_uring ÷ epoll (log)", Extent::Ratio, Format::Ratio),
                reference: Some(Reference {
                    value: 1.0,
                    sides: ("io_uring cheaper".to_owned(), "epoll cheaper".to_owned()),
                    band: self.smallest_effect.map(band),
                }),
                rows: self.rows(),
            }),
        }
    }

    /// Under each payload, a row for each number of connections.
    fn rows(&self) -> Vec<Row> {
        let mut above = None;
        let rows = self.cells.iter().map(|(at, said)| {
            let begins = above.replace(at.payload_bytes) != Some(at.payload_bytes);
            let start = if begins { Start::Under(label_bytes(at.payload_bytes)) } else { Start::Within };
            let label = match at.connections {
                1 => "1 connection".to_owned(),
                many => format!("{many} connections"),
            };
            let verdict = said.map_or("none".to_owned(), |said| number::ratio(said.ratio.value()));
            Row { label, start, marks: vec![mark(*said)], verdict }
        });
        rows.collect()
    }
}

/// What the key calls a cell of which `verdict` is said.
const fn called(verdict: Word) -> &'static str {
    match verdict {
        Word::Less => "io_uring cheaper",
        Word::More => "epoll cheaper",
        Word::NoDifference => "no difference",
        Word::NoClaim => "nothing claimed",
    }
}

fn mark(said: Option<Said>) -> RowMark {
    let verdict = said.map_or(Word::NoClaim, |said| said.verdict);
    let role = match verdict {
        Word::Less => Role::Uring,
        Word::NoDifference | Word::NoClaim => Role::Neither,
        Word::More => Role::Epoll,
    };
    RowMark { name: called(verdict).to_owned(), role, value: said.map(|said| said.ratio) }
}

fn band(reach: f64) -> Band {
    Band { reach, name: format!("the same server, measured twice: up to {:.1} %", reach * 100.0) }
}
