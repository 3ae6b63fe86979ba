//! What a recording measured, arranged by cell, engine and repetition. Only valid runs count.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use uring_echo::measure::histogram::Histogram;
use uring_echo::record::{Latency, Limit, RunRecord, Summary};

use crate::plan::Role;
use crate::recording::Recording;
use crate::recording::manifest::{Manifest, RunEntry, Status};
use crate::report::control::Controls;
use crate::report::metric::Metric;
use crate::spec::factors::Factors;
use crate::spec::in_flight::InFlight;
use crate::spec::workload::Workload;
use crate::verdict::statistics::median;
use crate::verdict::{Judge, Mean, Ratio, Silence, paired_ratios};

pub(super) use crate::verdict::Comparison;

/// What one run measured, but for its distributions.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) summary: Summary,
    /// Most memory the server had resident.
    pub(super) rss_max_bytes: Option<u64>,
    /// Messages per second offered, in an open loop.
    pub(super) rate_per_s: Option<u64>,
    /// Part of the messages that the client itself sent late.
    pub(super) late_share: Option<f64>,
    /// Bytes per second that came back to the hogs.
    pub(super) hog_bytes_per_s: Option<f64>,
    /// Receives a second that found no buffer.
    pub(super) starved_per_s: Option<f64>,
    /// Time of the server's process per message.
    pub(super) server_ns_per_message: Option<f64>,
}

impl Point {
    fn of(record: &RunRecord) -> Option<Self> {
        let window_s = record.timeline?.window().as_secs_f64();
        Some(Self {
            rss_max_bytes: record.server.rss_max_bytes,
            rate_per_s: record.open_loop.as_ref().map(|open| open.rate_per_s),
            late_share: record.open_loop.as_ref().map(|open| open.late_share),
            hog_bytes_per_s: record.hogs.map(|hogs| hogs.received_bytes as f64 / window_s),
            starved_per_s: starved_per_s(record),
            server_ns_per_message: server_ns_per_message(record),
            ..Self::from(record.summary.clone()?)
        })
    }
}

impl From<Summary> for Point {
    fn from(summary: Summary) -> Self {
        Self {
            summary,
            rss_max_bytes: None,
            rate_per_s: None,
            late_share: None,
            hog_bytes_per_s: None,
            starved_per_s: None,
            server_ns_per_message: None,
        }
    }
}

/// Only io_uring has buffers to run out of: for another server it is nothing, and not zero.
fn starved_per_s(record: &RunRecord) -> Option<f64> {
    let counters = record.counters.window.filter(|counters| counters.sqes > 0)?;
    let seconds = record.counters.window_ns?.as_secs_f64();
    (seconds > 0.0).then(|| counters.starved as f64 / seconds)
}

fn server_ns_per_message(record: &RunRecord) -> Option<f64> {
    let used = record.cpu.as_ref()?.server_process_ns?;
    let messages = record.totals.window.received_messages;
    (messages > 0).then(|| used.0 as f64 / messages as f64)
}

/// One engine in one cell.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Every planned repetition; `None` where there is no valid run.
    points: BTreeMap<u32, Option<Point>>,
    /// Latency of all repetitions together: percentiles cannot be averaged, histograms can be merged.
    pub(super) latency: Option<Histogram>,
    /// The same from the actual send, in an open loop.
    pub(super) uncorrected: Option<Histogram>,
    /// System calls per message of the run that counted them, for a server that does not.
    counted_syscalls: Option<f64>,
}

impl Samples {
    pub(super) fn planned_count(&self) -> usize {
        self.points.len()
    }

    pub(super) fn valid_count(&self) -> usize {
        self.points.values().flatten().count()
    }

    /// `value` of each repetition.
    pub(super) fn series(&self, value: impl Fn(&Point) -> Option<f64>) -> Vec<Option<f64>> {
        self.points.values().map(|point| point.as_ref().and_then(&value)).collect()
    }

    pub(super) fn median(&self, value: impl Fn(&Point) -> Option<f64>) -> Option<f64> {
        median(&self.series(value).into_iter().flatten().collect::<Vec<_>>())
    }

    /// System calls per message: of the measured runs, or of the one that counted them.
    pub(super) fn syscalls_per_message(&self) -> Option<f64> {
        self.median(|point| point.summary.syscalls_per_message).or(self.counted_syscalls)
    }

    /// Jain's index of the repetition that was the least fair.
    pub(super) fn worst_jain(&self) -> Option<f64> {
        self.series(|point| point.summary.jain).into_iter().flatten().min_by(f64::total_cmp)
    }

    /// Which end was the limit in each valid repetition.
    pub(super) fn limits(&self) -> impl Iterator<Item = Limit> {
        self.points.values().flatten().map(|point| point.summary.limit)
    }
}

/// Adds `more` to what was merged so far.
fn merge(merged: &mut Option<Histogram>, more: Option<&Histogram>) {
    match (merged, more) {
        (Some(merged), Some(more)) => merged.merge(more),
        (merged @ None, Some(more)) => *merged = Some(more.clone()),
        (_, None) => {}
    }
}

fn decode(latency: Option<&Latency>) -> anyhow::Result<Option<Histogram>> {
    Ok(latency.map(|latency| Histogram::decode(&latency.histogram_v2_deflate_base64)).transpose()?)
}

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) engines: Vec<String>,
    pub(super) comparisons: Vec<Comparison>,
    /// What each variant is a variant of.
    pub(super) variant_of: BTreeMap<String, String>,
    pub(super) repetitions: u32,
    /// What may be said of CPU per message and of goodput, by what is on its way: deep queues have a control of their own.
    judges: BTreeMap<Option<InFlight>, [Judge; 2]>,
    cells: BTreeMap<Factors, BTreeMap<String, Samples>>,
}

impl Grid {
    /// The runs of `recording` that figures stand on. `controls` say what may be claimed of them.
    pub(super) fn read(recording: &Recording, controls: &Controls) -> anyhow::Result<Self> {
        let manifest = recording.manifest();
        let mut grid = Self::of(manifest, controls);
        for run in manifest.runs.iter().filter(|run| run.counts()) {
            let Some(record) = recording.record(run.number)? else { continue };
            let damaged = || format!("the record of run {} is damaged", run.number);
            let latency = decode(record.latency.as_ref()).with_context(damaged)?;
            let open_loop = record.open_loop.as_ref();
            let uncorrected =
                decode(open_loop.and_then(|open| open.uncorrected.as_ref())).with_context(damaged)?;
            if let Some(point) = Point::of(&record) {
                grid.add(run, point, latency.as_ref());
                let samples = grid.samples_of(run);
                merge(&mut samples.uncorrected, uncorrected.as_ref());
            }
        }
        let is_counted = |run: &&RunEntry| run.role == Role::Counted && run.attempt.status == Status::Valid;
        for run in manifest.runs.iter().filter(is_counted) {
            let summary = recording.record(run.number)?.and_then(|record| record.summary);
            grid.samples_of(run).counted_syscalls = summary.and_then(|summary| summary.syscalls_per_message);
        }
        Ok(grid)
    }

    /// The cells that `manifest` plans, nothing measured.
    pub(super) fn of(manifest: &Manifest, controls: &Controls) -> Self {
        let mut cells = BTreeMap::<_, BTreeMap<_, _>>::new();
        for run in manifest.runs.iter().filter(|run| run.role == Role::Measured) {
            let engines = cells.entry(run.factors.clone()).or_default();
            let samples: &mut Samples = engines.entry(run.engine.clone()).or_default();
            samples.points.insert(run.repetition, None);
        }
        Self {
            engines: manifest.engines.iter().map(|engine| engine.name.clone()).collect(),
            comparisons: manifest.ratios.iter().filter_map(|ratio| Comparison::parse(ratio)).collect(),
            variant_of: manifest
                .engines
                .iter()
                .filter_map(|engine| Some((engine.name.clone(), engine.variant_of.clone()?)))
                .collect(),
            repetitions: manifest.repetitions,
            judges: judges(manifest, controls, cells.keys()),
            cells,
        }
    }

    /// Enters what `run`, one of the manifest's, measured.
    pub(super) fn add(&mut self, run: &RunEntry, point: Point, latency: Option<&Histogram>) {
        let samples = self.samples_of(run);
        merge(&mut samples.latency, latency);
        samples.points.insert(run.repetition, Some(point));
    }

    fn samples_of(&mut self, run: &RunEntry) -> &mut Samples {
        let engines = self.cells.get_mut(&run.factors);
        engines.and_then(|engines| engines.get_mut(&run.engine)).expect("a planned run")
    }

    pub(super) fn workloads(&self) -> BTreeSet<Workload> {
        self.cells().map(Factors::workload).collect()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &Factors> {
        self.cells.keys()
    }

    pub(super) fn cells_of(&self, workload: Workload) -> impl Iterator<Item = &Factors> {
        self.cells().filter(move |cell| cell.workload() == workload)
    }

    pub(super) fn samples(&self, cell: &Factors, engine: &str) -> Option<&Samples> {
        self.cells.get(cell)?.get(engine)
    }

    /// What may be said of `metric` in the cells that have as much on its way as `in_flight` says.
    pub(super) fn judge(&self, in_flight: Option<InFlight>, metric: Metric) -> &Judge {
        const NONE: &Judge = &Judge::silent(Silence::NoControl);
        self.judges.get(&in_flight).map_or(NONE, |judges| &judges[usize::from(metric == Metric::Goodput)])
    }

    /// What is on its way in the cells, the least first.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = Option<InFlight>> {
        self.judges.keys().copied()
    }

    /// The ratios of the repetitions of `cell`; none where one of the servers was not planned.
    fn ratios(&self, cell: &Factors, comparison: &Comparison, metric: Metric) -> Vec<f64> {
        let sides = self.samples(cell, &comparison.of).zip(self.samples(cell, &comparison.to));
        let Some((of, to)) = sides else { return Vec::new() };
        let value = |samples: &Samples, repetition: &u32| {
            metric.value(&samples.points.get(repetition)?.as_ref()?.summary)
        };
        let repetitions = of.points.keys();
        let pairs = repetitions.map(|repetition| (value(of, repetition), value(to, repetition)));
        let (of, to): (Vec<_>, Vec<_>) = pairs.unzip();
        paired_ratios(&of, &to)
    }

    /// How the servers compare in `cell`; `None` without a pair.
    pub(super) fn ratio(&self, cell: &Factors, comparison: &Comparison, metric: Metric) -> Option<Ratio> {
        let ratios = self.ratios(cell, comparison, metric);
        (!ratios.is_empty()).then(|| Ratio::of(&ratios, self.judge(cell.in_flight_bytes, metric)))
    }

    /// How they compare over the cells of `workload`; `None` without a pair.
    pub(super) fn mean(&self, workload: Workload, comparison: &Comparison, metric: Metric) -> Option<Mean> {
        let cells = self.cells_of(workload).map(|cell| self.ratios(cell, comparison, metric));
        let judge = self.judge(workload.in_flight, metric);
        Some(Mean::of(&cells.collect::<Vec<_>>(), judge)).filter(|mean| mean.cells > 0)
    }
}

/// What may be said of the metrics of `cells`, by the controls that had as much on its way.
fn judges<'a>(
    manifest: &Manifest,
    controls: &Controls,
    cells: impl Iterator<Item = &'a Factors>,
) -> BTreeMap<Option<InFlight>, [Judge; 2]> {
    let judges = |in_flight| {
        [Metric::CpuPerMessage, Metric::Goodput]
            .map(|metric| Judge::new(manifest.size, controls.of(in_flight, metric).as_ref()))
    };
    cells.map(|cell| (cell.in_flight_bytes, judges(cell.in_flight_bytes))).collect()
}
