//! What is claimed, and whether the values agree.
//!
//! `analysis/claims.toml` holds the claims; `docs/CLAIMS.md` is made from it and never edited.

mod check;
mod estimate;
mod page;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use experiments::spec::Size;
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
    /// Size of the recording that it is about. `None` where it is about no recording.
    pub size: Option<Size>,
    /// How long the command takes; of an experiment of this build what that announces, unless the document says it.
    #[serde(default)]
    pub time: String,
    /// What it writes, in the same way.
    #[serde(default)]
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
    let Document { claim: mut claims } = toml::from_str(text)?;
    for index in 0..claims.len() {
        let (earlier, rest) = claims.split_at_mut(index);
        let claim = &mut rest[0];
        let id = claim.id.clone();
        ensure!(earlier.iter().all(|other| other.id != id), "claim '{id}' stands twice");
        claim.check().with_context(|| format!("claim '{id}'"))?;
        estimate::fill_in(claim).with_context(|| format!("claim '{id}'"))?;
    }
    Ok(claims)
}

impl Claim {
    /// The experiment whose recording it is about.
    pub fn experiment(&self) -> Option<&str> {
        match self.value.as_slice() {
            [section, experiment, ..] if section == "experiments" => Some(experiment),
            _ => None,
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.value.is_empty(), "names no value");
        if let Some([low, high]) = self.range {
            let is_range = low.is_finite() && high.is_finite() && low <= high;
            ensure!(is_range, "has a range that is empty or not finite");
        }
        match (self.experiment(), self.size) {
            (Some(experiment), None) => bail!(
                "is about a recording of '{experiment}' and does not say of which size; add size = \"quick\" or size = \"full\""
            ),
            (None, Some(size)) => bail!("is about no recording and has a size; remove size = \"{size}\""),
            _ => Ok(()),
        }
    }
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
        assert_eq!(message(&empty), "claim 'a': has a range that is empty or not finite");
        assert_eq!(message(&CLAIM.replace(r#"["x", "y"]"#, "[]")), "claim 'a': names no value");
        assert!(message(&CLAIM.replace("disk", "disc")).contains("unknown field `disc`"));
        let untold = message(&CLAIM.replace("time = \"1 s\"", ""));
        assert!(untold.contains("claim 'a': does not say its time and disk"), "{untold}");
    }

    #[test]
    fn a_claim_about_a_recording_says_its_size_and_no_other_does() {
        let recorded = CLAIM.replace("\"x\"", "\"experiments\"");
        let message = format!("{:#}", read(&recorded).unwrap_err());
        assert!(message.contains("does not say of which size; add size = \"quick\""), "{message}");
        for size in Size::ALL {
            let sized = format!("{recorded}\nsize = \"{size}\"");
            assert_eq!(read(&sized).unwrap()[0].size, Some(size));
        }
        let published = format!("{CLAIM}\nsize = \"full\"");
        let message = format!("{:#}", read(&published).unwrap_err());
        assert!(message.contains("is about no recording and has a size"), "{message}");
        assert!(read(&format!("{recorded}\nsize = \"tiny\"")).is_err());
    }
}
