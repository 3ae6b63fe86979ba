//! A folder for what is needed only while a run goes on.

use std::env;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use tempfile::{Builder, NamedTempFile, TempDir};

/// As much as a server and a client write there in a run: their counters before all, a few lines at a time.
const ROOM: [u8; 16 << 10] = [0; 16 << 10];

/// Creates a folder of a name that no other has, below the system's temporary folder. Dropping removes it.
///
/// # Errors
/// When it cannot be created, or does not keep what is written.
pub fn create() -> anyhow::Result<TempDir> {
    let folder = Builder::new().prefix("uring-echo-experiments-").tempdir().with_context(remedy)?;
    check(folder.path())?;
    Ok(folder)
}

/// Makes sure that `folder` keeps what a run writes: a server whose output is lost goes on without a word.
///
/// # Errors
/// Why it does not.
pub fn check(folder: &Path) -> anyhow::Result<()> {
    let written = NamedTempFile::new_in(folder).and_then(|mut file| file.write_all(&ROOM));
    written.with_context(remedy)
}

fn remedy() -> String {
    let place = env::temp_dir();
    format!(
        "cannot write to the temporary folder {}; make room there or set TMPDIR to another",
        place.display()
    )
}
