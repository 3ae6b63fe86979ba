//! The answer to the question of the project: what a message costs under io_uring, divided by what it costs under epoll.
//! Which recordings give it, and the figure of their ratios.

use std::collections::BTreeMap;

use experiments::report::format as number;
use experiments::spec::factors::Factors;
use experiments::spec::workload::Workload;
use experiments::verdict::Word;

use super::drawn::{Drawn, Origin};
use super::{cells, reading};
use crate::chart::{
    Axis, Band, Body, Estimate, Extent, Format, Panel, Reference, Role, Row, RowMark, Rows, Sheet, Start,
};
use crate::figure::input::{About, distinct, label_bytes, say, title};
use crate::figure::{Figure, Source};
use crate::metric;
use crate::recording::Recording;
use crate::statistics;
use crate::study::Study;
use crate::values::{CellValues, ExperimentValues};

/// What is compared.
pub(crate) const ENGINES: &str = "uring/epoll";
/// What it is compared by.
const METRIC: &str = metric::CPU;
/// The experiment that was made to answer.
const MADE_FOR_IT: &str = "parity";
/// Experiments that vary more than engine, payload and connections.
const OTHER_QUESTIONS: [&str; 7] = ["fairness", "ablation", "latency", "scale", "kernels", "aa", "study"];

/// Whether the experiment `name` varies nothing but engine, payload and connections.
pub(crate) fn is_comparison_of_engines(name: &str) -> bool {
    !OTHER_QUESTIONS.contains(&name)
}

/// Every workload of `experiments`, in the order of tables.
pub(crate) fn workloads(experiments: &BTreeMap<String, ExperimentValues>) -> Vec<Workload> {
    let all: Vec<Workload> = experiments.values().flat_map(|values| values.grid.workloads()).collect();
    distinct(&all, |of| *of)
}

/// The experiment that answers for `workload`: the one that was made for it, or the one with the most cells.
pub(crate) fn speaker(
    experiments: &BTreeMap<String, ExperimentValues>,
    workload: Workload,
) -> Option<(&String, &ExperimentValues)> {
    let all = experiments.iter().filter(|(name, _)| is_comparison_of_engines(name));
    let able = all.filter(|(_, values)| values.clock.is_time());
    let able = able.filter(|(_, values)| can_answer(&all_said(values, workload)));
    able.max_by_key(|(name, values)| (*name == MADE_FOR_IT, all_said(values, workload).len()))
}

/// Whether `cells` hold a ratio, and payload and connections tell them apart.
fn can_answer(cells: &[(Factors, Option<Said>)]) -> bool {
    cells.iter().any(|(_, said)| said.is_some()) && distinct(cells, |(at, _)| at.clone()).len() == cells.len()
}

/// The figure of the answer; `None` if nothing here compares the engines.
pub(super) fn drawn(study: &Study, origin: &Origin) -> Option<Drawn> {
    let experiments = &study.values.experiments;
    let speakers = workloads(experiments).into_iter().filter_map(|of| Some((of, speaker(experiments, of)?)));
    let speakers: Vec<(Workload, (&String, &ExperimentValues))> = speakers.collect();
    let measured = speakers.iter().map(|(of, (name, values))| measured(*of, name, values));
    let sheet = sheet(&measured.collect::<Vec<_>>())?;
    let spoke = |recording: &&Recording| {
        speakers.iter().any(|(_, (name, _))| name.as_str() == recording.experiment())
    };
    let recordings: Vec<&Recording> = study.recordings.iter().filter(spoke).collect();
    let source = source(&recordings, origin);
    Some(Drawn { figure: Figure { stem: "answer".to_owned(), sheet, source }, how_to_read: reading::ANSWER })
}

fn measured(workload: Workload, name: &str, values: &ExperimentValues) -> Measured {
    let control = values.control(workload.in_flight, METRIC);
    Measured {
        workload,
        experiment: name.to_owned(),
        quick: values.size == "quick",
        smallest_effect: control.and_then(|control| control.smallest_effect),
        cells: all_said(values, workload),
    }
}

/// What is said of every cell of `workload` in which both engines were planned, in the order of tables.
fn all_said(values: &ExperimentValues, workload: Workload) -> Vec<(Factors, Option<Said>)> {
    let own = values.grid.rows_of(workload);
    own.filter_map(|cell| Some((cells::at(&cell.cell), said(cell)?))).collect()
}

/// `None` if the engines are not compared in `cell`, and nothing inside if no pair of runs counts.
fn said(cell: &CellValues) -> Option<Option<Said>> {
    let statistics::Ratio { estimate, verdict } = cell.ratios.get(ENGINES)?.get(METRIC)?;
    Some(cells::estimate(estimate).map(|ratio| Said { ratio, verdict: *verdict }))
}

fn source(recordings: &[&Recording], origin: &Origin) -> Source {
    let compared = |recording: &&Recording| {
        let engines: Vec<&str> = ENGINES.split('/').collect();
        let own = recording.counted().filter(|run| engines.contains(&run.entry.engine.as_str()));
        own.filter_map(|run| run.record.as_ref()).map(|record| record.run_id.clone()).collect::<Vec<_>>()
    };
    let experiments: Vec<&str> = recordings.iter().map(|recording| recording.experiment()).collect();
    Source {
        experiment: experiments.join(", "),
        recordings: recordings.iter().map(|recording| recording.manifest.recording.clone()).collect(),
        run_ids: recordings.iter().flat_map(compared).collect(),
        revision: origin.revision.clone(),
        command: origin.command.clone(),
    }
}

/// What one recording says of one workload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) workload: Workload,
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
pub(crate) fn sheet(measured: &[Measured]) -> Option<Sheet> {
    let measured: Vec<&Measured> = measured.iter().filter(|of| !of.cells.is_empty()).collect();
    if measured.is_empty() {
        return None;
    }
    let quick = measured.iter().any(|of| of.quick);
    let interval = format!(
        "Each marker is the median of {}, each line its 95 % interval. Below 1, io_uring is cheaper.",
        pairs(&measured)
    );
    let about = About { quick, interval, ..About::default() };
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
        let workload = at.workload().in_words();
        format!("{workload}, {}: {}", say(at), said.unwrap_or_else(|| "nothing to compare".to_owned()))
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
            title: format!("{} ({})", title(self.workload), self.experiment),
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
        Word::Less => Role::COMPARED,
        Word::NoDifference | Word::NoClaim => Role::Neither,
        Word::More => Role::BASE,
    };
    RowMark { name: called(verdict).to_owned(), role, value: said.map(|said| said.ratio) }
}

/// How far the same server differs from itself.
pub(super) fn band(reach: f64) -> Band {
    Band { reach, name: format!("the same server, measured twice: up to {:.1} %", reach * 100.0) }
}
