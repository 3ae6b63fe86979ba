//! A recording on disk, read with every damage named.
//!
//! What is damaged is left out and said; the rest is read on. Only a recording without a readable manifest has no rest.

mod cell;
mod find;
mod guest;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use experiments::plan::Role;
use experiments::recording::HOST;
use experiments::recording::manifest::Manifest;
use experiments::recording::names::in_present_names;
use experiments::spec::factors::Factors;
use uring_echo::measure::host::Host;

pub use cell::Cell;
pub use find::newest_of_each_experiment;
pub(crate) use find::{OF_EACH_KERNEL, all, folders, one_of_each_experiment};
pub use guest::{VM, is_functional_only};
pub(crate) use run::Run;

/// Something that is not as it was recorded, and what was left out for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it, and what follows.
    pub what: String,
}

/// A recording.
#[derive(Debug)]
pub struct Recording {
    /// Its folder.
    pub folder: PathBuf,
    /// Its table of contents.
    pub manifest: Manifest,
    /// The machine. `None` where its description is damaged.
    pub host: Option<Host>,
    /// Every run of the manifest in its order, damaged ones included.
    pub(crate) runs: Vec<Run>,
    /// What is not as it was recorded.
    pub damage: Vec<Damage>,
}

impl Recording {
    /// Reads the recording in `folder`, telling `progress` after each run.
    ///
    /// # Errors
    /// When its manifest is missing, torn, or of a schema version that this build does not read; when it was made under
    /// emulation.
    pub fn read(folder: &Path, mut progress: impl FnMut()) -> anyhow::Result<Self> {
        guest::refuse_functional_only(folder)?;
        let files = experiments::recording::Recording::open(folder)?;
        let manifest = in_present_names(files.manifest());
        let mut damage = Vec::new();
        let mut runs = Vec::with_capacity(manifest.runs.len());
        for entry in &manifest.runs {
            let run = Run::read(&files, entry, &runs);
            let file = folder.join(run.file);
            damage.extend(run.damage.iter().map(|what| Damage { file: file.clone(), what: what.clone() }));
            runs.push(run);
            progress();
        }
        let host = read_host(folder).map_err(|error| damage.push(host_damage(folder, &error))).ok();
        Ok(Self { folder: folder.into(), manifest, host, runs, damage })
    }

    /// Name of the experiment.
    pub fn experiment(&self) -> &str {
        &self.manifest.experiment
    }

    /// The cells of the grid in the order of tables, also those without a run that counts.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let measured = self.runs.iter().filter(|run| run.entry.role == Role::Measured);
        let cells: BTreeMap<&str, &Factors> =
            measured.map(|run| (run.entry.cell.as_str(), &run.entry.factors)).collect();
        let cell = |(key, factors): (&str, &Factors)| Cell { key: key.to_owned(), factors: factors.clone() };
        let mut cells: Vec<Cell> = cells.into_iter().map(cell).collect();
        cells.sort_by(Cell::order);
        cells
    }

    /// The runs that figures stand on.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.counts())
    }

    /// Those of `engine` in the cell called `key`.
    pub(crate) fn counted_of(&self, key: &str, engine: &str) -> impl Iterator<Item = &Run> {
        self.counted().filter(move |run| run.entry.cell == key && run.entry.engine == engine)
    }
}

fn read_host(folder: &Path) -> anyhow::Result<Host> {
    let text = std::fs::read(folder.join(HOST)).context("cannot be read")?;
    serde_json::from_slice(&text).context("is not a description of a machine; it may be torn")
}

fn host_damage(folder: &Path, error: &anyhow::Error) -> Damage {
    Damage { file: folder.join(HOST), what: format!("{error:#}; the machine is not shown") }
}
