//! Whether a recording is what its manifest says: nothing missing, nothing changed, nothing besides.

use std::fs::{self, File};
use std::path::Path;

use anyhow::Context;
use uring_echo::words::plural;

use crate::recording::manifest::{Attempt, Manifest, RunEntry, Status};
use crate::recording::records;
use crate::recording::{self, MANIFEST, RECORDS, Recording};

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
        manifest.files.iter().filter_map(|file| recording.read_file(file).err()).map(|e| format!("{e:#}")),
    );
    faults.extend(of_records(&manifest, folder));
    // Without the file, each of its records would say no more than that.
    if folder.join(RECORDS).exists() {
        let attempts = manifest.runs.iter().flat_map(|run| run.attempts().map(move |attempt| (run, attempt)));
        faults.extend(attempts.filter_map(|(run, attempt)| of_attempt(&recording, run, attempt)));
    }
    faults
        .extend(recording.unnamed()?.iter().map(|path| format!("{} is not in the manifest", path.display())));
    let missing = manifest.count(Status::Planned);
    if missing > 0 {
        let runs = plural(manifest.runs.len(), "run");
        faults.push(format!("incomplete: {missing} of {runs} not made; --resume makes what is missing"));
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
    let Some(entry) = &attempt.record else {
        let must_have = matches!(attempt.status, Status::Valid | Status::Invalid);
        return must_have.then(|| format!("run {number} has no record and is not said to have failed"));
    };
    let manifest = recording.manifest();
    let expected = format!("{}/{number:04}", manifest.recorded_as.as_ref().unwrap_or(&manifest.recording));
    match recording.record_of(entry) {
        Err(error) => Some(format!("run {number}: {error:#}")),
        Ok(record) => (record.run_id != expected)
            .then(|| format!("run {number} has the record of run {}, not of {expected}", record.run_id)),
    }
}

/// What is wrong with the file of the records, whatever is in its frames: some bits of a frame change nothing that is read.
fn of_records(manifest: &Manifest, folder: &Path) -> Vec<String> {
    let path = folder.join(&manifest.records.path);
    let mut faults = of_places(manifest);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => return vec![format!("cannot read {}: {error}", path.display())],
    };
    faults.extend(records::check(&path, &file, &manifest.records).err().map(|error| format!("{error:#}")));
    let length_bytes = file.metadata().map_or(0, |metadata| metadata.len());
    if let Some(behind @ 1..) = length_bytes.checked_sub(manifest.records.length_bytes) {
        faults.push(format!("the end of {}, {behind} bytes, is not in the manifest", path.display()));
    }
    faults
}

/// Frames that do not lie one behind the other, from the beginning of the file to its end.
fn of_places(manifest: &Manifest) -> Vec<String> {
    let mut entries: Vec<_> = manifest.record_entries().collect();
    entries.sort_by_key(|entry| entry.offset_bytes);
    let ends = [0].into_iter().chain(entries.iter().map(|entry| entry.end_bytes()));
    let begins = entries.iter().map(|entry| entry.offset_bytes).chain([manifest.records.length_bytes]);
    let path = &manifest.records.path;
    ends.zip(begins)
        .filter(|(end, begin)| end != begin)
        .map(|(end, begin)| format!("{path}: a frame ends at byte {end} and the next begins at {begin}"))
        .collect()
}
