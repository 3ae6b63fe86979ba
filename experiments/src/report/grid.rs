//! What a recording measured, arranged by cell, engine and repetition. Only valid runs count.

use std::collections::BTreeMap;

use anyhow::Context;
use uring_echo::measure::histogram::Histogram;
use uring_echo::record::{Limit, Mode, RunRecord, Summary};

use crate::manifest::{RunEntry, Status};
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

    fn add(&mut self, repetition: usize, record: RunRecord) -> anyhow::Result<()> {
        if let Some(latency) = &record.latency {
            let histogram = Histogram::decode(&latency.histogram_v2_deflate_base64)?;
            match &mut self.latency {
                Some(merged) => merged.merge(&histogram),
                None => self.latency = Some(histogram),
            }
        }
        self.summaries[repetition] = record.summary;
        Ok(())
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
    pub(super) fn read(recording: &Recording) -> anyhow::Result<Self> {
        let manifest = recording.manifest();
        let side = |text: &str| text.to_owned();
        let comparison =
            |ratio: &String| ratio.split_once('/').map(|(of, to)| Comparison { of: side(of), to: side(to) });
        let mut grid = Self {
            engines: manifest.engines.iter().map(|engine| engine.name.clone()).collect(),
            comparisons: manifest.ratios.iter().filter_map(comparison).collect(),
            repetitions: manifest.repetitions,
            cells: BTreeMap::new(),
        };
        for run in &manifest.runs {
            let samples = grid.cells.entry(Cell::of(run)).or_default();
            let samples = samples
                .entry(run.engine.clone())
                .or_insert_with(|| Samples::new(manifest.repetitions as usize));
            if run.status != Status::Valid {
                continue;
            }
            if let Some(record) = recording.record(run.number)? {
                samples
                    .add(run.repetition as usize - 1, record)
                    .with_context(|| format!("the record of run {} is damaged", run.number))?;
            }
        }
        Ok(grid)
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
