//! A recording on disk: `manifest.json`, `host.json`, `spec.toml` and `runs.zst` in a folder of their own.
//!
//! Nothing is ever overwritten but the manifest, and that as a whole; the records are appended to one file. Whenever the
//! runner dies, the folder holds the manifest of some moment, and everything it names is there in full with the hash it
//! names.

pub mod convert;
mod frame;
pub mod manifest;
pub mod names;
pub mod records;
pub mod resume;
pub mod timestamp;
pub mod verify;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use uring_echo::hash::sha256;
use uring_echo::measure::host::Host;
use uring_echo::record::{RunRecord, write_whole};

use crate::plan::Role;
use crate::recording::manifest::{
    Attempt, FileEntry, Manifest, RecordEntry, RunEntry, SCHEMA_VERSION, Status,
};
use crate::recording::records::{Reader, Records};
use crate::spec::factors::Factors;
use crate::verdict::statistics::median;

/// Name of the manifest in a recording's folder.
pub const MANIFEST: &str = "manifest.json";
/// Name of the specification.
pub const SPEC: &str = "spec.toml";
/// Name of the description of the machine.
pub const HOST: &str = "host.json";
/// Name of the file of the records.
pub const RECORDS: &str = "runs.zst";

/// An open recording.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    manifest: Manifest,
    reader: Reader,
    writer: Option<Writer>,
}

/// What is held while runs are made.
#[derive(Debug)]
struct Writer {
    records: Records,
    /// Two runners would make the same runs.
    _lock: File,
}

impl Recording {
    /// Begins `manifest`'s recording below `results`, with the text of its specification and what machine this is.
    ///
    /// # Errors
    /// When the folder is there already, or cannot be written.
    pub fn create(results: &Path, mut manifest: Manifest, spec: &str, host: &Host) -> anyhow::Result<Self> {
        let folder = results.join(&manifest.experiment).join(&manifest.recording);
        ensure!(!folder.exists(), "{} exists: a recording is never overwritten", folder.display());
        fs::create_dir_all(&folder).with_context(|| {
            format!("cannot create {}; choose another folder with --out", folder.display())
        })?;
        let lock = lock(&folder)?;
        let records = Records::create(&folder)?;
        manifest.records = records.sync().with_context(|| cannot_write(records.path()))?;
        let mut host = serde_json::to_vec_pretty(host)?;
        host.push(b'\n');
        for (name, text) in [(SPEC, spec.as_bytes()), (HOST, host.as_slice())] {
            write(&folder.join(name), text)?;
            manifest.files.push(FileEntry { path: name.into(), sha256: sha256(text) });
        }
        let reader = Reader::new(&folder);
        let recording = Self { folder, manifest, reader, writer: Some(Writer { records, _lock: lock }) };
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
        let manifest = parse(&text, &path)?;
        Ok(Self { folder: folder.into(), manifest, reader: Reader::new(folder), writer: None })
    }

    /// The release of the kernel that it was made on.
    ///
    /// # Errors
    /// When the description of the machine cannot be read.
    pub fn kernel_release(&self) -> anyhow::Result<String> {
        let path = self.folder.join(HOST);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let host: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        let release = host["kernel"]["release"].as_str();
        Ok(release.with_context(|| format!("{} names no kernel", path.display()))?.to_owned())
    }

    /// Opens the recording in `folder` to add runs to it, and clears away what a runner that died has left half done.
    ///
    /// # Errors
    /// As [`open`](Self::open); when another runner is at it; when the file of the records is not what the manifest says.
    pub fn reopen(folder: &Path) -> anyhow::Result<Self> {
        let lock = lock(folder)?;
        let recording = Self::open(folder)?;
        recording.remove_strays()?;
        let records = Records::reopen(folder, &recording.manifest.records).with_context(|| {
            format!("{} cannot be gone on with; `experiments verify` names what is damaged", folder.display())
        })?;
        Ok(Self { writer: Some(Writer { records, _lock: lock }), ..recording })
    }

    /// The recording's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its table of contents.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Enters `attempt` at run `number` (counted from 1) with the `record` that it left, if any, and saves the manifest. The
    /// attempt before it, if there was one, is superseded; but a valid one stands when the new one is not valid.
    ///
    /// # Errors
    /// When the record or the manifest cannot be written.
    ///
    /// # Panics
    /// When the recording has no such run, or was opened to read it.
    pub fn settle(&mut self, number: usize, attempt: Attempt, record: Option<&[u8]>) -> anyhow::Result<()> {
        let record = record.map(|record| self.append(record)).transpose()?;
        let entry = &mut self.manifest.runs[number - 1];
        let mut attempt = Attempt { record, ..attempt };
        if entry.attempt.status != Status::Valid || attempt.status == Status::Valid {
            std::mem::swap(&mut entry.attempt, &mut attempt);
        }
        if attempt.status != Status::Planned {
            entry.superseded.push(attempt);
        }
        self.save()
    }

    /// Adds `record` to the records. It is durable when this returns, and the manifest may name it.
    fn append(&mut self, record: &[u8]) -> anyhow::Result<RecordEntry> {
        let records = &mut self.writer.as_mut().expect("it was opened to add to it").records;
        let appended = records.append(record).and_then(|entry| Ok((entry, records.sync()?)));
        let (entry, all) = appended.with_context(|| cannot_write(records.path()))?;
        self.manifest.records = all;
        Ok(entry)
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

    /// Enters that it was begun at `unix_ms`, and moves it below `results` to the name that goes with that; its folder there. For what
    /// was recorded by a clock that begins at a fixed date.
    ///
    /// # Errors
    /// When the manifest cannot be written, or the folder not be moved.
    pub fn date(mut self, results: &Path, unix_ms: u64) -> anyhow::Result<PathBuf> {
        let experiment = results.join(&self.manifest.experiment);
        fs::create_dir_all(&experiment).with_context(|| format!("cannot create {}", experiment.display()))?;
        // Two that were begun in one second need two names.
        let mut began_unix_ms = unix_ms;
        let name = |unix_ms| timestamp::name(unix_ms, self.manifest.seed);
        while experiment.join(name(began_unix_ms)).exists() {
            began_unix_ms += 1000;
        }
        let kept = experiment.join(name(began_unix_ms));
        let ran_ms = self.manifest.finished_unix_ms.map(|end| end - self.manifest.started_unix_ms);
        let recorded_as = std::mem::replace(&mut self.manifest.recording, name(began_unix_ms));
        self.manifest.recorded_as.get_or_insert(recorded_as);
        self.manifest.started_unix_ms = began_unix_ms;
        self.manifest.finished_unix_ms = ran_ms.map(|ran_ms| began_unix_ms + ran_ms);
        self.save()?;
        fs::rename(&self.folder, &kept).with_context(|| format!("cannot move it to {}", kept.display()))?;
        Ok(kept)
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
        Ok(String::from_utf8(self.read_file(entry)?)?)
    }

    /// The record of run `number`, after its hash was checked. `None` when it left none.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    ///
    /// # Panics
    /// When the recording has no such run.
    pub fn record(&self, number: usize) -> anyhow::Result<Option<RunRecord>> {
        let Some(entry) = &self.manifest.runs[number - 1].attempt.record else { return Ok(None) };
        self.record_of(entry).map(Some).with_context(|| format!("run {number}"))
    }

    /// The record that `entry` names, after its hash was checked.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn record_of(&self, entry: &RecordEntry) -> anyhow::Result<RunRecord> {
        Ok(RunRecord::parse(&self.document(entry)?, &self.folder.join(RECORDS))?)
    }

    /// The document that `entry` names, byte for byte as the client wrote it, after its hash was checked.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn document(&self, entry: &RecordEntry) -> anyhow::Result<Vec<u8>> {
        self.reader.document(entry)
    }

    /// Content of the file that `entry` names, after its hash was checked.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn read_file(&self, entry: &FileEntry) -> anyhow::Result<Vec<u8>> {
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

    /// Removes the temporary files that a runner or a conversion that died can have left.
    fn remove_strays(&self) -> anyhow::Result<()> {
        let is_ours = |path: &PathBuf| path.extension().is_some_and(|end| end == "tmp");
        for path in self.unnamed()?.into_iter().filter(is_ours) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// What is in the folder and not named by the manifest.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn unnamed(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = &self.folder;
        let known: Vec<_> = self.manifest.named().chain([MANIFEST]).map(|name| folder.join(name)).collect();
        let list = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let paths: io::Result<Vec<_>> = list.map(|entry| Ok(entry?.path())).collect();
        let mut unnamed = paths.with_context(|| format!("cannot read {}", folder.display()))?;
        unnamed.retain(|path| !known.contains(path));
        unnamed.sort();
        Ok(unnamed)
    }

    fn save(&self) -> anyhow::Result<()> {
        debug_assert!(self.writer.is_some(), "only an opened recording is written");
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
    if version == Some(convert::SCHEMA_VERSION_BEFORE) {
        let folder = path.parent().unwrap_or(path).display();
        bail!(
            "{folder} has the layout of before, a file for each run; converted by `experiments convert {folder}`"
        );
    }
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
    write_whole(path, text).with_context(|| cannot_write(path))
}

/// The recording is named, since one without a run is not the one that `--resume` alone would find.
fn cannot_write(path: &Path) -> String {
    format!(
        "cannot write {}; what was measured before is kept: make room there, then go on with --resume {}",
        path.display(),
        path.parent().unwrap_or(path).display()
    )
}
