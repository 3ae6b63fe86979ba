//! The page of a study: what its values say, in words.

mod changed;
mod host;
mod means;
mod opening;
mod runs;

use super::model::{Part, Report};
use crate::claims::Check;
use crate::figure::input::reader_name;
use crate::figure::study::answer::is_comparison_of_engines;
use crate::figure::study::{Chapter, Drawn, Origin};
use crate::study::Study;
use crate::values::{ExperimentValues, GridValues};

/// What the page asks.
const QUESTION: &str = "\
A TCP server echoes what its clients send. Does it need less CPU time for a message with io_uring than with epoll?";

/// The page of `study`: its `answer` and its figures, and what became of the claims.
pub(crate) fn report<'a>(
    study: &Study,
    answer: Option<Drawn>,
    chapters: Vec<Chapter>,
    checks: &'a [Check<'a>],
    origin: &Origin,
) -> Report<'a> {
    let experiments = &study.values.experiments;
    let mut provenance = vec![("Made by".to_owned(), origin.command.clone())];
    provenance.extend(origin.revision.clone().map(|revision| ("Revision".to_owned(), revision)));
    Report {
        title: "epoll or io_uring for a TCP server?".to_owned(),
        question: QUESTION.to_owned(),
        answer,
        verdict: opening::verdict(experiments),
        limits: opening::limits(experiments),
        quick: experiments.values().any(|values| values.size == "quick"),
        headlines: experiments
            .iter()
            .filter(|(name, values)| is_comparison_of_engines(name) && values.clock.is_time())
            .filter_map(|(name, values)| means::headline(name, values))
            .collect(),
        parts: chapters.into_iter().map(|chapter| part(chapter, study)).collect(),
        claims: checks,
        recordings: study.recordings.iter().map(runs::recorded).collect(),
        hosts: experiments.values().map(host::host).collect(),
        origin: provenance,
    }
}

fn part(chapter: Chapter, study: &Study) -> Part {
    let values = study.values.experiments.get(&chapter.name);
    let heading = match values {
        Some(values) => format!("{}: {}", chapter.name, values.title),
        None => "What the study of 2023 published".to_owned(),
    };
    let text = match values {
        Some(values) => {
            [values.question.clone(), made_of(values)].into_iter().filter(|text| !text.is_empty()).collect()
        }
        None => vec![
            "Drawn from its raw results. Each run stands alone, so that no interval can be given.".to_owned(),
        ],
    };
    let tables = match values {
        Some(values) if study.is_ablation(&chapter.name) && values.clock.is_time() => changed::tables(values),
        _ => Vec::new(),
    };
    Part { id: format!("experiment-{}", chapter.name), heading, text, figures: chapter.figures, tables }
}

fn made_of(values: &ExperimentValues) -> String {
    format!("Recording {} ({}), servers: {}.", values.recording, values.size, names(&values.grid))
}

fn names(grid: &GridValues) -> String {
    grid.engines.iter().map(|engine| reader_name(engine)).collect::<Vec<String>>().join(", ")
}
