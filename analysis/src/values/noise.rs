//! What disturbed the runs: others on the machine, and the hypervisor.

use std::collections::BTreeMap;

use serde::Serialize;
use uring_echo::record::{Noise as Recorded, RunRecord};
use uring_echo::units::Nanos;

use crate::metric::Metric;
use crate::statistics::median;

/// One field of the records, over the runs of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Median; `None` where no run has the field.
    pub median: Option<f64>,
    /// Largest.
    pub worst: Option<f64>,
    /// Runs that have the field.
    pub n: usize,
}

impl Noise {
    fn of(values: &[f64]) -> Self {
        Self { median: median(values), worst: values.iter().copied().max_by(f64::total_cmp), n: values.len() }
    }
}

/// A field and its value in a record.
type Field = (&'static str, fn(&RunRecord) -> Option<f64>);

const FIELDS: [Field; 5] = [
    ("psi_cpu_some_ns", |record| span(recorded(record)?.psi_cpu_some_ns)),
    ("steal_ns", |record| span(recorded(record)?.steal_ns)),
    ("server_involuntary_switches", |record| count(recorded(record)?.server_involuntary_switches)),
    ("client_involuntary_switches", |record| count(recorded(record)?.client_involuntary_switches)),
    ("server_core_foreign_share", |record| Metric::ServerCoreForeignShare.of(record)),
];

fn recorded(record: &RunRecord) -> Option<&Recorded> {
    record.noise.as_ref()
}

fn span(ns: Option<Nanos>) -> Option<f64> {
    Some(ns?.0 as f64)
}

fn count(count: Option<u64>) -> Option<f64> {
    Some(count? as f64)
}

/// What disturbed the runs with these `records`, by field.
pub(super) fn noise<'a>(records: impl Iterator<Item = &'a RunRecord>) -> BTreeMap<&'static str, Noise> {
    let records: Vec<&RunRecord> = records.collect();
    let values = |of: fn(&RunRecord) -> Option<f64>| -> Vec<f64> {
        records.iter().filter_map(|record| of(record)).collect()
    };
    FIELDS.iter().map(|&(name, of)| (name, Noise::of(&values(of)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_the_largest_and_nothing_has_neither() {
        assert_eq!(Noise::of(&[3.0, 9.0, 1.0]), Noise { median: Some(3.0), worst: Some(9.0), n: 3 });
        assert_eq!(Noise::of(&[]), Noise { median: None, worst: None, n: 0 });
    }
}
