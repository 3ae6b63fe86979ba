//! The values that the text cites.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;
use thiserror::Error;

/// Content of a `values.json`: one JSON object.
#[derive(Clone, Debug)]
pub struct Values(Vec<u8>);

/// Why there are no values.
#[derive(Debug, Error)]
pub enum ValuesError {
    /// The file is missing or unreadable.
    #[error("cannot read the values {path}: {cause}; `analysis --out DIR` writes them, --values names them")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not JSON.
    #[error("the values {path} are not JSON: {cause}; run `analysis --out DIR` again")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        cause: serde_json::Error,
    },
    /// The file is JSON, but holds no names.
    #[error(
        "the values {path} are {found} and not an object of named values; is it a values.json of `analysis`?"
    )]
    NoObject {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
}

impl Values {
    /// Reads `path` and checks that it is one JSON object.
    ///
    /// # Errors
    ///
    /// When it is not there or not that.
    pub fn read(path: &Path) -> Result<Self, ValuesError> {
        let bytes = fs::read(path).map_err(|cause| ValuesError::Unreadable { path: path.into(), cause })?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|cause| ValuesError::Malformed { path: path.into(), cause })?;
        match kind(&value) {
            "an object" => Ok(Self(bytes)),
            found => Err(ValuesError::NoObject { path: path.into(), found }),
        }
    }

    /// The document as it was read.
    pub(crate) fn json(&self) -> &[u8] {
        &self.0
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
