//! Which figures there are: which data become which chart, and what a figure stands on.
//!
//! | module | figures |
//! |---|---|
//! | `grid` | engines over payloads and connections: throughput, ratios, cost of a message |
//! | `beside` | our ratios beside the published ones |
//! | `curves` | percentiles, latency over load, distributions, seconds, scaling |
//! | `input` | the numbers that these take |
//! | [`study`] | every figure of the recordings that are analysed together |
//!
//! Each takes plain numbers. [`Figure::write`] leaves two files: the picture and, beside it, what it stands on.

mod beside;
mod curves;
pub(crate) mod grid;
pub(crate) mod input;
pub mod study;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use uring_echo::hash::sha256;

use crate::chart::Sheet;
use crate::chart::sheet::WIDE;

#[cfg(test)]
mod tests;

/// A figure and what it stands on.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Name of its files: `<experiment>-<what>`.
    pub stem: String,
    /// The picture.
    pub(crate) sheet: Sheet,
    /// Where its numbers come from.
    pub source: Source,
}

/// Where numbers come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The experiment.
    pub experiment: String,
    /// The recordings, or the file of published numbers.
    pub recordings: Vec<String>,
    /// The runs of them that are in the figure.
    pub run_ids: Vec<String>,
    /// Revision of what drew it; `None` if the build did not say.
    pub revision: Option<String>,
    /// What to run to get the figure again.
    pub command: String,
}

/// What stands beside a figure, as JSON.
#[derive(Clone, Debug, Serialize)]
struct Sidecar<'a> {
    figure: &'a str,
    title: &'a str,
    subtitle: &'a str,
    caption: String,
    #[serde(flatten)]
    source: &'a Source,
    /// Of the numbers as drawn, in JSON.
    data_sha256: String,
    svg_sha256: String,
}

impl Figure {
    /// The picture, as wide as a column of text.
    pub fn svg(&self) -> String {
        self.sheet.svg(WIDE)
    }

    /// What the figure stands on, as JSON.
    ///
    /// # Errors
    ///
    /// If its data have no JSON.
    pub fn sidecar(&self) -> anyhow::Result<String> {
        let data = serde_json::to_vec(&self.sheet)
            .with_context(|| format!("write the data of figure {}", self.stem))?;
        let sidecar = Sidecar {
            figure: &self.stem,
            title: &self.sheet.title,
            subtitle: &self.sheet.subtitle,
            caption: self.sheet.caption(),
            source: &self.source,
            data_sha256: sha256(&data),
            svg_sha256: sha256(self.svg().as_bytes()),
        };
        let text = serde_json::to_string_pretty(&sidecar)
            .with_context(|| format!("write the sidecar of {}", self.stem))?;
        Ok(text + "\n")
    }

    /// Leaves `<stem>.svg` and `<stem>.json` in `directory`, and returns both.
    ///
    /// # Errors
    ///
    /// If one of them cannot be written.
    pub fn write(&self, directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
        let mut files = Vec::new();
        for (kind, text) in [("svg", self.svg()), ("json", self.sidecar()?)] {
            let path = directory.join(format!("{}.{kind}", self.stem));
            std::fs::write(&path, text).with_context(|| format!("write the figure {}", path.display()))?;
            files.push(path);
        }
        Ok(files)
    }
}
