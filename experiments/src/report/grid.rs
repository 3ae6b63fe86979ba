//! What a recording measured, arranged by cell, engine and repetition. Only valid runs count.

use std::collections::BTreeMap;

use anyhow::Context;
use uring_echo::measure::histogram::Histogram;
use uring_echo::record::{Limit, Mode, Summary};

use crate::manifest::{Manifest, RunEntry, Status};
use crate::recording::Recording;
use crate::statistics::{PairedRatio, median};

/// A cell of the experiment, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    is_req_res: bool,
    pub(super) payload_bytes: usize,
    pub(super) connections: usize,
}

impl Cell {
    fn of(run: &RunEntry) -> Self {
        Self {
            is_req_res: run.mode == Mode::ReqRes,
            payload_bytes: run.payload_bytes,
            connections: run.connections,
        }
    }

    pub(super) fn mode(self) -> Mode {
        if self.is_req_res { Mode::ReqRes } else { Mode::Stream }
    }
}

/// One engine in one cell.
#[derive(Debug)]
pub(super) struct Samples {
    /// By repetition; `None` where there is no valid run.
    summaries: Vec<Option<Summary>>,
    /// Latency of all repetitions together: percentiles cannot be averaged, histograms can be merged.
    pub(super) latency: Option<Histogram>,
}

impl Samples {
    fn new(repetitions: usize) -> Self {
        Self { summaries: vec![None; repetitions], latency: None }
    }

    fn add(&mut self, repetition: usize, summary: Summary, latency: Option<&Histogram>) {
        match (&mut self.latency, latency) {
            (Some(merged), Some(latency)) => merged.merge(latency),
            (None, Some(latency)) => self.latency = Some(latency.clone()),
            (_, None) => {}
        }
        self.summaries[repetition] = Some(summary);
    }

    pub(super) fn valid_count(&self) -> usize {
        self.summaries.iter().flatten().count()
    }

    /// `value` of each repetition.
    pub(super) fn series(&self, value: impl Fn(&Summary) -> Option<f64>) -> Vec<Option<f64>> {
        self.summaries.iter().map(|summary| summary.as_ref().and_then(&value)).collect()
    }

    pub(super) fn median(&self, value: impl Fn(&Summary) -> Option<f64>) -> Option<f64> {
        median(&self.series(value).into_iter().flatten().collect::<Vec<_>>())
    }

    /// Jain's index of the repetition that was the least fair.
    pub(super) fn worst_jain(&self) -> Option<f64> {
        self.series(|summary| summary.jain).into_iter().flatten().min_by(f64::total_cmp)
    }

    /// Which end was the limit in each valid repetition.
    pub(super) fn limits(&self) -> impl Iterator<Item = Limit> {
        self.summaries.iter().flatten().map(|summary| summary.limit)
    }
}

/// A comparison that the experiment asks for, by the names of its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) of: String,
    pub(super) to: String,
}

/// The values of a ratio that are reported.
#[derive(Clone, Copy, Debug)]
pub(super) enum Metric {
    /// Busy time of the server's core per message.
    CpuPerMessage,
    /// Bytes back per second.
    Goodput,
}

impl Metric {
    fn value(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::CpuPerMessage => summary.cpu_ns_per_message,
            Self::Goodput => Some(summary.goodput_bytes_per_s),
        }
    }
}

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) engines: Vec<String>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) repetitions: u32,
    cells: BTreeMap<Cell, BTreeMap<String, Samples>>,
}

impl Grid {
    /// The valid runs of `recording`.
    pub(super) fn read(recording: &Recording) -> anyhow::Result<Self> {
        let manifest = recording.manifest();
        let mut grid = Self::of(manifest);
        for run in manifest.runs.iter().filter(|run| run.status == Status::Valid) {
            let Some(record) = recording.record(run.number)? else { continue };
            let latency = record
                .latency
                .map(|latency| Histogram::decode(&latency.histogram_v2_deflate_base64))
                .transpose()
                .with_context(|| format!("the record of run {} is damaged", run.number))?;
            if let Some(summary) = record.summary {
                grid.add(run, summary, latency.as_ref());
            }
        }
        Ok(grid)
    }

    /// The cells that `manifest` plans, nothing measured.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let comparison = |ratio: &String| {
            ratio.split_once('/').map(|(of, to)| Comparison { of: of.to_owned(), to: to.to_owned() })
        };
        let mut cells = BTreeMap::<_, BTreeMap<_, _>>::new();
        for run in &manifest.runs {
            let engines = cells.entry(Cell::of(run)).or_default();
            engines.entry(run.engine.clone()).or_insert_with(|| Samples::new(manifest.repetitions as usize));
        }
        Self {
            engines: manifest.engines.iter().map(|engine| engine.name.clone()).collect(),
            comparisons: manifest.ratios.iter().filter_map(comparison).collect(),
            repetitions: manifest.repetitions,
            cells,
        }
    }

    /// Enters what `run`, one of the manifest's, measured.
    pub(super) fn add(&mut self, run: &RunEntry, summary: Summary, latency: Option<&Histogram>) {
        let samples = self.cells.get_mut(&Cell::of(run)).and_then(|engines| engines.get_mut(&run.engine));
        samples.expect("a planned run").add(run.repetition as usize - 1, summary, latency);
    }

    pub(super) fn modes(&self) -> impl Iterator<Item = Mode> {
        [Mode::Stream, Mode::ReqRes].into_iter().filter(|&mode| self.cells_of(mode).next().is_some())
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = Cell> {
        self.cells.keys().copied()
    }

    pub(super) fn cells_of(&self, mode: Mode) -> impl Iterator<Item = Cell> {
        self.cells().filter(move |cell| cell.mode() == mode)
    }

    pub(super) fn samples(&self, cell: Cell, engine: &str) -> Option<&Samples> {
        self.cells.get(&cell)?.get(engine)
    }

    pub(super) fn ratio(&self, cell: Cell, comparison: &Comparison, metric: Metric) -> Option<PairedRatio> {
        let series = |engine: &str| Some(self.samples(cell, engine)?.series(|summary| metric.value(summary)));
        PairedRatio::of(&series(&comparison.of)?, &series(&comparison.to)?)
    }
}
