//! The values of one recording.

use std::collections::BTreeMap;

use experiments::clock::Clock;
use experiments::plan::Role;
use experiments::spec::in_flight::InFlight;
use serde::Serialize;

use super::{GridValues, LatencyValues, Rivals};
use crate::grid::{Grid, Noise};
use crate::metric;
use crate::recording::Recording;
use crate::statistics::{Control, Judge, Latency};
use crate::validity::Counts;

/// An experiment.
#[derive(Clone, Debug, Serialize)]
pub struct ExperimentValues {
    /// Its title.
    pub title: String,
    /// What it answers.
    pub question: String,
    /// Stem of the figure that it feeds.
    pub figure: Option<String>,
    /// How thoroughly it was run: `quick` or `full`.
    pub size: String,
    /// What its times are: `time`, or `instructions` one a nanosecond.
    pub clock: Clock,
    /// Levels that were kept, as asked for; empty when all ran.
    pub filter: String,
    /// Name of the recording.
    pub recording: String,
    /// Seed of its order.
    pub seed: u64,
    /// Revision of the runner.
    pub revision: String,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// When it ended. `None` while runs are missing.
    pub finished_unix_ms: Option<u64>,
    /// How often each cell was measured.
    pub repetitions: u32,
    /// The core of the server.
    pub server_cpu: usize,
    /// The cores of the client.
    pub client_cpus: Vec<usize>,
    /// The machine, as `host.json` has it; null where that is damaged.
    pub host: serde_json::Value,
    /// Runs of the grid.
    pub runs: Counts,
    /// Runs of the control.
    pub control_runs: Counts,
    /// Runs that were made once more because of noise.
    pub repeated_for_noise: usize,
    /// What disturbed the runs that count, by the field of their records.
    pub noise: BTreeMap<&'static str, Noise>,
    /// What is not as it was recorded: file and consequence.
    pub damage: Vec<String>,
    /// Cells in which a planned server has no run that counts.
    pub gaps: Vec<String>,
    /// What the servers that it is about cost beside the cheapest others: by workload and server. Empty without others.
    pub rivals: BTreeMap<String, BTreeMap<String, Rivals>>,
    /// Why nothing is claimed of this recording. `None` where something may be.
    pub claims_nothing: Option<String>,
    /// The same server measured twice, by metric; empty without a control.
    pub control: Controls,
    /// The same where more or less is on its way than the client's default, by that. No control holds for another.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub control_in_flight: BTreeMap<String, Controls>,
    /// The grid.
    #[serde(flatten)]
    pub grid: GridValues,
}

/// A control by metric.
type Controls = BTreeMap<&'static str, Control>;

impl ExperimentValues {
    /// The control of `metric` where so much is on its way; `None` without one.
    pub fn control(&self, in_flight: Option<InFlight>, metric: &str) -> Option<&Control> {
        match in_flight {
            None => self.control.get(metric),
            Some(level) => self.control_in_flight.get(&level.to_string())?.get(metric),
        }
    }

    /// The values of `recording`.
    ///
    /// # Errors
    /// When a query fails, or the description of the machine cannot be written as JSON.
    pub fn of(recording: &Recording) -> anyhow::Result<Self> {
        let manifest = &recording.manifest;
        let grid = Grid::of(recording)?;
        let mut controls: BTreeMap<Option<InFlight>, Controls> = BTreeMap::new();
        for (in_flight, ratios) in grid.control()? {
            let of = ratios.iter().map(|(name, ratios)| (*name, Control::of(ratios))).collect();
            controls.insert(in_flight, of);
        }
        let judge = |in_flight, metric: &str| {
            let control = controls.get(&in_flight).and_then(|control| control.get(metric));
            Judge::new(manifest.size, control)
        };
        let depths = grid.cells.iter().map(|cell| cell.factors.in_flight_bytes);
        let effects = depths.map(|of| judge(of, metric::CPU).smallest_effect());
        let silence = effects.reduce(Result::or).and_then(Result::err);
        let values = GridValues::of(&grid, &judge, &|cell, engine| latency(recording, cell, engine))?;
        let of_role = |role| recording.runs.iter().filter(move |run| run.entry.role == role);
        Ok(Self {
            title: manifest.title.clone(),
            question: manifest.question.clone(),
            figure: manifest.figure.clone(),
            size: manifest.size.to_string(),
            clock: manifest.clock,
            filter: manifest.filter.clone(),
            recording: manifest.recording.clone(),
            seed: manifest.seed,
            revision: manifest.revision.clone(),
            started_unix_ms: manifest.started_unix_ms,
            finished_unix_ms: manifest.finished_unix_ms,
            repetitions: manifest.repetitions,
            server_cpu: manifest.server_cpu,
            client_cpus: manifest.client_cpus.clone(),
            host: serde_json::to_value(&recording.host)?,
            runs: Counts::of(of_role(Role::Measured).map(|run| run.standing)),
            control_runs: Counts::of(of_role(Role::Control).map(|run| run.standing)),
            repeated_for_noise: manifest.repeated_for_noise(),
            noise: grid.noise()?,
            damage: damage(recording),
            gaps: gaps(&values),
            claims_nothing: silence.map(|why| why.to_string()),
            rivals: values.rivals(),
            grid: values,
            control: controls.remove(&None).unwrap_or_default(),
            control_in_flight: controls
                .into_iter()
                .filter_map(|(level, of)| Some((level?.to_string(), of)))
                .collect(),
        })
    }
}

/// Paths are told from the recording's folder on, so that the text does not depend on where it lies.
fn damage(recording: &Recording) -> Vec<String> {
    let folder = &recording.folder;
    let told = recording.damage.iter().map(|damage| {
        let file = damage.file.strip_prefix(folder).unwrap_or(&damage.file);
        let what = damage.what.replace(&format!("{}/", folder.display()), "");
        format!("{}: {what}", file.display())
    });
    told.collect()
}

/// Percentiles of all runs of `engine` in the cell called `key`; `None` where none was recorded.
fn latency(recording: &Recording, key: &str, engine: &str) -> Option<LatencyValues> {
    let own = recording.counted_of(key, engine);
    Latency::merged(own.filter_map(|run| run.latency.as_ref())).as_ref().map(LatencyValues::of)
}

fn gaps(grid: &GridValues) -> Vec<String> {
    let rows = grid.rows().flat_map(|row| row.engines.iter().map(move |(name, of)| (row, name, of)));
    rows.filter(|(_, _, engine)| engine.runs == 0)
        .map(|(row, name, _)| format!("{} {name}: no run counts", row.cell.key))
        .collect()
}
