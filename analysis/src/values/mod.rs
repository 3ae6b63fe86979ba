//! Every number that may be quoted, under a key. `analysis/VALUES.md` describes the document.
//!
//! Maps are ordered and intervals are seeded, so the same recordings give the same text.

mod cells;
mod control;
mod experiment;
mod jain;
mod memory;
mod noise;

use std::collections::BTreeMap;

use serde::Serialize;
use uring_echo::record::Mode;

pub use crate::statistics::Control;
pub use cells::{CellValues, EngineValues, LatencyValues, Means, RatioValues};
pub use control::control;
pub use experiment::ExperimentValues;
pub use jain::LeastJain;
pub use noise::Noise;

use crate::grid::{Comparison, Grid};
use crate::metric::Metric;
use crate::recording::Recording;
use crate::statistics::{Judge, Mean, Silence};

/// The version of the document this build writes. It changes when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 2;

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct Values {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The study of 2023.
    pub published_2023: GridValues,
    /// Each experiment by its name.
    pub experiments: BTreeMap<String, ExperimentValues>,
}

/// What a grid says.
#[derive(Clone, Debug, Serialize)]
pub struct GridValues {
    /// The servers, in their order.
    pub engines: Vec<String>,
    /// The comparisons, as `numerator/denominator`.
    pub ratios: Vec<String>,
    /// Keys of the cells, in the order of tables.
    pub cell_order: Vec<String>,
    /// Each cell by its key.
    pub cells: BTreeMap<String, CellValues>,
    /// Means over cells: by mode, comparison and metric.
    pub means: Means,
    /// The least fair of each mode and server.
    pub least_jain: BTreeMap<String, BTreeMap<String, LeastJain>>,
}

impl GridValues {
    /// The values of `grid`. `judge` decides what may be said of a metric.
    pub fn of(grid: &Grid, judge: &dyn Fn(Metric) -> Judge) -> Self {
        Self {
            engines: grid.engines.clone(),
            ratios: grid.comparisons.iter().map(crate::grid::Comparison::name).collect(),
            cell_order: grid.rows.iter().map(|row| row.cell.key.clone()).collect(),
            cells: grid
                .rows
                .iter()
                .map(|row| (row.cell.key.clone(), CellValues::of(grid, row, judge)))
                .collect(),
            means: cells::means(grid, judge),
            least_jain: jain::least(grid),
        }
    }

    /// The cells in the order of tables.
    pub fn rows(&self) -> impl Iterator<Item = &CellValues> {
        self.cell_order.iter().filter_map(|key| self.cells.get(key))
    }

    /// The comparisons by their sides.
    pub fn comparisons(&self) -> Vec<Comparison> {
        self.ratios.iter().filter_map(|name| Comparison::parse(name)).collect()
    }

    /// The mean of `metric` over the cells of `mode`; `None` where no cell has both servers.
    pub fn mean(&self, mode: Mode, comparison: &Comparison, metric: Metric) -> Option<&Mean> {
        let mean = self.means.get(&mode.to_string())?.get(&comparison.name())?.get(metric.name())?;
        (mean.cells > 0).then_some(mean)
    }
}

impl Values {
    /// The values of the `published` grid and of `recordings`, each of another experiment.
    ///
    /// # Errors
    /// When the description of a machine cannot be written as JSON.
    pub fn of(published: &Grid, recordings: &[Recording]) -> anyhow::Result<Self> {
        let experiments = recordings
            .iter()
            .map(|recording| Ok((recording.experiment().to_owned(), ExperimentValues::of(recording)?)))
            .collect::<anyhow::Result<_>>()?;
        // The study of 2023 measured no server twice to see what is noise.
        let published_2023 = GridValues::of(published, &|_| Judge::silent(Silence::NoControl));
        Ok(Self { schema_version: SCHEMA_VERSION, published_2023, experiments })
    }

    /// The document's text.
    ///
    /// # Errors
    /// When a value has no form in JSON.
    pub fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
