//! Runs and claims as the page lists them.

use experiments::plan::Role;
use experiments::report::format as number;

use crate::claims::{Check, Verdict};
use crate::figure::input::reader_name;
use crate::recording::{Recording, Run};
use crate::report::model::{Claim, Outcome, Recorded};
use crate::validity::Standing;

/// A claim and what became of it.
pub(super) fn claim(check: &Check<'_>) -> Claim {
    let number = |value: f64| number::significant(value, 4);
    let (outcome, measured) = match &check.verdict {
        &Verdict::Holds(value) => (Outcome::Holds, number(value)),
        &Verdict::Contradicted(value) => (Outcome::Fails, number(value)),
        Verdict::NoValue => (Outcome::Fails, "no such number".to_owned()),
        Verdict::NotRecorded => (Outcome::Untested, "not recorded".to_owned()),
        Verdict::NotChecked(difference) => (Outcome::Untested, format!("not checked: {difference}")),
        &Verdict::NoRange(value) => (Outcome::Untested, number(value)),
    };
    let range = check.claim.range.map(|[low, high]| format!("{} to {}", number(low), number(high)));
    Claim {
        id: check.claim.id.clone(),
        sentence: check.claim.sentence.clone(),
        expected: range.unwrap_or_else(|| "not set".to_owned()),
        measured,
        outcome,
    }
}

/// A recording and which of its runs count.
pub(super) fn recorded(recording: &Recording) -> Recorded {
    let measured: Vec<&Run> = recording.runs.iter().filter(|run| run.place.role == Role::Measured).collect();
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
    let place = &run.place;
    format!(
        "run {:04} ({}, {}, repetition {})",
        place.number,
        place.cell.key,
        reader_name(&place.engine),
        place.repetition
    )
}

fn why(run: &Run) -> String {
    let reasons: Vec<&str> = run.reasons.iter().chain(&run.damage).map(String::as_str).collect();
    let said = if reasons.is_empty() { "no reason was recorded".to_owned() } else { reasons.join("; ") };
    format!("{}: {said}", run.standing.name())
}
