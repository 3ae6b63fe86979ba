//! The file of the records: one frame after the other, the newest last.
//!
//! A frame is durable before the manifest names it. So what lies behind the last named byte is of a run whose runner died,
//! and nothing of it was ever promised.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};
use uring_echo::hash::{hexadecimal, sha256};

use crate::recording::RECORDS;
use crate::recording::frame::Dictionary;
use crate::recording::manifest::{RecordEntry, RecordsEntry};

/// The file, to read from it.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    /// The dictionary that stays, and from which byte on it is the one, once that was needed.
    full: OnceLock<(Dictionary, u64)>,
}

impl Reader {
    /// Of the recording in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(RECORDS), full: OnceLock::new() }
    }

    /// The document that `entry` names, after its hash was checked.
    ///
    /// # Errors
    /// When its frame cannot be read, or is not what the manifest says.
    pub(super) fn document(&self, entry: &RecordEntry) -> anyhow::Result<Vec<u8>> {
        let changed = "was changed after it was recorded";
        let cannot_read = || format!("cannot read {}", self.path.display());
        let frame = self.read(entry.offset_bytes, entry.frame_bytes).with_context(cannot_read)?;
        let document = self
            .dictionary_before(entry.offset_bytes)?
            .decode(&frame)
            .with_context(|| format!("{} {changed}: its frame is damaged", self.path.display()))?;
        ensure!(
            sha256(&document) == entry.sha256,
            "{} {changed}: the record's SHA-256 is not the one in the manifest",
            self.path.display()
        );
        Ok(document)
    }

    fn read(&self, offset_bytes: u64, length_bytes: u64) -> io::Result<Vec<u8>> {
        let file = File::open(&self.path)?;
        let end = offset_bytes.checked_add(length_bytes);
        if end.is_none_or(|end| end > file.metadata().map_or(0, |metadata| metadata.len())) {
            let cut = format!("it ends before byte {offset_bytes} + {length_bytes}");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut));
        }
        let mut content = vec![0; usize::try_from(length_bytes).map_err(io::Error::other)?];
        file.read_exact_at(&mut content, offset_bytes)?;
        Ok(content)
    }

    /// What the frame at `offset_bytes` was compressed beside.
    fn dictionary_before(&self, offset_bytes: u64) -> anyhow::Result<Cow<'_, Dictionary>> {
        if let Some((full, from_bytes)) = self.full.get()
            && *from_bytes <= offset_bytes
        {
            return Ok(Cow::Borrowed(full));
        }
        let frames = self.read(0, offset_bytes);
        let (dictionary, end) = frames.and_then(|frames| Dictionary::of(&frames)).with_context(|| {
            format!("{}: one of its first records, which this one needs, is damaged", self.path.display())
        })?;
        if dictionary.is_full() {
            return Ok(Cow::Borrowed(&self.full.get_or_init(|| (dictionary, end as u64)).0));
        }
        Ok(Cow::Owned(dictionary))
    }
}

/// The file, to append to it.
#[derive(Debug)]
pub struct Records {
    file: File,
    path: PathBuf,
    /// Of all frames so far.
    hash: Sha256,
    length_bytes: u64,
    dictionary: Dictionary,
}

impl Records {
    /// A new and empty file in `folder`, in the place of one that no manifest names.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(RECORDS);
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { file, path, hash: Sha256::new(), length_bytes: 0, dictionary: Dictionary::default() })
    }

    /// The file in `folder` as `entry` names it. What lies behind that is cut off.
    ///
    /// # Errors
    /// When it is not what the manifest says: what is added to it would hide that.
    pub fn reopen(folder: &Path, entry: &RecordsEntry) -> anyhow::Result<Self> {
        let path = folder.join(&entry.path);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        let hash = check(&path, &file, entry)?;
        file.set_len(entry.length_bytes).with_context(|| format!("cannot shorten {}", path.display()))?;
        let dictionary = Reader::new(folder).dictionary_before(entry.length_bytes)?.into_owned();
        Ok(Self { file, path, hash, length_bytes: entry.length_bytes, dictionary })
    }

    /// Adds `document` at the end. It is not durable before [`sync`](Self::sync).
    ///
    /// # Errors
    /// When it cannot be written; then the file is as before.
    pub fn append(&mut self, document: &[u8]) -> io::Result<RecordEntry> {
        let frame = self.dictionary.encode(document)?;
        let offset_bytes = self.length_bytes;
        if let Err(error) = self.file.write_all_at(&frame, offset_bytes) {
            // The error that matters is the first one; who takes the recording up cuts the rest off.
            let _ = self.file.set_len(offset_bytes);
            return Err(error);
        }
        self.hash.update(&frame);
        let frame_bytes = frame.len() as u64;
        self.length_bytes += frame_bytes;
        self.dictionary.take(document);
        Ok(RecordEntry { offset_bytes, frame_bytes, sha256: sha256(document) })
    }

    /// Makes every frame durable and says what the manifest may name from now on.
    ///
    /// # Errors
    /// When the device does not take it.
    pub fn sync(&self) -> io::Result<RecordsEntry> {
        self.file.sync_all()?;
        let sha256 = hexadecimal(&self.hash.clone().finalize());
        Ok(RecordsEntry { path: RECORDS.into(), length_bytes: self.length_bytes, sha256 })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Holds `file`, which is at `path`, to `entry`; returns its hash so far.
///
/// # Errors
/// When it is shorter, or something else.
pub(super) fn check(path: &Path, file: &File, entry: &RecordsEntry) -> anyhow::Result<Sha256> {
    let (mut hash, mut length_bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    let mut named = file.take(entry.length_bytes);
    loop {
        match named.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))? {
            0 => break,
            count => {
                hash.update(&buffer[..count]);
                length_bytes += count as u64;
            }
        }
    }
    ensure!(
        length_bytes == entry.length_bytes,
        "{} was cut short after it was recorded: {length_bytes} of {} bytes are left",
        path.display(),
        entry.length_bytes
    );
    ensure!(
        hexadecimal(&hash.clone().finalize()) == entry.sha256,
        "{} was changed after it was recorded: its SHA-256 is not the one in the manifest",
        path.display()
    );
    Ok(hash)
}
