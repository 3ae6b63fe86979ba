//! What is claimed, and whether the values agree.
//!
//! `analysis/claims.toml` holds the claims; `docs/CLAIMS.md` is made from it and never edited.

mod check;
mod page;

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

pub use check::{Check, Verdict, check};
pub use page::page;

/// The claims of this project.
const TEXT: &str = include_str!("../../claims.toml");

/// A statement that the data can contradict.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name.
    pub id: String,
    /// What is claimed.
    pub sentence: String,
    /// What makes the data for it.
    pub command: String,
    /// How long that takes.
    pub time: String,
    /// What it writes.
    pub disk: String,
    /// Stem of the figure that shows it, if one does.
    pub figure: Option<String>,
    /// Where in the values its number stands: one key after the other.
    pub value: Vec<String>,
    /// Smallest and largest number with which the claim holds. `None` until a recording has set it.
    pub range: Option<[f64; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    claim: Vec<Claim>,
}

/// The claims that this program was built with.
///
/// # Errors
/// When the document is at fault.
pub fn built_in() -> anyhow::Result<Vec<Claim>> {
    read(TEXT)
}

/// Reads the claims in the file at `path`.
///
/// # Errors
/// When it cannot be read, or is at fault.
pub fn read_file(path: &Path) -> anyhow::Result<Vec<Claim>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    read(&text).with_context(|| format!("{} does not hold claims", path.display()))
}

/// Reads claims from the `text` of a TOML document.
///
/// # Errors
/// When the document is at fault: which claim, and how.
pub fn read(text: &str) -> anyhow::Result<Vec<Claim>> {
    let Document { claim: claims } = toml::from_str(text)?;
    for (index, claim) in claims.iter().enumerate() {
        let fault = |what: &str| anyhow::anyhow!("claim '{}' {what}", claim.id);
        if claims[..index].iter().any(|other| other.id == claim.id) {
            return Err(fault("stands twice"));
        }
        if claim.value.is_empty() {
            return Err(fault("names no value"));
        }
        if claim.range.is_some_and(|[low, high]| !(low.is_finite() && high.is_finite() && low <= high)) {
            return Err(fault("has a range that is empty or not finite"));
        }
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: &str = r#"
        [[claim]]
        id = "a"
        sentence = "A holds."
        command = "make"
        time = "1 s"
        disk = "1 KB"
        value = ["x", "y"]
        range = [0.0, 1.0]
    "#;

    #[test]
    fn the_claims_of_this_project_can_be_read() {
        assert!(!built_in().unwrap().is_empty());
    }

    #[test]
    fn a_claim_at_fault_is_named() {
        assert_eq!(read(CLAIM).unwrap().len(), 1);
        let message = |text: &str| format!("{:#}", read(text).unwrap_err());
        assert_eq!(message(&(CLAIM.to_owned() + CLAIM)), "claim 'a' stands twice");
        let empty = CLAIM.replace("[0.0, 1.0]", "[1.0, 0.0]");
        assert_eq!(message(&empty), "claim 'a' has a range that is empty or not finite");
        assert_eq!(message(&CLAIM.replace(r#"["x", "y"]"#, "[]")), "claim 'a' names no value");
        assert!(message(&CLAIM.replace("disk", "disc")).contains("unknown field `disc`"));
    }
}
