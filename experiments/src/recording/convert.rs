//! From the layout of schema version 2, a file for each record, to the present one, a file for all.
//!
//! Every document stays byte for byte what it was, so the hash that the manifest has of it stays, too. The old files are
//! the recording until the new manifest is in place, and go after that. So a conversion that is killed anywhere leaves one
//! that is whole, and is finished by doing it again.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use uring_echo::hash::{sha256, sha256_of_file};
use uring_echo::record::write_whole;

use crate::recording::manifest::{FileEntry, Manifest, RecordEntry, RecordsEntry, SCHEMA_VERSION};
use crate::recording::records::{Reader, Records};
use crate::recording::{MANIFEST, Recording, lock};

/// The schema version of the manifest that is converted.
pub(super) const SCHEMA_VERSION_BEFORE: u64 = 2;

/// The folder of the records in that layout.
const RUNS: &str = "runs";

/// What a conversion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Records that were moved.
    records: usize,
    /// Old files that were removed.
    removed: usize,
    /// Files in the old folder that no manifest names. They were left where they are.
    unknown: usize,
}

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { records: 0, removed: 0, .. } => write!(f, "in the present layout already")?,
            Self { records, removed, .. } => {
                write!(f, "{records} records moved, {removed} old files removed")?;
            }
        }
        match self.unknown {
            0 => Ok(()),
            count => write!(f, "; {count} files in {RUNS}/ are of no run and were left there"),
        }
    }
}

/// Whether the recording in `folder` is one of the layout of before.
pub fn is_to_convert(folder: &Path) -> bool {
    let text = fs::read(folder.join(MANIFEST)).unwrap_or_default();
    serde_json::from_slice(&text).is_ok_and(|manifest: Value| is_before(&manifest))
}

fn is_before(manifest: &Value) -> bool {
    manifest["schema_version"] == json!(SCHEMA_VERSION_BEFORE)
}

/// Moves the recording in `folder` to the present layout; finishes what was begun.
///
/// # Errors
/// When it is damaged, then it stays as it was; when a runner is at it; when it cannot be written.
pub fn convert(folder: &Path) -> anyhow::Result<Converted> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}; a recording is a folder results/<experiment>/<name>", path.display())
    })?;
    let _lock = lock(folder)?;
    let manifest: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not a manifest", path.display()))?;
    let mut records = 0;
    if is_before(&manifest) {
        check_signature(&text, &manifest, &path)?;
        let manifest = pack(folder, manifest)?;
        records = manifest.record_entries().count();
        write_whole(&path, manifest.text().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let recording = Recording::open(folder)?;
    recording.remove_strays()?;
    let (removed, unknown) = remove_old(&recording)?;
    Ok(Converted { records, removed, unknown })
}

/// Refuses a manifest that was edited: its new signature would hide that.
fn check_signature(text: &str, manifest: &Value, path: &Path) -> anyhow::Result<()> {
    let signature = manifest["sha256"].as_str().unwrap_or_default();
    let unsigned = text.replace(&format!("\"sha256\": \"{signature}\"\n}}"), "\"sha256\": \"\"\n}");
    ensure!(
        sha256(unsigned.as_bytes()) == signature,
        "{} was changed after it was written: its SHA-256 is not the one in it",
        path.display()
    );
    Ok(())
}

/// Writes every document that `manifest` names into one file and reads it back; the manifest that names them there.
fn pack(folder: &Path, mut manifest: Value) -> anyhow::Result<Manifest> {
    let mut records = Records::create(folder)?;
    for run in manifest["runs"].as_array_mut().context("the manifest has no runs")? {
        let superseded = run["superseded"].as_array_mut().into_iter().flatten();
        for attempt in superseded {
            append(folder, attempt, &mut records)?;
        }
        append(folder, run, &mut records)?;
    }
    let all = records.sync().with_context(|| format!("cannot write {}", records.path().display()))?;
    File::open(folder).and_then(|folder| folder.sync_all()).context("cannot sync the folder")?;
    enter(&mut manifest, &all);
    let manifest = Manifest::deserialize(manifest).context("the manifest is damaged")?;
    let reader = Reader::new(folder);
    manifest.record_entries().try_for_each(|entry| reader.document(entry).map(drop))?;
    Ok(manifest)
}

/// Moves the record of `attempt`, if it left one, to the end of `records`.
fn append(folder: &Path, attempt: &mut Value, records: &mut Records) -> anyhow::Result<()> {
    let attempt = attempt.as_object_mut().context("an entry of the manifest's runs is none")?;
    let file = attempt.remove("file").unwrap_or_default();
    let entry = Option::<FileEntry>::deserialize(file)?.map(|file| moved(folder, &file, records));
    attempt.insert("record".into(), json!(entry.transpose()?));
    Ok(())
}

fn moved(folder: &Path, file: &FileEntry, records: &mut Records) -> anyhow::Result<RecordEntry> {
    let path = folder.join(&file.path);
    let document = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        sha256(&document) == file.sha256,
        "{} was changed after it was recorded: its SHA-256 is not the one in the manifest",
        path.display()
    );
    records.append(&document).with_context(|| format!("cannot write {}", records.path().display()))
}

fn enter(manifest: &mut Value, records: &RecordsEntry) {
    manifest["schema_version"] = json!(SCHEMA_VERSION);
    manifest["records"] = json!(records);
}

/// Removes the old files that `recording` holds by now. How many, and how many others there are.
fn remove_old(recording: &Recording) -> anyhow::Result<(usize, usize)> {
    let runs = recording.folder().join(RUNS);
    if !runs.is_dir() {
        return Ok((0, 0));
    }
    let held: std::collections::BTreeSet<_> =
        recording.manifest().record_entries().map(|entry| entry.sha256.as_str()).collect();
    let list = fs::read_dir(&runs).with_context(|| format!("cannot read {}", runs.display()))?;
    let paths: Vec<PathBuf> = list.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let is_held = |path: &PathBuf| sha256_of_file(path).is_ok_and(|sha256| held.contains(sha256.as_str()));
    let (old, unknown): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_held);
    for path in &old {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    if unknown.is_empty() {
        fs::remove_dir(&runs).with_context(|| format!("cannot remove {}", runs.display()))?;
    }
    Ok((old.len(), unknown.len()))
}
