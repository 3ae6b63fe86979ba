//! A recording on disk: `manifest.json`, `host.json`, `spec.toml` and `runs/NNNN.json` in a folder of their own.
//!
//! Nothing is ever overwritten but the manifest, and that as a whole: whenever the runner dies, the folder holds the
//! manifest of some moment, and every file it names is there in full with the hash it names.

pub mod hash;
pub mod manifest;
pub mod resume;
pub mod timestamp;
pub mod verify;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use uring_echo::measure::host::Host;
use uring_echo::record::{RunRecord, write_whole};

use crate::plan::Role;
use crate::recording::hash::sha256;
use crate::recording::manifest::{Attempt, FileEntry, Manifest, RunEntry, SCHEMA_VERSION, Status};
use crate::report::statistics::median;
use crate::spec::factors::Factors;

/// Name of the manifest in a recording's folder.
pub const MANIFEST: &str = "manifest.json";
/// Name of the specification.
pub const SPEC: &str = "spec.toml";
/// Name of the description of the machine.
pub const HOST: &str = "host.json";
/// Name of the folder of the records.
pub const RUNS: &str = "runs";

/// An open recording.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    manifest: Manifest,
    /// Held while runs are made: two runners would make the same ones.
    lock: Option<File>,
}

impl Recording {
    /// Begins `manifest`'s recording below `results`, with the text of its specification and what machine this is.
    ///
    /// # Errors
    /// When the folder is there already, or cannot be written.
    pub fn create(results: &Path, mut manifest: Manifest, spec: &str, host: &Host) -> anyhow::Result<Self> {
        let folder = results.join(&manifest.experiment).join(&manifest.recording);
        ensure!(!folder.exists(), "{} exists: a recording is never overwritten", folder.display());
        let runs = folder.join(RUNS);
        fs::create_dir_all(&runs)
            .with_context(|| format!("cannot create {}; choose another folder with --out", runs.display()))?;
        let lock = lock(&folder)?;
        let mut host = serde_json::to_vec_pretty(host)?;
        host.push(b'\n');
        for (name, text) in [(SPEC, spec.as_bytes()), (HOST, host.as_slice())] {
            write(&folder.join(name), text)?;
            manifest.files.push(FileEntry { path: name.into(), sha256: sha256(text) });
        }
        let recording = Self { folder, manifest, lock: Some(lock) };
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
        Ok(Self { folder: folder.into(), manifest: parse(&text, &path)?, lock: None })
    }

    /// Opens the recording in `folder` to add runs to it, and clears away what a runner that died has left half done.
    ///
    /// # Errors
    /// As [`open`](Self::open); when another runner is at it.
    pub fn reopen(folder: &Path) -> anyhow::Result<Self> {
        let lock = lock(folder)?;
        let recording = Self { lock: Some(lock), ..Self::open(folder)? };
        recording.remove_strays()?;
        Ok(recording)
    }

    /// The recording's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its table of contents.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the next record of run `number` belongs: a second attempt does not overwrite the first.
    pub fn record_path(&self, number: usize) -> PathBuf {
        self.folder.join(self.record_name(number))
    }

    fn record_name(&self, number: usize) -> String {
        let entry = &self.manifest.runs[number - 1];
        let made = entry.attempts().filter(|attempt| attempt.status != Status::Planned).count();
        match made {
            0 => format!("{RUNS}/{number:04}.json"),
            made => format!("{RUNS}/{number:04}-{}.json", made + 1),
        }
    }

    /// Enters `attempt` at run `number` (counted from 1), whose record, if any, is where [`record_path`] said, and
    /// saves the manifest. The attempt before it, if there was one, is superseded; but a valid one stands when the new one
    /// is not valid.
    ///
    /// [`record_path`]: Self::record_path
    ///
    /// # Errors
    /// When the run's record or the manifest cannot be read or written.
    ///
    /// # Panics
    /// When the recording has no such run.
    pub fn settle(&mut self, number: usize, attempt: Attempt) -> anyhow::Result<()> {
        let name = self.record_name(number);
        let path = self.folder.join(&name);
        let file = match fs::read(&path) {
            Ok(content) => Some(FileEntry { path: name, sha256: sha256(&content) }),
            Err(_) if attempt.status == Status::Failed => None,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let entry = &mut self.manifest.runs[number - 1];
        let mut attempt = Attempt { file, ..attempt };
        if entry.attempt.status != Status::Valid || attempt.status == Status::Valid {
            std::mem::swap(&mut entry.attempt, &mut attempt);
        }
        if attempt.status != Status::Planned {
            entry.superseded.push(attempt);
        }
        self.save()
    }

    /// Adds the file `name` with `text`, of what is known only after the last run, and saves the manifest.
    ///
    /// # Errors
    /// When the recording has such a file, or it cannot be written.
    pub fn add(&mut self, name: &str, text: &[u8]) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        ensure!(!path.exists(), "{} exists: a recording is never overwritten", path.display());
        write(&path, text)?;
        self.manifest.files.push(FileEntry { path: name.into(), sha256: sha256(text) });
        self.save()
    }

    /// Enters when it was taken up again and saves the manifest.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn resumed(&mut self, unix_ms: u64) -> anyhow::Result<()> {
        self.manifest.resumed_unix_ms.push(unix_ms);
        self.manifest.finished_unix_ms = None;
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

    /// A file of the recording as a whole, after its hash was checked.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn file(&self, name: &str) -> anyhow::Result<String> {
        let entry = self.manifest.files.iter().find(|entry| entry.path == name);
        let entry = entry.with_context(|| format!("the manifest does not name {name}"))?;
        Ok(String::from_utf8(self.read(entry)?)?)
    }

    /// The record of run `number`, after its hash was checked. `None` when it left none.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    ///
    /// # Panics
    /// When the recording has no such run.
    pub fn record(&self, number: usize) -> anyhow::Result<Option<RunRecord>> {
        let Some(entry) = &self.manifest.runs[number - 1].attempt.file else { return Ok(None) };
        self.read(entry)?;
        Ok(Some(RunRecord::read(&self.folder.join(&entry.path))?))
    }

    /// Content of the file that `entry` names, after its hash was checked.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn read(&self, entry: &FileEntry) -> anyhow::Result<Vec<u8>> {
        let path = self.folder.join(&entry.path);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            sha256(&content) == entry.sha256,
            "{} was changed after it was recorded: its SHA-256 is not the one in the manifest",
            path.display()
        );
        Ok(content)
    }

    /// Messages per second that the slower engine can do in the closed cell `factors`, from its calibration.
    ///
    /// # Errors
    /// When an engine has no valid calibration there, or its record cannot be read.
    pub fn capacity(&self, factors: &Factors) -> anyhow::Result<f64> {
        let mut capacity = f64::INFINITY;
        for engine in &self.manifest.engines {
            let is_its = |run: &&RunEntry| {
                run.role == Role::Calibration && run.engine == engine.name && run.factors == *factors
            };
            let mut rates = Vec::new();
            for run in self.manifest.runs.iter().filter(is_its) {
                let record = self.record(run.number)?.filter(|_| run.attempt.status == Status::Valid);
                rates.extend(record.and_then(|record| Some(record.summary?.messages_per_s)));
            }
            let rate = median(&rates).with_context(|| {
                format!(
                    "no calibration of {} in {} is valid, so a share of it is nothing",
                    engine.name,
                    factors.key()
                )
            })?;
            capacity = capacity.min(rate);
        }
        Ok(capacity)
    }

    /// Removes what a runner that died can have left: a record whose run was not entered, a temporary file.
    fn remove_strays(&self) -> anyhow::Result<()> {
        let is_ours = |path: &Path| {
            path.starts_with(self.folder.join(RUNS)) || path.extension().is_some_and(|end| end == "tmp")
        };
        for path in self.unnamed()?.into_iter().filter(|path| is_ours(path)) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Files in the folder that the manifest does not name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn unnamed(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut known = vec![self.folder.join(MANIFEST)];
        known.extend(self.manifest.named().map(|entry| self.folder.join(&entry.path)));
        let mut unnamed = Vec::new();
        for folder in [self.folder.clone(), self.folder.join(RUNS)] {
            let list = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
            for entry in list {
                let path = entry?.path();
                if !known.contains(&path) && path != self.folder.join(RUNS) {
                    unnamed.push(path);
                }
            }
        }
        unnamed.sort();
        Ok(unnamed)
    }

    fn save(&self) -> anyhow::Result<()> {
        debug_assert!(self.lock.is_some(), "only an opened recording is written");
        write(&self.folder.join(MANIFEST), self.manifest.text().as_bytes())
    }
}

/// The manifest in `text`, which was read from `path`.
///
/// # Errors
/// When it is none, or one that this build cannot read.
pub fn parse(text: &str, path: &Path) -> anyhow::Result<Manifest> {
    let torn = || format!("{} is not a manifest", path.display());
    let value: Value = serde_json::from_str(text).with_context(torn)?;
    let version = value.get("schema_version").and_then(Value::as_u64);
    ensure!(
        version == Some(SCHEMA_VERSION.into()),
        "{} has schema version {}, this build reads {SCHEMA_VERSION}; use the build that wrote it",
        path.display(),
        version.map_or("none".into(), |version| version.to_string())
    );
    Manifest::deserialize(value).with_context(torn)
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another runner is making the runs of {}", folder.display()),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", folder.display()))
        }
    }
}

fn write(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let remedy = "what was measured before is kept: make room there, then go on with --resume";
    write_whole(path, text).with_context(|| format!("cannot write {}; {remedy}", path.display()))
}
