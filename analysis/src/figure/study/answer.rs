//! The answer of a study: which recordings give it, and the figure of their ratios.

use std::collections::BTreeMap;

use experiments::spec::factors::Factors;
use uring_echo::record::Mode;

use super::drawn::{Drawn, Origin};
use super::{cells, reading};
use crate::figure::answer::{Measured, Said, answer};
use crate::figure::input::{MODES, distinct};
use crate::figure::{Figure, Source};
use crate::metric;
use crate::recording::Recording;
use crate::statistics;
use crate::study::Study;
use crate::values::{CellValues, ExperimentValues};

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

/// The experiment that answers for `mode`: the one that was made for it, or the one with the most cells.
pub(crate) fn speaker(
    experiments: &BTreeMap<String, ExperimentValues>,
    mode: Mode,
) -> Option<(&String, &ExperimentValues)> {
    let all = experiments.iter().filter(|(name, _)| is_comparison_of_engines(name));
    let able = all.filter(|(_, values)| can_answer(&all_said(values, mode)));
    able.max_by_key(|(name, values)| (*name == MADE_FOR_IT, all_said(values, mode).len()))
}

/// Whether `cells` hold a ratio, and payload and connections tell them apart.
fn can_answer(cells: &[(Factors, Option<Said>)]) -> bool {
    cells.iter().any(|(_, said)| said.is_some()) && distinct(cells, |(at, _)| at.clone()).len() == cells.len()
}

/// The figure of the answer; `None` if nothing here compares the engines.
pub(super) fn drawn(study: &Study, origin: &Origin) -> Option<Drawn> {
    let experiments = &study.values.experiments;
    let speakers = MODES.into_iter().filter_map(|mode| Some((mode, speaker(experiments, mode)?)));
    let speakers: Vec<(Mode, (&String, &ExperimentValues))> = speakers.collect();
    let measured = speakers.iter().map(|(mode, (name, values))| measured(*mode, name, values));
    let sheet = answer(&measured.collect::<Vec<_>>())?;
    let spoke = |recording: &&Recording| {
        speakers.iter().any(|(_, (name, _))| name.as_str() == recording.experiment())
    };
    let recordings: Vec<&Recording> = study.recordings.iter().filter(spoke).collect();
    let source = source(&recordings, origin);
    Some(Drawn { figure: Figure { stem: "answer".to_owned(), sheet, source }, how_to_read: reading::ANSWER })
}

fn measured(mode: Mode, name: &str, values: &ExperimentValues) -> Measured {
    Measured {
        mode,
        experiment: name.to_owned(),
        quick: values.size == "quick",
        smallest_effect: values.control.get(METRIC).and_then(|control| control.smallest_effect),
        cells: all_said(values, mode),
    }
}

/// What is said of every cell of `mode` in which both engines were planned, in the order of tables.
fn all_said(values: &ExperimentValues, mode: Mode) -> Vec<(Factors, Option<Said>)> {
    let own = values.grid.rows().filter(|row| row.cell.factors.mode == mode);
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
