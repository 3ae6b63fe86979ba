//! Which recordings to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// The newest recording of each experiment below `results`, which holds `<experiment>/<recording>/manifest.json`. Names
/// of recordings begin with their time, so the last name is the newest.
///
/// # Errors
/// When `results` cannot be read or holds no recording.
pub fn newest_of_each_experiment(results: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let newest: Vec<PathBuf> = folders(results)?
        .iter()
        .filter_map(|experiment| {
            let recordings = folders(experiment).ok()?;
            recordings.into_iter().rfind(|folder| folder.join("manifest.json").is_file())
        })
        .collect();
    ensure!(
        !newest.is_empty(),
        "{} holds no recording; make one with `experiments quick`, or name another folder with --results",
        results.display()
    );
    Ok(newest)
}

/// Refuses two recordings of one experiment among `named`, given with their experiments.
///
/// # Errors
/// When there are two: their numbers would stand under the same key.
pub fn one_of_each_experiment<'a>(
    named: impl IntoIterator<Item = (&'a str, &'a Path)>,
) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for (experiment, folder) in named {
        if let Some(other) = seen.insert(experiment, folder) {
            let (other, folder) = (other.display(), folder.display());
            bail!("{other} and {folder} are both recordings of '{experiment}'; name one of them");
        }
    }
    Ok(())
}

/// The folders in `parent` by name.
fn folders(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(parent).with_context(|| format!("cannot read {}", parent.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}
