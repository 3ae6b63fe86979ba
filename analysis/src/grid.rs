//! What an experiment measured: its runs as a data frame, and the queries on it.

use std::collections::BTreeMap;

use experiments::spec::in_flight::InFlight;
use polars::prelude::*;
use serde::Serialize;

use crate::frame;
use crate::metric;
use crate::recording::{Cell, Recording};
use crate::servers::Servers;
use crate::statistics::paired_ratios;
pub use experiments::verdict::Comparison;

/// The values of each metric.
pub type Values = BTreeMap<&'static str, Vec<f64>>;

/// What one server measured in one cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Samples {
    /// Key of the cell.
    pub(crate) cell: String,
    pub(crate) engine: String,
    /// Runs that were planned.
    pub(crate) planned: usize,
    /// Runs that count.
    pub(crate) runs: usize,
    /// Those of them that exceeded a limit of the noise gate.
    pub(crate) flagged: usize,
    pub(crate) values: Values,
}

/// An experiment.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The servers, in their order.
    pub engines: Vec<String>,
    /// Which of them are settings of one program.
    pub servers: Servers,
    /// What is compared.
    pub comparisons: Vec<Comparison>,
    /// The cells, in the order of tables.
    pub cells: Vec<Cell>,
    /// A row a run: `frame::runs` with all metrics and what disturbed it.
    pub runs: DataFrame,
}

/// What a joined frame calls the column of the denominator.
const TO: &str = "_to";

impl Grid {
    /// The grid of `recording`: every planned cell, also those without a run that counts.
    pub(crate) fn of(recording: &Recording) -> PolarsResult<Self> {
        let manifest = &recording.manifest;
        let noise =
            metric::OF_NOISE.into_iter().filter(|(name, _)| metric::ALL.iter().all(|all| all.0 != *name));
        Ok(Self {
            engines: manifest.engines.iter().map(|engine| engine.name.clone()).collect(),
            servers: Servers::of(&manifest.engines),
            comparisons: manifest.ratios.iter().filter_map(|name| Comparison::parse(name)).collect(),
            cells: recording.cells(),
            runs: frame::runs([recording], metric::ALL.into_iter().chain(noise))?,
        })
    }

    fn runs_for(&self, role: &str) -> LazyFrame {
        self.runs.clone().lazy().filter(col("role").eq(lit(role)))
    }

    /// What each server measured in each cell that is planned for it.
    pub(crate) fn samples(&self) -> PolarsResult<Vec<Samples>> {
        let number = |what: Expr, name: &str| what.cast(DataType::UInt64).sum().alias(name);
        let planned = col("repetition").count().cast(DataType::UInt64).alias("planned");
        let mut columns = vec![planned, number(counts(), "runs"), number(is_flagged(), "flagged")];
        columns.extend(metric::ALL.map(|(name, _)| col(name).filter(counts()).drop_nulls()));
        let by = [col("cell"), col("engine")];
        let frame = self.runs_for("measured").group_by_stable(by).agg(columns).collect()?;
        let count = |name: &str| Ok::<_, PolarsError>(frame.column(name)?.u64()?.to_vec());
        let counts = [count("planned")?, count("runs")?, count("flagged")?];
        let places = texts(&frame, "cell")?.into_iter().zip(texts(&frame, "engine")?);
        let of = |(row, (cell, engine)): (usize, _)| {
            let [planned, runs, flagged] = [0, 1, 2].map(|of| counts[of][row].unwrap_or(0) as usize);
            Samples { cell, engine, planned, runs, flagged, values: Values::new() }
        };
        let mut samples: Vec<Samples> = places.enumerate().map(of).collect();
        for (name, _) in metric::ALL {
            for (samples, list) in samples.iter_mut().zip(lists(&frame, name)?) {
                samples.values.insert(name, list.into_iter().flatten().collect());
            }
        }
        let mut counted = self.counted_syscalls()?;
        for samples in samples.iter_mut().filter(|samples| samples.values[metric::SYSCALLS].is_empty()) {
            let own = counted.remove(&(samples.cell.clone(), samples.engine.clone()));
            samples.values.insert(metric::SYSCALLS, own.unwrap_or_default());
        }
        Ok(samples)
    }

    /// System calls per message of servers that do not count them, from the runs that did, by cell and server.
    fn counted_syscalls(&self) -> PolarsResult<BTreeMap<(String, String), Vec<f64>>> {
        let counted = self.runs_for("counted").filter(counts()).group_by_stable([col("cell"), col("engine")]);
        let frame = counted.agg([col(metric::SYSCALLS).drop_nulls()]).collect()?;
        let values =
            lists(&frame, metric::SYSCALLS)?.into_iter().map(|list| list.into_iter().flatten().collect());
        let places = texts(&frame, "cell")?.into_iter().zip(texts(&frame, "engine")?);
        Ok(places.zip(values).collect())
    }

    /// The ratios of each metric in each cell that has a pair, by its key.
    ///
    /// # Errors
    /// When a query fails.
    pub fn ratios(&self, comparison: &Comparison) -> PolarsResult<BTreeMap<String, Values>> {
        let counted = self.runs_for("measured").filter(counts());
        let side = |engine: &String| counted.clone().filter(col("engine").eq(lit(engine.clone())));
        let pairs = joined(side(&comparison.of), side(&comparison.to), &["cell", "repetition"]);
        let frame = pairs.group_by_stable([col("cell")]).agg(sides()).collect()?;
        Ok(texts(&frame, "cell")?.into_iter().zip(ratios_of(&frame)?).collect())
    }

    /// The ratios of each metric between the arms of the control, by what is on its way: all pairs that have that in common
    /// together. Empty without a pair that counts.
    pub(crate) fn control(&self) -> PolarsResult<BTreeMap<Option<InFlight>, Values>> {
        let counted = self.runs_for("control").filter(counts());
        let side = |arm: &str| counted.clone().filter(col("arm").eq(lit(arm)));
        let pairs = joined(side("a"), side("b"), &["cell", "engine", "repetition"]);
        let frame = pairs.group_by_stable([col("cell")]).agg(sides()).collect()?;
        let mut control: BTreeMap<Option<InFlight>, Values> = BTreeMap::new();
        for (key, ratios) in texts(&frame, "cell")?.into_iter().zip(ratios_of(&frame)?) {
            let cell = self.cells.iter().find(|cell| cell.key == key);
            let of = control.entry(cell.and_then(|cell| cell.factors.in_flight_bytes)).or_default();
            ratios.into_iter().for_each(|(metric, ratios)| of.entry(metric).or_default().extend(ratios));
        }
        Ok(control)
    }

    /// Median, largest and number of each value that says what disturbed the runs that count.
    pub(crate) fn noise(&self) -> PolarsResult<BTreeMap<&'static str, Noise>> {
        let named = |name: &str, what: &str| format!("{name} {what}");
        let columns = metric::OF_NOISE.iter().flat_map(|(name, _)| {
            let count = col(*name).count().cast(DataType::UInt64);
            [
                col(*name).median().alias(named(name, "median")),
                col(*name).max().alias(named(name, "worst")),
                count.alias(named(name, "n")),
            ]
        });
        let counted = self.runs_for("measured").filter(counts());
        let frame = counted.select(columns.collect::<Vec<_>>()).collect()?;
        let value =
            |name: &str, what: &str| Ok::<_, PolarsError>(frame.column(&named(name, what))?.f64()?.get(0));
        let of = |&(name, _): &metric::Metric| {
            let n = frame.column(&named(name, "n"))?.u64()?.get(0).unwrap_or(0) as usize;
            Ok((name, Noise { median: value(name, "median")?, worst: value(name, "worst")?, n }))
        };
        metric::OF_NOISE.iter().map(of).collect()
    }
}

/// One field that says what disturbed the runs, over the runs of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Median; `None` where no run has the field.
    pub median: Option<f64>,
    /// Largest.
    pub worst: Option<f64>,
    /// Runs that have the field.
    pub n: usize,
}

fn is_flagged() -> Expr {
    col("standing").eq(lit("flagged"))
}

/// Whether a figure may stand on a run.
fn counts() -> Expr {
    is_flagged().or(col("standing").eq(lit("valid")))
}

/// Each run of `of` beside the run of `to` that has the same values `on`, by repetition.
fn joined(of: LazyFrame, to: LazyFrame, on: &[&str]) -> LazyFrame {
    let on: Vec<Expr> = on.iter().map(|name| col(*name)).collect();
    let args = JoinArgs::new(JoinType::Inner).with_suffix(Some(TO.into()));
    of.join(to, &on, &on, args).sort(["repetition"], SortMultipleOptions::default())
}

/// The columns of a joined frame whose ratios mean something, numerators and denominators.
fn sides() -> Vec<Expr> {
    let both = |name: &&str| [col(*name), col(format!("{name}{TO}"))];
    metric::OF_RATIOS.iter().flat_map(both).collect()
}

/// The ratios in each row of `frame`, whose columns hold lists: one a pair.
fn ratios_of(frame: &DataFrame) -> PolarsResult<Vec<Values>> {
    let mut rows = vec![Values::new(); frame.height()];
    for name in metric::OF_RATIOS {
        let sides = lists(frame, name)?.into_iter().zip(lists(frame, &format!("{name}{TO}"))?);
        for (row, (of, to)) in rows.iter_mut().zip(sides) {
            row.insert(name, paired_ratios(&of, &to));
        }
    }
    Ok(rows)
}

/// The lists in the column of `frame` called `name`.
fn lists(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Vec<Option<f64>>>> {
    let lists = frame.column(name)?.list()?.series_iter();
    lists.map(|list| list.map_or_else(|| Ok(Vec::new()), |list| Ok(list.f64()?.to_vec()))).collect()
}

/// The texts in the column of `frame` called `name`.
pub(crate) fn texts(frame: &DataFrame, name: &str) -> PolarsResult<Vec<String>> {
    Ok(frame.column(name)?.str()?.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}
