//! Doing what was asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use uring_echo::cli::output::{note, say};

use crate::cli::{Arguments, Command, Source};
use crate::markdown::Block;
use crate::recording::{Recording, newest_of_each_experiment};
use crate::study::Study;
use crate::values::ExperimentValues;
use crate::{claims, explain, headline, kernels, machines, output, side_by_side};

/// Does what `arguments` ask for.
///
/// # Errors
/// What could not be read or written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        None => analyse(arguments),
        Some(Command::Check { source, claims }) => check(source, claims.as_deref()),
        Some(Command::Claims) => {
            say(&claims::page(&claims::built_in()?), "the claims")?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Headline { source, check }) => {
            let table = headline::table(&Study::read(&folders(source)?)?.values);
            show_or_check(Block { name: "headline" }, &table, check.as_deref())
        }
        Some(Command::Servers { source, check }) => {
            let table = side_by_side::tables(&Study::read(&folders(source)?)?.values);
            show_or_check(Block { name: "servers" }, &table, check.as_deref())
        }
        Some(Command::Explain { time, counts, costs }) => {
            let [timed, counted] = [time, counts].map(|folder| Recording::read(folder, || ()));
            say(&explain::table(&timed?, &counted?, explain::call_ns(costs)?)?, "the table")?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Kernels { results, check }) => {
            let table = kernels::table(kernels::read(results)?.as_ref());
            show_or_check(Block { name: "kernels" }, &table, check.as_deref())
        }
        Some(Command::Machines { results, check }) => {
            let table = machines::table(&machines::read(results)?);
            show_or_check(Block { name: "machines" }, &table, check.as_deref())
        }
    }
}

fn analyse(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let source = &arguments.source;
    let kernels = if source.recordings.is_empty() { kernels::read(&source.results)? } else { None };
    let study = Study { kernels, ..Study::read(&folders(source)?)? };
    for (name, experiment) in &study.values.experiments {
        say(&format!("{}\n", summary(name, experiment)), "the summary")?;
        tell_damage(experiment);
    }
    for file in output::write(&study, &arguments.out)? {
        say(&format!("wrote {}\n", file.display()), "what was written")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(source: &Source, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let study = Study::read(&folders(source)?)?;
    study.values.experiments.values().for_each(tell_damage);
    let claims = file.map_or_else(claims::built_in, claims::read_file)?;
    let checks = claims::check(&claims, &serde_json::to_value(&study.values)?);
    let mut said: String = checks.iter().map(|check| format!("{check}\n")).collect();
    let contradicted = checks.iter().filter(|check| check.verdict.is_contradiction()).count();
    said.push_str(&format!("{contradicted} of {} claims contradicted\n", checks.len()));
    say(&said, "the verdicts")?;
    Ok(if contradicted == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints `table`, or holds what `document` shows in `block` to it.
fn show_or_check(block: Block, table: &str, document: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(path) = document else {
        say(table, "the table")?;
        return Ok(ExitCode::SUCCESS);
    };
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    block.check(&text, table).with_context(|| format!("{} is not up to date", path.display()))?;
    let said = format!("{}: the {} table is what the recordings give\n", path.display(), block.name);
    say(&said, "the verdict")?;
    Ok(ExitCode::SUCCESS)
}

fn folders(source: &Source) -> anyhow::Result<Vec<PathBuf>> {
    if source.recordings.is_empty() {
        return newest_of_each_experiment(&source.results);
    }
    Ok(source.recordings.clone())
}

fn summary(name: &str, experiment: &ExperimentValues) -> String {
    let runs = &experiment.runs;
    format!(
        "{name} {}: {} of {} runs count ({} flagged); {} invalid, {} failed, {} missing, {} damaged; {} gaps",
        experiment.recording,
        runs.valid + runs.flagged,
        runs.planned,
        runs.flagged,
        runs.invalid,
        runs.failed,
        runs.missing,
        runs.damaged,
        experiment.gaps.len()
    )
}

/// Lines of damage or gaps that are printed; a recording of another version is damaged in every run.
const TOLD_MAX: usize = 10;

fn tell_damage(experiment: &ExperimentValues) {
    for (kind, lines) in [("damaged", &experiment.damage), ("gap", &experiment.gaps)] {
        for line in lines.iter().take(TOLD_MAX) {
            note(format_args!("{kind}: {}/{line}", experiment.recording));
        }
        if let Some(rest @ 1..) = lines.len().checked_sub(TOLD_MAX) {
            note(format_args!("{kind}: and {rest} more; values.json has all of them"));
        }
    }
}
