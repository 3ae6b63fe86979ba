//! A folder for what is needed only while a run goes on.

use std::cell::Cell;
use std::path::PathBuf;
use std::{env, fs, process};

use anyhow::Context;

/// A folder of this process, below the system's temporary folder. Dropping removes it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    count: Cell<usize>,
}

impl Scratch {
    /// Creates the folder, which must not exist: another user could have put it there.
    ///
    /// # Errors
    /// When it exists or cannot be created.
    pub fn create() -> anyhow::Result<Self> {
        let path = env::temp_dir().join(format!("uring-echo-experiments-{}", process::id()));
        fs::create_dir(&path)
            .with_context(|| format!("cannot create {}; remove it or set TMPDIR", path.display()))?;
        Ok(Self { path, count: Cell::new(0) })
    }

    /// A new folder in it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn folder(&self) -> anyhow::Result<PathBuf> {
        let number = self.count.get();
        self.count.set(number + 1);
        let path = self.path.join(number.to_string());
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Litter in the temporary folder is not worth failing for.
        let _ = fs::remove_dir_all(&self.path);
    }
}
