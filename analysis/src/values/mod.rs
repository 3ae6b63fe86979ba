//! Every number that may be quoted, under a key. `analysis/VALUES.md` describes the document.
//!
//! Maps are ordered and intervals are seeded, so the same recordings give the same text.

mod cell;
mod cells;
mod experiment;
mod jain;
mod memory;
mod rivals;

use std::collections::{BTreeMap, BTreeSet};

use experiments::spec::in_flight::InFlight;
use experiments::spec::workload::Workload;
use serde::Serialize;

pub use crate::grid::Noise;
pub use crate::statistics::Control;
pub use cell::{CellValues, EngineValues, LatencyValues, Means, RatioValues};
pub use experiment::ExperimentValues;
pub use jain::LeastJain;
pub(crate) use rivals::JAIN_MIN;
pub use rivals::{Rival, Rivals};

use crate::grid::{Comparison, Grid};
use crate::recording::Recording;
use crate::servers::Servers;
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
    /// Which of them are settings of one program.
    #[serde(skip)]
    pub servers: Servers,
    /// The comparisons, as `numerator/denominator`.
    pub ratios: Vec<String>,
    /// Keys of the cells, in the order of tables.
    pub cell_order: Vec<String>,
    /// Each cell by its key.
    pub cells: BTreeMap<String, CellValues>,
    /// Means over cells: by workload, comparison and metric.
    pub means: Means,
    /// The least fair of each workload and server.
    pub least_jain: BTreeMap<String, BTreeMap<String, LeastJain>>,
}

/// What decides what may be said of a metric where so much is on its way.
pub(crate) type Judges<'a> = &'a dyn Fn(Option<InFlight>, &str) -> Judge;

/// The percentiles of all runs of a server in a cell: by the cell's key and the server's name.
pub(crate) type Latencies<'a> = &'a dyn Fn(&str, &str) -> Option<LatencyValues>;

impl GridValues {
    /// The cells in the order of tables.
    pub fn rows(&self) -> impl Iterator<Item = &CellValues> {
        self.cell_order.iter().filter_map(|key| self.cells.get(key))
    }

    /// The cells of `workload` in the order of tables.
    pub fn rows_of(&self, workload: Workload) -> impl Iterator<Item = &CellValues> {
        self.rows().filter(move |row| row.cell.factors.workload() == workload)
    }

    /// The workloads of the cells, in the order of tables.
    pub fn workloads(&self) -> Vec<Workload> {
        self.rows().map(|row| row.cell.factors.workload()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The comparisons by their sides.
    pub fn comparisons(&self) -> Vec<Comparison> {
        self.ratios.iter().filter_map(|name| Comparison::parse(name)).collect()
    }

    /// The comparisons that the experiment is about.
    pub(crate) fn asked(&self) -> Vec<Comparison> {
        self.servers.asked(self.comparisons())
    }

    /// The mean of `metric` over the cells of `workload`; `None` where no cell has both servers.
    pub fn mean(&self, workload: Workload, comparison: &Comparison, metric: &str) -> Option<&Mean> {
        let mean = self.means.get(&workload.to_string())?.get(&comparison.name())?.get(metric)?;
        (mean.cells > 0).then_some(mean)
    }
}

impl Values {
    /// The values of the `published` grid and of `recordings`, each of another experiment.
    ///
    /// # Errors
    /// When a query fails, or the description of a machine cannot be written as JSON.
    pub fn of(published: &Grid, recordings: &[Recording]) -> anyhow::Result<Self> {
        let experiments = recordings
            .iter()
            .map(|recording| Ok((recording.experiment().to_owned(), ExperimentValues::of(recording)?)))
            .collect::<anyhow::Result<_>>()?;
        // The study of 2023 measured no server twice to see what is noise.
        let judge = |_, _: &str| Judge::silent(Silence::NoControl);
        let published_2023 = GridValues::of(published, &judge, &|_, _| None)?;
        Ok(Self { schema_version: SCHEMA_VERSION, published_2023, experiments })
    }

    /// The document's text.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
