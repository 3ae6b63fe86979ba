//! A record on disk: written whole or not at all, read with an error that names the file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::destination::{Destination, DestinationError};
use super::whole::write_whole;
use super::{RunRecord, SCHEMA_VERSION, SCHEMA_VERSION_OLDEST};

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read the run record {path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is no record: torn, or something else.
    #[error("{path} is not a run record: {cause}; it may be torn, run it again")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        cause: serde_json::Error,
    },
    /// The file was written by another generation of this program.
    #[error(
        "{path} has schema version {found}, this build reads {SCHEMA_VERSION_OLDEST} to {SCHEMA_VERSION}; use the build \
         that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

impl RunRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// When the file cannot be read, is no record, or has a schema version that this build does not know.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let named = |cause| ReadError::Io { path: path.into(), cause };
        Self::parse(&fs::read(path).map_err(named)?, path)
    }

    /// The record in `text`, which was read from `path`.
    ///
    /// # Errors
    /// When it is no record, or has a schema version that this build does not know.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, ReadError> {
        let syntax = |cause| ReadError::Syntax { path: path.into(), cause };
        let Versioned { schema_version } = serde_json::from_slice(text).map_err(syntax)?;
        if !(SCHEMA_VERSION_OLDEST..=SCHEMA_VERSION).contains(&schema_version) {
            return Err(ReadError::Version { path: path.into(), found: schema_version });
        }
        serde_json::from_slice(text).map_err(syntax)
    }

    /// Writes the record [whole](write_whole).
    ///
    /// # Errors
    /// As [`write_whole`].
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_whole(path, &self.text())
    }

    /// Writes the record to where it belongs.
    ///
    /// # Errors
    /// As [`Destination::write`].
    pub fn write_to(&self, destination: &Destination) -> Result<(), DestinationError> {
        destination.write(&self.text())
    }

    fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a record has nothing that JSON lacks");
        text.push(b'\n');
        text
    }
}
