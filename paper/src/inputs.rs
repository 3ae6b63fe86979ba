//! What a paper is made of.

use std::path::PathBuf;

use crate::text::Text;
use crate::values::Values;

/// What the paper is made of.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Its text.
    pub text: Text,
    /// Its numbers.
    pub values: Values,
    /// Folder of its figures.
    pub figures: PathBuf,
    /// Experiments whose sections say that they are left out.
    pub without: Vec<String>,
}
