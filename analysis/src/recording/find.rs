//! Which recordings to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::guest::is_functional_only;
use experiments::recording::manifest::{Manifest, Status};
use experiments::recording::{MANIFEST, Recording};

/// The experiment that is recorded once on each kernel, and whose recordings are read together: see `kernels`.
pub(crate) const OF_EACH_KERNEL: &str = "kernels";

/// The newest recording of each experiment below `results`, which holds `<experiment>/<recording>/manifest.json`. Names
/// of recordings begin with their time, so the last name is the newest. Recordings made under emulation are passed over,
/// and those in which no run was made yet while there is another.
///
/// # Errors
/// When `results` cannot be read or holds no recording, or none that was not made under emulation.
pub fn newest_of_each_experiment(results: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let each = measured_by_experiment(results)?;
    let newest = |recordings: Vec<PathBuf>| {
        recordings.iter().rev().find(|folder| !is_empty(folder)).or(recordings.last()).cloned()
    };
    Ok(each.into_iter().filter_map(newest).collect())
}

/// Whether no run of the recording in `folder` was made: what a start that failed leaves behind must not take the place of
/// what was measured before.
fn is_empty(folder: &Path) -> bool {
    let is_planned = |manifest: &Manifest| manifest.count(Status::Planned) == manifest.runs.len();
    Recording::open(folder).is_ok_and(|recording| is_planned(recording.manifest()))
}

/// Every recording below `results` but those made under emulation, from the oldest to the newest.
pub(crate) fn all(results: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut recordings = measured_by_experiment(results)?.concat();
    recordings.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    Ok(recordings)
}

/// The recordings of each experiment from the oldest to the newest, without those made under emulation.
fn measured_by_experiment(results: &Path) -> anyhow::Result<Vec<Vec<PathBuf>>> {
    let (mut each, mut emulated_count) = (Vec::new(), 0);
    let is_alone = |folder: &PathBuf| !folder.ends_with(OF_EACH_KERNEL);
    for experiment in folders(results)?.into_iter().filter(is_alone) {
        let recordings = folders(&experiment).unwrap_or_default();
        let (emulated, measured): (Vec<_>, Vec<_>) = recordings
            .into_iter()
            .filter(|folder| folder.join(MANIFEST).is_file())
            .partition(|it| is_emulated(it));
        emulated_count += emulated.len();
        each.push(measured);
    }
    match (each.concat().len(), emulated_count) {
        (0, 0) => bail!(
            "{} holds no recording; make one with `experiments quick`, or name another folder with --results",
            results.display()
        ),
        (0, count) => bail!(
            "{} holds no recording but {count} made under emulation, which say nothing about speed; make one with \
             `experiments quick`, or name another folder with --results",
            results.display()
        ),
        _ => Ok(each),
    }
}

/// Whether `folder` is known to be of an emulated guest. Where that cannot be read, the recording stays among the others:
/// reading it then fails and says why, instead of another one silently taking its place.
fn is_emulated(folder: &Path) -> bool {
    is_functional_only(folder).unwrap_or(false)
}

/// Refuses two recordings of one experiment among `named`, given with their experiments.
///
/// # Errors
/// When there are two: their numbers would stand under the same key.
pub(crate) fn one_of_each_experiment<'a>(
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
pub(crate) fn folders(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(parent).with_context(|| format!("cannot read {}", parent.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}
