//! A recording on disk: `manifest.json`, `host.json`, `spec.toml` and `runs/NNNN.json` in a folder of their own.
//!
//! Nothing is ever overwritten but the manifest, and that as a whole: whenever the runner dies, the folder holds the
//! manifest of some moment, and every file it names is there in full with the hash it names.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};
use uring_echo::measure::host::Host;
use uring_echo::record::{RunRecord, write_whole};

use crate::manifest::{FileEntry, Manifest, SCHEMA_VERSION, Status};

const MANIFEST: &str = "manifest.json";

/// An open recording.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    manifest: Manifest,
}

impl Recording {
    /// Begins `manifest`'s recording below `results`, with the text of its specification and what machine this is.
    ///
    /// # Errors
    /// When the folder is there already, or cannot be written.
    pub fn create(results: &Path, mut manifest: Manifest, spec: &str, host: &Host) -> anyhow::Result<Self> {
        let folder = results.join(&manifest.experiment).join(&manifest.recording);
        ensure!(!folder.exists(), "{} exists: a recording is never overwritten", folder.display());
        let runs = folder.join("runs");
        fs::create_dir_all(&runs)
            .with_context(|| format!("cannot create {}; choose another folder with --out", runs.display()))?;
        let mut host = serde_json::to_vec_pretty(host)?;
        host.push(b'\n');
        for (name, text) in [("spec.toml", spec.as_bytes()), ("host.json", host.as_slice())] {
            write(&folder.join(name), text)?;
            manifest.files.push(FileEntry { path: name.into(), sha256: sha256(text) });
        }
        let recording = Self { folder, manifest };
        recording.save()?;
        Ok(recording)
    }

    /// Opens the recording in `folder` to read it.
    ///
    /// # Errors
    /// When it has no manifest, or one that this build cannot read.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("cannot read {}; a recording is a folder results/<experiment>/<name>", path.display())
        })?;
        let manifest: Manifest =
            serde_json::from_str(&text).with_context(|| format!("{} is not a manifest", path.display()))?;
        ensure!(
            manifest.schema_version == SCHEMA_VERSION,
            "{} has schema version {}, this build reads {SCHEMA_VERSION}; use the build that wrote it",
            path.display(),
            manifest.schema_version
        );
        Ok(Self { folder: folder.into(), manifest })
    }

    /// The recording's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its table of contents.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the record of run `number` belongs.
    pub fn record_path(&self, number: usize) -> PathBuf {
        self.folder.join(record_name(number))
    }

    /// Enters what became of run `number` (counted from 1) and saves the manifest.
    ///
    /// # Errors
    /// When the run's record or the manifest cannot be read or written.
    ///
    /// # Panics
    /// When the recording has no such run.
    pub fn settle(&mut self, number: usize, status: Status, reasons: Vec<String>) -> anyhow::Result<()> {
        let path = self.record_path(number);
        let file = match fs::read(&path) {
            Ok(content) => Some(FileEntry { path: record_name(number), sha256: sha256(&content) }),
            Err(_) if status == Status::Failed => None,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let run = &mut self.manifest.runs[number - 1];
        (run.status, run.reasons, run.file) = (status, reasons, file);
        self.save()
    }

    /// Enters when the last run ended and saves the manifest.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn finish(&mut self, unix_ms: u64) -> anyhow::Result<()> {
        self.manifest.finished_unix_ms = Some(unix_ms);
        self.save()
    }

    /// The record of run `number`, after its hash was checked. `None` when it left none.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    ///
    /// # Panics
    /// When the recording has no such run.
    pub fn record(&self, number: usize) -> anyhow::Result<Option<RunRecord>> {
        let Some(entry) = &self.manifest.runs[number - 1].file else { return Ok(None) };
        let path = self.folder.join(&entry.path);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            sha256(&content) == entry.sha256,
            "{} was changed after it was recorded: its SHA-256 is not the one in the manifest",
            path.display()
        );
        Ok(Some(RunRecord::read(&path)?))
    }

    fn save(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.manifest)?;
        text.push(b'\n');
        write(&self.folder.join(MANIFEST), &text)
    }
}

fn record_name(number: usize) -> String {
    format!("runs/{number:04}.json")
}

fn write(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    write_whole(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
