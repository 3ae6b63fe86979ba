//! Writes what was analysed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use polars::prelude::DataFrame;

use crate::study::Study;
use crate::{frame, table};

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
    }
    let frames: [(&str, DataFrame); 3] = [
        ("runs.parquet", frame::runs(&study.recordings)?),
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

fn save(path: &Path, content: &[u8], files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    files.push(path.into());
    Ok(())
}
