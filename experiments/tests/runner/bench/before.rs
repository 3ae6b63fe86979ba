//! A recording in the layout of schema version 2, a file for each record, made of one of today.

use std::fs;
use std::path::Path;

use experiments::recording::Recording;
use experiments::recording::manifest::{Manifest, RecordEntry, RunEntry};
use serde_json::{Value, json};
use uring_echo::hash::sha256;

use super::manifest_of;

/// The hash of every document that the recording in `folder` has, in its order.
pub(crate) fn hashes(folder: &Path) -> Vec<String> {
    manifest_of(folder).record_entries().map(|entry| entry.sha256.clone()).collect()
}

/// Makes the recording in `folder` what the runner of that version would have left.
pub(crate) fn make(folder: &Path) {
    let recording = Recording::open(folder).unwrap();
    fs::create_dir(folder.join("runs")).unwrap();
    let mut text = unsigned(recording.manifest());
    for run in &recording.manifest().runs {
        for (attempt, entry) in run.attempts().map(|attempt| attempt.record.as_ref()).enumerate() {
            let Some(entry) = entry else { continue };
            let path = name(run, attempt);
            fs::write(folder.join(&path), recording.document(entry).unwrap()).unwrap();
            text =
                text.replace(&line_part("record", &json_of(entry)), &line_part("file", &file(&path, entry)));
        }
    }
    let text = text.replace("\"record\":null", "\"file\":null");
    let signature = format!("\"sha256\": \"{}\"\n}}", sha256(text.as_bytes()));
    fs::write(folder.join("manifest.json"), text.replace("\"sha256\": \"\"\n}", &signature)).unwrap();
    fs::remove_file(folder.join("runs.zst")).unwrap();
}

fn name(run: &RunEntry, attempt: usize) -> String {
    match attempt {
        0 => format!("runs/{:04}.json", run.number),
        attempt => format!("runs/{:04}-{}.json", run.number, attempt + 1),
    }
}

/// The text of `manifest` without its signature, and without what that version did not have.
fn unsigned(manifest: &Manifest) -> String {
    let text = manifest.text().replace(&manifest_signature(manifest), "\"sha256\": \"\"\n}");
    let begin = text.find("  \"records\": {").unwrap();
    let end = begin + text[begin..].find("  },\n").unwrap() + "  },\n".len();
    (text[..begin].to_owned() + &text[end..]).replace("\"schema_version\": 3", "\"schema_version\": 2")
}

fn manifest_signature(manifest: &Manifest) -> String {
    let signed: Manifest = serde_json::from_str(&manifest.text()).unwrap();
    format!("\"sha256\": \"{}\"\n}}", signed.sha256)
}

fn file(path: &str, entry: &RecordEntry) -> Value {
    json!({"path": path, "sha256": entry.sha256})
}

fn json_of(entry: &RecordEntry) -> String {
    serde_json::to_string(entry).unwrap()
}

fn line_part(key: &str, value: &impl ToString) -> String {
    format!("\"{key}\":{}", value.to_string())
}
