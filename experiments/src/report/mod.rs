//! A recording as a table for the terminal and a verdict in plain words.

mod columns;
#[cfg(test)]
mod golden;
mod grid;
mod table;
mod verdict;

use crate::manifest::{Manifest, Status};
use crate::recording::Recording;

use grid::Grid;

/// The report of `recording`: title, a table for each mode, what was left out, the verdict.
///
/// # Errors
/// When a record that the manifest names is missing or was changed.
pub fn render(recording: &Recording) -> anyhow::Result<String> {
    Ok(text(recording.manifest(), &Grid::read(recording)?))
}

fn text(manifest: &Manifest, grid: &Grid) -> String {
    let mut lines = vec![headline(manifest)];
    for mode in grid.modes() {
        lines.push(String::new());
        lines.extend(columns::section(grid, mode));
    }
    lines.push(String::new());
    lines.extend(columns::legend(grid));
    lines.extend(left_out(manifest));
    lines.push(String::new());
    lines.extend(verdict::verdict(grid, manifest));
    lines.join("\n")
}

fn headline(manifest: &Manifest) -> String {
    let client: Vec<_> = manifest.client_cpus.iter().map(usize::to_string).collect();
    format!(
        "{} ({}), recording {}, seed {}, server on CPU {}, client on CPU {}",
        manifest.title,
        manifest.experiment,
        manifest.recording,
        manifest.seed,
        manifest.server_cpu,
        client.join(",")
    )
}

/// The runs that no figure above stands on, each with its reasons: a run is never dropped in silence.
fn left_out(manifest: &Manifest) -> Vec<String> {
    const LISTED_MAX: usize = 10;
    let (invalid, failed, planned) =
        (manifest.count(Status::Invalid), manifest.count(Status::Failed), manifest.count(Status::Planned));
    if invalid + failed + planned == 0 {
        return Vec::new();
    }
    let mut lines = vec![
        String::new(),
        format!("Of {} runs: {invalid} invalid, {failed} failed, {planned} not made.", manifest.runs.len()),
    ];
    let bad: Vec<_> =
        manifest.runs.iter().filter(|run| matches!(run.status, Status::Invalid | Status::Failed)).collect();
    lines.extend(bad.iter().take(LISTED_MAX).map(|run| {
        format!(
            "  run {:04} ({} {} x {}, {}, repetition {}): {}",
            run.number,
            run.mode,
            crate::format::bytes(run.payload_bytes),
            run.connections,
            run.engine,
            run.repetition,
            run.reasons.join("; ")
        )
    }));
    if bad.len() > LISTED_MAX {
        lines.push(format!("  and {} more, see the manifest", bad.len() - LISTED_MAX));
    }
    lines
}
