//! The file a server appends its [`StatsLine`]s to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::measure::counters::StatsLine;

/// The stats file, if one was asked for.
#[derive(Debug, Default)]
pub struct StatsFile(Option<File>);

impl StatsFile {
    /// Opens `path` for appending; `None` gives a file that swallows every line.
    ///
    /// # Errors
    /// Whatever `open(2)` says.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        path.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose().map(Self)
    }

    /// Appends one line, as one write so that a reader sees whole lines.
    ///
    /// # Errors
    /// Whatever `write(2)` says; the caller warns and goes on serving.
    pub fn append(&mut self, line: &StatsLine) -> io::Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        file.write_all(text.as_bytes())
    }
}
