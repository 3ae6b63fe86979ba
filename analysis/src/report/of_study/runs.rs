//! Runs and claims as the page lists them.

use experiments::plan::Role;
use experiments::recording::manifest::RunEntry;

use crate::figure::input::reader_name;
use crate::recording::{Recording, Run};
use crate::report::model::Recorded;
use crate::validity::Standing;

/// A recording and which of its runs count.
pub(super) fn recorded(recording: &Recording) -> Recorded {
    let measured: Vec<&Run> = recording.runs.iter().filter(|run| run.entry.role == Role::Measured).collect();
    let listed = |is: fn(Standing) -> bool| {
        let runs = measured.iter().filter(|run| is(run.standing));
        runs.map(|run| (named(run), why(run))).collect::<Vec<_>>()
    };
    Recorded {
        name: recording.manifest.recording.clone(),
        experiment: recording.experiment().to_owned(),
        size: recording.manifest.size.to_string(),
        planned: u32::try_from(measured.len()).unwrap_or(u32::MAX),
        valid: u32::try_from(measured.iter().filter(|run| run.counts()).count()).unwrap_or(u32::MAX),
        flagged: listed(|standing| standing == Standing::Flagged),
        invalid: listed(|standing| !standing.counts() && standing != Standing::Missing),
    }
}

fn named(run: &Run) -> String {
    let RunEntry { number, cell, engine, repetition, .. } = &run.entry;
    format!("run {number:04} ({cell}, {}, repetition {repetition})", reader_name(engine))
}

fn why(run: &Run) -> String {
    let reasons: Vec<&str> = run.reasons.iter().chain(&run.damage).map(String::as_str).collect();
    let said = if reasons.is_empty() { "no reason was recorded".to_owned() } else { reasons.join("; ") };
    format!("{}: {said}", run.standing.name())
}
