//! The page of a study: what its values say, in words.

use std::collections::BTreeMap;

use experiments::plan::Role;
use serde_json::Value;

use super::{Claim, Outcome, Part, Recorded, Report, Shown, Table};
use crate::chart::number;
use crate::claims::{Check, Verdict};
use crate::figure::input::reader_name;
use crate::figure::study::{Chapter, Origin};
use crate::metric;
use crate::recording::{Recording, Run};
use crate::statistics::{Mean, Word};
use crate::study::Study;
use crate::validity::Standing;
use crate::values::{Control, ExperimentValues, GridValues};

/// What is compared throughout.
const ENGINES: &str = "uring/epoll";

/// Metrics of the headline tables, with their names and which direction io_uring wants.
const HEADLINES: [(&str, &str); 4] = [
    (metric::CPU, "server CPU time per message (less is better)"),
    (metric::MESSAGES, "messages per second (more is better)"),
    (metric::SYSCALLS, "server system calls per message (less is better)"),
    (metric::P99, "p99 latency (less is better)"),
];

/// The page of `study`, with its figures and what became of the claims.
#[must_use]
pub fn report(study: &Study, chapters: Vec<Chapter>, checks: &[Check<'_>], origin: &Origin) -> Report {
    let experiments = &study.values.experiments;
    let mut provenance = vec![("Made by".to_owned(), origin.command.clone())];
    provenance.extend(origin.revision.clone().map(|revision| ("Revision".to_owned(), revision)));
    Report {
        title: "epoll or io_uring for a TCP server?".to_owned(),
        verdict: verdict(experiments),
        limits: limits(experiments),
        quick: experiments.values().any(|values| values.size == "quick"),
        headlines: experiments
            .iter()
            .filter(|(name, _)| is_comparison_of_engines(name))
            .filter_map(|(name, values)| headline(name, values))
            .collect(),
        parts: chapters.into_iter().map(|chapter| part(chapter, study)).collect(),
        claims: checks.iter().map(claim).collect(),
        recordings: study.recordings.iter().map(recorded).collect(),
        hosts: experiments.values().map(host).collect(),
        origin: provenance,
    }
}

/// The mean of the headline metric over the cells of `mode`.
fn mean<'a>(grid: &'a GridValues, mode: &str, metric: &str) -> Option<&'a Mean> {
    grid.means.get(mode)?.get(ENGINES)?.get(metric).filter(|mean| mean.cells > 0)
}

/// One sentence: in how many cells which engine takes less CPU time per message. Of several experiments with the same
/// workload, the one with the most cells speaks.
fn verdict(experiments: &BTreeMap<String, ExperimentValues>) -> String {
    let largest = |mode: &str| {
        let all = experiments.iter().filter(|(name, _)| is_comparison_of_engines(name));
        let means = all.filter_map(|(name, values)| Some((name, mean(&values.grid, mode, metric::CPU)?)));
        means.max_by_key(|(_, mean)| mean.cells)
    };
    let modes = [("stream", "when clients stream"), ("req-res", "in request-response")];
    let parts = modes.iter().filter_map(|(mode, words)| Some(in_words(words, largest(mode)?)));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return "No recording here compares io_uring with epoll; what follows is what the study of 2023 published."
            .to_owned();
    }
    format!("Server CPU time per message, io_uring against epoll: {}.", parts.join("; "))
}

/// Whether the experiment varies nothing but engine, payload and connections.
fn is_comparison_of_engines(name: &str) -> bool {
    !["fairness", "ablation", "latency", "scale", "kernels", "aa", "seed"].contains(&name)
}

fn in_words(when: &str, (experiment, mean): (&String, &Mean)) -> String {
    let ratio = match (mean.mean, mean.low.zip(mean.high)) {
        (Some(value), Some((low, high))) => format!("{value:.2} times as much ({low:.2} to {high:.2})"),
        (Some(value), None) => format!("{value:.2} times as much, without an interval"),
        (None, _) => "unknown".to_owned(),
    };
    let cells = format!("{when} {ratio} over {} cells", mean.cells);
    match mean.verdict {
        Word::NoClaim => format!("{cells}, no claim ({experiment})"),
        word => format!("{cells}: {word}; less in {}, more in {} ({experiment})", mean.less, mean.more),
    }
}

/// The machine, once if all recordings were made on the same, and what each recording can tell from noise.
fn limits(experiments: &BTreeMap<String, ExperimentValues>) -> Vec<String> {
    let machines: Vec<String> = experiments.values().map(machine).collect();
    let is_one = machines.windows(2).all(|pair| pair[0] == pair[1]);
    let common = machines.first().filter(|_| is_one).map(|machine| format!("All on {machine}."));
    let own = experiments.iter().zip(&machines).map(|((name, values), machine)| {
        let on = if is_one { String::new() } else { format!("{machine}, ") };
        let claims = values.claims_nothing.as_ref().map_or_else(String::new, |why| format!("{why}; "));
        let noise = noise(values.control.get(metric::CPU));
        format!("{name} ({}): {on}{} repetitions; {claims}{noise}.", values.size, values.repetitions)
    });
    common.into_iter().chain(own).collect()
}

fn machine(values: &ExperimentValues) -> String {
    let fact = |path: &[&str]| {
        path.iter().try_fold(&values.host, |value, key| value.get(key)).map_or("unknown".into(), plain)
    };
    format!(
        "{}, {} online CPUs, Linux {}, server on CPU {}, loopback",
        fact(&["cpu", "model"]),
        fact(&["cpu", "online_count"]),
        fact(&["kernel", "release"]),
        values.server_cpu
    )
}

fn noise(control: Option<&Control>) -> String {
    let Some(effect) = control.and_then(|control| control.smallest_effect) else {
        return "no A/A control of its cost, so the smallest claimable difference is unknown".to_owned();
    };
    let told = format!("differences below {:.0} % are noise (A/A control)", (effect * 100.0).ceil());
    match control.and_then(|control| control.contains_1) {
        Some(false) => format!("{told}, and the control itself differs from 1: read it with care"),
        _ => told,
    }
}

fn headline(name: &str, values: &ExperimentValues) -> Option<Table> {
    let heads = [
        "Workload",
        "io_uring ÷ epoll",
        "Geometric mean",
        "95 % interval",
        "Cells",
        "Least",
        "Most",
        "Verdict",
        "Less in",
        "More in",
    ];
    let rows: Vec<Vec<String>> = ["stream", "req-res"]
        .iter()
        .flat_map(|mode| HEADLINES.iter().map(move |(metric, words)| (*mode, *metric, *words)))
        .filter_map(|(mode, metric, words)| {
            Some(headline_row(mode, words, mean(&values.grid, mode, metric)?))
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        caption: format!("{name}: ratios over all cells. The heat maps below show each cell."),
        heads: heads.map(str::to_owned).to_vec(),
        names: 2,
        rows,
    })
}

fn headline_row(mode: &str, words: &str, mean: &Mean) -> Vec<String> {
    let say = |value: Option<f64>| value.map_or("–".to_owned(), number::ratio);
    let interval = match mean.low.zip(mean.high) {
        Some((low, high)) => format!("{} to {}", number::ratio(low), number::ratio(high)),
        None => "–".to_owned(),
    };
    let counts = [mean.verdict.to_string(), mean.less.to_string(), mean.more.to_string()];
    let numbers = [say(mean.mean), interval, mean.cells.to_string(), say(mean.least), say(mean.most)];
    [mode.to_owned(), words.to_owned()].into_iter().chain(numbers).chain(counts).collect()
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
    let shown = |drawn: crate::figure::study::Drawn| Shown {
        figure: drawn.figure,
        how_to_read: drawn.how_to_read.to_owned(),
    };
    let figures = chapter.figures.into_iter().map(shown).collect();
    Part { id: format!("experiment-{}", chapter.name), heading, text, figures, tables: Vec::new() }
}

fn made_of(values: &ExperimentValues) -> String {
    format!("Recording {} ({}), servers: {}.", values.recording, values.size, names(&values.grid))
}

fn names(grid: &GridValues) -> String {
    grid.engines.iter().map(|engine| reader_name(engine)).collect::<Vec<String>>().join(", ")
}

fn claim(check: &Check<'_>) -> Claim {
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

fn recorded(recording: &Recording) -> Recorded {
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

fn host(values: &ExperimentValues) -> Table {
    let mut rows = Vec::new();
    facts("", &values.host, &mut rows);
    if rows.is_empty() {
        rows.push(vec!["host".to_owned(), "its description is damaged".to_owned()]);
    }
    Table {
        caption: format!("The machine of {}", values.recording),
        heads: vec!["Fact".to_owned(), "Value".to_owned()],
        names: 2,
        rows,
    }
}

/// Every leaf of `value` under its path.
fn facts(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) if !fields.contains_key("unavailable") => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                facts(&path, field, rows);
            }
        }
        Value::Null if path.is_empty() => {}
        value => rows.push(vec![path.to_owned(), plain(value)]),
    }
}

/// `value` as a reader wants it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<String>>().join(", "),
        Value::Object(fields) => match fields.get("unavailable") {
            Some(reason) => format!("unavailable: {}", plain(reason)),
            None => fields
                .iter()
                .map(|(name, field)| format!("{name} {}", plain(field)))
                .collect::<Vec<String>>()
                .join(", "),
        },
        Value::Null => "–".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Estimate;

    #[test]
    fn a_control_that_differs_from_1_is_told_from_one_that_holds_it() {
        let control = |contains_1, smallest_effect| Control {
            ratio: Estimate::of(&[]),
            contains_1: Some(contains_1),
            smallest_effect: Some(smallest_effect),
        };
        assert!(noise(None).starts_with("no A/A control"));
        assert_eq!(noise(Some(&control(true, 0.041))), "differences below 5 % are noise (A/A control)");
        assert!(noise(Some(&control(false, 0.1))).contains("below 10 %"));
        assert!(noise(Some(&control(false, 0.1))).ends_with("differs from 1: read it with care"));
    }
}
