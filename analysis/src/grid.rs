//! What an experiment measured, arranged by cell, server and repetition.

use std::collections::BTreeMap;

use experiments::plan::Role;

use crate::metric::Metric;
use crate::recording::{Cell, Recording, Run};
use crate::statistics::{Latency, paired_ratios};

/// One server in one cell.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Value of each metric by repetition, `None` where there is none.
    values: BTreeMap<Metric, Vec<Option<f64>>>,
    /// Latency of the repetitions, each in one histogram.
    latency: Vec<Latency>,
    /// Runs that count.
    run_count: usize,
    /// Runs that count and exceeded a limit of the noise gate.
    flagged_count: usize,
}

impl Samples {
    /// Enters `value` of `repetition`, counted from 1.
    pub fn enter(&mut self, metric: Metric, repetition: u32, value: Option<f64>) {
        let series = self.values.entry(metric).or_default();
        let index = repetition.saturating_sub(1) as usize;
        if series.len() <= index {
            series.resize(index + 1, None);
        }
        series[index] = value;
    }

    /// Counts one run, entered before.
    pub fn count_run(&mut self, is_flagged: bool) {
        self.run_count += 1;
        self.flagged_count += usize::from(is_flagged);
    }

    fn add(&mut self, run: &Run) {
        let Some(record) = &run.record else { return };
        for metric in Metric::ALL {
            self.enter(metric, run.place.repetition, metric.of(record));
        }
        self.latency.extend(run.latency.clone());
        self.count_run(run.standing == crate::validity::Standing::Flagged);
    }

    /// The values of `metric` by repetition.
    pub fn series(&self, metric: Metric) -> &[Option<f64>] {
        self.values.get(&metric).map_or(&[], Vec::as_slice)
    }

    /// The values of `metric` that there are.
    pub fn values(&self, metric: Metric) -> Vec<f64> {
        self.series(metric).iter().copied().flatten().collect()
    }

    /// Latency of all repetitions together.
    pub fn merged_latency(&self) -> Option<Latency> {
        Latency::merged(&self.latency)
    }

    /// Runs that count.
    pub fn run_count(&self) -> usize {
        self.run_count
    }

    /// Runs that count and exceeded a limit of the noise gate.
    pub fn flagged_count(&self) -> usize {
        self.flagged_count
    }
}

/// A cell and what each server measured in it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The cell.
    pub cell: Cell,
    /// Every server that was planned in it; without runs where none counts.
    pub samples: BTreeMap<String, Samples>,
}

impl Row {
    /// The ratios of `metric` between two servers, one a repetition that has both. Empty where there are none.
    pub fn ratios(&self, comparison: &Comparison, metric: Metric) -> Vec<f64> {
        let series =
            |engine: &str| self.samples.get(engine).map_or(&[][..], |samples| samples.series(metric));
        paired_ratios(series(&comparison.of), series(&comparison.to))
    }
}

/// Two servers that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Numerator.
    pub of: String,
    /// Denominator.
    pub to: String,
}

impl Comparison {
    /// Reads `numerator/denominator`.
    pub fn parse(text: &str) -> Option<Self> {
        let (of, to) = text.split_once('/')?;
        Some(Self { of: of.into(), to: to.into() })
    }

    /// Whether it is of io_uring to epoll, whatever their settings: what the project asks about.
    pub fn is_of_engines(&self) -> bool {
        self.of.starts_with("uring") && self.to.starts_with("epoll")
    }

    /// Its name, `numerator/denominator`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.of, self.to)
    }
}

/// An experiment.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The servers, in their order.
    pub engines: Vec<String>,
    /// What is compared.
    pub comparisons: Vec<Comparison>,
    /// The cells, in the order of tables.
    pub rows: Vec<Row>,
}

impl Grid {
    /// The measured grid of `recording`: every planned cell, also those without a run that counts.
    pub fn of(recording: &Recording) -> Self {
        let measured = |run: &&Run| run.place.role == Role::Measured;
        let mut grid = Self {
            engines: recording.manifest.engines.iter().map(|engine| engine.name.clone()).collect(),
            comparisons: recording
                .manifest
                .ratios
                .iter()
                .filter_map(|name| Comparison::parse(name))
                .collect(),
            rows: Vec::new(),
        };
        for run in recording.runs.iter().filter(measured) {
            let samples = grid.samples_mut(&run.place.cell, &run.place.engine);
            if run.counts() {
                samples.add(run);
            }
        }
        grid.rows.sort_by(|row, other| row.cell.order(&other.cell));
        grid
    }

    /// The samples of `engine` in `cell`, empty if they are new.
    pub fn samples_mut(&mut self, cell: &Cell, engine: &str) -> &mut Samples {
        let known = self.rows.iter().position(|row| row.cell.key == cell.key);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row { cell: cell.clone(), samples: BTreeMap::new() });
            self.rows.len() - 1
        });
        self.rows[index].samples.entry(engine.to_owned()).or_default()
    }
}
