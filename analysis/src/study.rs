//! Everything that is analysed together: the published results and one recording of each experiment.

use std::path::{Path, PathBuf};

use experiments::report::trend::Trend;
use experiments::spec::Table;
use indicatif::{ProgressBar, ProgressStyle};

use crate::grid::Grid;
use crate::published;
use crate::recording::{Recording, one_of_each_experiment};
use crate::values::Values;

/// What is analysed.
#[derive(Debug)]
pub struct Study {
    /// The published results.
    pub published: Grid,
    /// The recordings, by the name of their experiment.
    pub recordings: Vec<Recording>,
    /// Every number that may be quoted of them.
    pub values: Values,
    /// What was counted on several kernels, if it was.
    pub kernels: Option<Trend>,
}

impl Study {
    /// Whether the recording of the experiment `name` is of variants, each against what it is a variant of.
    pub fn is_ablation(&self, name: &str) -> bool {
        let own = self.recordings.iter().find(|recording| recording.experiment() == name);
        own.is_some_and(|recording| recording.manifest.table == Table::Ablation)
    }

    /// Reads the recordings in `folders`, with a bar on a terminal.
    ///
    /// # Errors
    /// When a recording has no readable manifest, or two are of one experiment.
    pub fn read(folders: &[PathBuf]) -> anyhow::Result<Self> {
        let mut recordings = folders.iter().map(|folder| read(folder)).collect::<anyhow::Result<Vec<_>>>()?;
        recordings.sort_by(|one, other| one.experiment().cmp(other.experiment()));
        one_of_each_experiment(
            recordings.iter().map(|recording| (recording.experiment(), recording.folder.as_path())),
        )?;
        let published = published::grid(&published::built_in()?)?;
        let values = Values::of(&published, &recordings)?;
        Ok(Self { published, recordings, values, kernels: None })
    }
}

fn read(folder: &Path) -> anyhow::Result<Recording> {
    let style = ProgressStyle::with_template("{bar:24.cyan} {pos} runs  {msg}");
    let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(folder.display().to_string());
    let recording = Recording::read(folder, || bar.inc(1));
    bar.finish_and_clear();
    recording
}
