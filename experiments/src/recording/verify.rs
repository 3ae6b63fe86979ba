//! Whether a recording is what its manifest says: nothing missing, nothing changed, nothing besides.

use std::fs;
use std::path::Path;

use anyhow::Context;
use uring_echo::record::RunRecord;

use crate::recording::manifest::{Attempt, Manifest, RunEntry, Status};
use crate::recording::{self, MANIFEST, Recording};

/// What is wrong with the recording in `folder`, a sentence each; nothing when it is whole.
///
/// # Errors
/// When there is no manifest that this build can read.
pub fn faults(folder: &Path) -> anyhow::Result<Vec<String>> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}; a recording is a folder results/<experiment>/<name>", path.display())
    })?;
    let manifest = recording::parse(&text, &path)?;
    let recording = Recording::open(folder)?;
    let mut faults = of_manifest(&manifest, &text);
    faults.extend(
        manifest.files.iter().filter_map(|file| recording.read(file).err()).map(|e| format!("{e:#}")),
    );
    for run in &manifest.runs {
        faults.extend(run.attempts().filter_map(|attempt| of_attempt(&recording, run, attempt)));
    }
    faults
        .extend(recording.unnamed()?.iter().map(|path| format!("{} is not in the manifest", path.display())));
    let missing = manifest.count(Status::Planned);
    if missing > 0 {
        faults.push(format!(
            "incomplete: {missing} of {} runs are not made; --resume does",
            manifest.runs.len()
        ));
    }
    Ok(faults)
}

fn of_manifest(manifest: &Manifest, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if manifest.text() != text {
        faults.push(format!("{MANIFEST} was changed after it was written: its SHA-256 is not the one in it"));
    }
    let misnumbered = (1..).zip(&manifest.runs).find(|(number, run)| run.number != *number);
    faults.extend(misnumbered.map(|(number, run)| format!("run {} stands in place {number}", run.number)));
    faults
}

fn of_attempt(recording: &Recording, run: &RunEntry, attempt: &Attempt) -> Option<String> {
    let number = run.number;
    let Some(file) = &attempt.file else {
        let must_have = matches!(attempt.status, Status::Valid | Status::Invalid);
        return must_have.then(|| format!("run {number} has no record and is not said to have failed"));
    };
    if let Err(error) = recording.read(file) {
        return Some(format!("{error:#}"));
    }
    match RunRecord::read(&recording.folder().join(&file.path)) {
        Err(error) => Some(error.to_string()),
        Ok(record) => {
            let expected = format!("{}/{number:04}", recording.manifest().recording);
            (record.run_id != expected)
                .then(|| format!("{} is the record of run {}, not of {expected}", file.path, record.run_id))
        }
    }
}
