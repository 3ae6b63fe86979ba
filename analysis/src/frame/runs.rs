//! A row a run.

use experiments::plan::{Arm, Role};
use polars::prelude::*;

use crate::metric::Metric;
use crate::recording::{Recording, Run};

/// Every run of `recordings`: where it stands, whether it counts and why not, and each metric.
///
/// # Errors
/// When the data frame cannot be made.
pub fn runs(recordings: &[Recording]) -> PolarsResult<DataFrame> {
    let all = recordings.iter().flat_map(|recording| recording.runs.iter().map(move |run| (recording, run)));
    let rows: Vec<(&Recording, &Run)> = all.collect();
    let mut columns = places(&rows);
    columns.extend(Metric::ALL.map(|metric| {
        let values = rows.iter().map(|(_, run)| metric.of(run.record.as_ref()?));
        Column::new(metric.name().into(), values.collect::<Vec<_>>())
    }));
    DataFrame::new(rows.len(), columns)
}

fn places(rows: &[(&Recording, &Run)]) -> Vec<Column> {
    let text = |name: &str, of: &dyn Fn(&Recording, &Run) -> String| {
        Column::new(name.into(), rows.iter().map(|(recording, run)| of(recording, run)).collect::<Vec<_>>())
    };
    let count = |name: &str, of: &dyn Fn(&Run) -> u64| {
        Column::new(name.into(), rows.iter().map(|(_, run)| of(run)).collect::<Vec<_>>())
    };
    let arms: Vec<Option<&str>> = rows.iter().map(|(_, run)| run.place.arm.map(arm)).collect();
    vec![
        text("experiment", &|recording, _| recording.experiment().to_owned()),
        text("recording", &|recording, _| recording.manifest.recording.clone()),
        count("number", &|run| run.place.number as u64),
        text("role", &|_, run| role(run.place.role).to_owned()),
        Column::new("arm".into(), arms),
        text("cell", &|_, run| run.place.cell.key.clone()),
        text("mode", &|_, run| run.place.cell.factors.mode.to_string()),
        count("payload_bytes", &|run| run.place.cell.factors.payload_bytes as u64),
        count("connections", &|run| run.place.cell.factors.connections as u64),
        text("engine", &|_, run| run.place.engine.clone()),
        count("repetition", &|run| u64::from(run.place.repetition)),
        text("standing", &|_, run| run.standing.name().to_owned()),
        text("reasons", &|_, run| [&run.reasons[..], &run.damage[..]].concat().join("; ")),
    ]
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Measured => "measured",
        Role::Control => "control",
        Role::Priming => "priming",
        Role::Calibration => "calibration",
        Role::Ceiling => "ceiling",
    }
}

const fn arm(arm: Arm) -> &'static str {
    match arm {
        Arm::A => "a",
        Arm::B => "b",
    }
}
