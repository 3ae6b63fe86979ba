//! Writes what was analysed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use polars::prelude::DataFrame;

use crate::figure::study::{Origin, answer, chapters};
use crate::study::Study;
use crate::{changes, claims, frame, metric, report, table};

/// Writes everything that `study` gives into the folder `out` and returns the files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(study: &Study, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let tables = out.join("tables");
    fs::create_dir_all(&tables)
        .with_context(|| format!("cannot create {}; choose another folder with --out", tables.display()))?;
    save(&out.join("values.json"), study.values.to_json()?.as_bytes(), &mut files)?;
    save(&tables.join("published_2023.csv"), &table::csv(&study.values.published_2023)?, &mut files)?;
    for (name, experiment) in &study.values.experiments {
        save(&tables.join(format!("{name}.csv")), &table::csv(&experiment.grid)?, &mut files)?;
        if study.is_ablation(name) {
            let changes = table::text(&mut changes::frame(&changes::changes(experiment))?)?;
            save(&tables.join(format!("{name}_changes.csv")), &changes, &mut files)?;
        }
    }
    draw(study, out, &mut files)?;
    let frames: [(&str, DataFrame); 3] = [
        ("runs.parquet", frame::runs(&study.recordings, metric::ALL)?),
        ("connections.parquet", frame::connections(&study.recordings)?),
        ("series.parquet", frame::series(&study.recordings)?),
    ];
    for (name, mut frame) in frames {
        let path = out.join(name);
        frame::write_parquet(&mut frame, &path)?;
        files.push(path);
    }
    Ok(files)
}

/// Draws every figure, and the page that shows them.
fn draw(study: &Study, out: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let origin = origin(study);
    let chapters = chapters(study, &origin)?;
    let figures = out.join("figures");
    let answer = answer(study, &origin);
    for drawn in answer.iter().chain(chapters.iter().flat_map(|chapter| &chapter.figures)) {
        files.extend(drawn.figure.write(&figures)?);
    }
    let claims = claims::built_in()?;
    let checks = claims::check(&claims, &serde_json::to_value(&study.values)?);
    let page = report::of_study::report(study, answer, chapters, &checks, &origin).html();
    save(&out.join("report.html"), page.as_bytes(), files)
}

/// What draws the figures, and how it is asked to do it again.
fn origin(study: &Study) -> Origin {
    let folder = |recording: &crate::recording::Recording| {
        format!(" results/{}/{}", recording.experiment(), recording.manifest.recording)
    };
    let folders: String = study.recordings.iter().map(folder).collect();
    let revision = option_env!("URING_ECHO_REVISION").map(str::to_owned);
    Origin { revision, command: format!("cargo run --release --package analysis --{folders}") }
}

fn save(path: &Path, content: &[u8], files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    files.push(path.into());
    Ok(())
}
