//! A recording as a table for the terminal and a verdict in plain words.

pub mod counts;
pub mod format;
pub mod trend;

mod ablation;
mod columns;
mod control;
mod fairness;
#[cfg(test)]
mod golden;
mod grid;
mod instructions;
mod latency;
mod metric;
mod scale;
mod verdict;

use uring_echo::cpu_list;
use uring_echo::words::plural;

use crate::clock::Clock;
use crate::recording::Recording;
use crate::recording::manifest::{Manifest, RunEntry, Status};
use crate::recording::names::in_present_names;
use crate::spec::Table;

use control::Controls;
use grid::Grid;
use metric::Metric;

/// The report of `recording`: title, tables, what was left out or flagged, the verdict.
///
/// # Errors
/// When a record that the manifest names is missing or was changed.
pub fn render(recording: &Recording) -> anyhow::Result<String> {
    let controls = Controls::read(recording)?;
    Ok(text(recording.manifest(), &Grid::read(recording, &controls)?, &controls))
}

/// The reports of `recordings` side by side: of one, its own; of counts on several kernels, what changed from each to the next.
///
/// # Errors
/// As [`render`]; when several are not counts.
pub fn side_by_side(recordings: &[Recording]) -> anyhow::Result<String> {
    match recordings {
        [recording] => render(recording),
        _ => Ok(trend::Trend::of(recordings)?.lines().join("\n")),
    }
}

fn text(manifest: &Manifest, grid: &Grid, controls: &Controls) -> String {
    let mut lines = vec![headline(manifest)];
    let now = in_present_names(manifest);
    if now.experiment != manifest.experiment {
        lines.push(format!("It has the names of its time: the experiment is called {} now.", now.experiment));
    }
    if manifest.clock == Clock::Instructions {
        lines.extend(instructions::section(grid));
        lines.extend(left_out(manifest));
        return lines.join("\n");
    }
    lines.extend(match manifest.table {
        Table::Grid => by_mode(grid),
        Table::Latency => latency::section(grid),
        Table::Fairness => fairness::section(grid, manifest),
        Table::Scale => scale::section(grid),
        Table::Ablation => ablation::section(grid, manifest),
    });
    let judges = grid.in_flight().map(|of| (of, grid.judge(of, Metric::CpuPerMessage)));
    lines.extend(controls.lines(judges));
    lines.extend(left_out(manifest));
    if manifest.table == Table::Grid {
        lines.push(String::new());
        lines.extend(verdict::verdict(grid, manifest));
    }
    lines.join("\n")
}

fn by_mode(grid: &Grid) -> Vec<String> {
    let mut lines = Vec::new();
    for workload in grid.workloads() {
        lines.push(String::new());
        lines.extend(columns::section(grid, workload));
    }
    lines.push(String::new());
    lines.extend(columns::legend(grid));
    lines
}

fn headline(manifest: &Manifest) -> String {
    format!(
        "{} ({}), recording {}, seed {}, server on CPU {}, client on CPU {}",
        manifest.title,
        manifest.experiment,
        manifest.recording,
        manifest.seed,
        manifest.server_cpu,
        cpu_list::written(&manifest.client_cpus)
    )
}

/// The runs that no figure above stands on, each with its reasons, and those that noise touched: a run is never
/// dropped in silence.
fn left_out(manifest: &Manifest) -> Vec<String> {
    let (invalid, failed, planned) =
        (manifest.count(Status::Invalid), manifest.count(Status::Failed), manifest.count(Status::Planned));
    let mut lines = Vec::new();
    if invalid + failed + planned > 0 {
        let count = manifest.runs.len();
        let count = plural(count, "run");
        lines.push(format!("Of {count}: {invalid} invalid, {failed} failed, {planned} not made."));
        lines.extend(first_ten(manifest, |run| match run.attempt.status {
            Status::Invalid | Status::Failed => run.attempt.reasons.clone(),
            Status::Planned | Status::Valid => Vec::new(),
        }));
    }
    let flagged = manifest.runs.iter().filter(|run| !run.attempt.flags.is_empty()).count();
    let repeated = manifest.repeated_for_noise();
    if flagged + repeated > 0 {
        lines.push(noise(repeated, flagged));
        lines.extend(first_ten(manifest, |run| run.attempt.flags.clone()));
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

fn noise(repeated: usize, flagged: usize) -> String {
    format!("Noise: {} made once more; {flagged} with a flag.", plural(repeated, "run"))
}

/// The first runs of which `says` says something.
fn first_ten(manifest: &Manifest, says: impl Fn(&RunEntry) -> Vec<String>) -> Vec<String> {
    const LISTED_MAX: usize = 10;
    let told: Vec<_> = manifest.runs.iter().filter(|run| !says(run).is_empty()).collect();
    let line = |run: &&RunEntry| {
        let (number, factors, engine) = (run.number, &run.factors, &run.engine);
        format!(
            "  run {number:04} ({factors}, {engine}, repetition {}): {}",
            run.repetition,
            says(run).join("; ")
        )
    };
    let mut lines: Vec<_> = told.iter().take(LISTED_MAX).map(line).collect();
    if told.len() > LISTED_MAX {
        lines.push(format!("  and {} more, see the manifest", told.len() - LISTED_MAX));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_is_no_runs() {
        assert_eq!(noise(1, 1), "Noise: 1 run made once more; 1 with a flag.");
        assert_eq!(noise(2, 0), "Noise: 2 runs made once more; 0 with a flag.");
    }
}
