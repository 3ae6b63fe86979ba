//! A row a run.

use polars::prelude::*;
use serde::Serialize;

use crate::metric::Metric;
use crate::recording::{Recording, Run};

/// Every run of `recordings`: where it stands, whether it counts and why not, and each of `metrics`.
pub(crate) fn runs<'a>(
    recordings: impl IntoIterator<Item = &'a Recording>,
    metrics: impl IntoIterator<Item = Metric>,
) -> PolarsResult<DataFrame> {
    let all =
        recordings.into_iter().flat_map(|recording| recording.runs.iter().map(move |run| (recording, run)));
    let rows: Vec<(&Recording, &Run)> = all.collect();
    let mut columns = places(&rows);
    columns.extend(metrics.into_iter().map(|(name, of)| {
        let values = rows.iter().map(|(_, run)| of(run.record.as_ref()?).filter(|value| value.is_finite()));
        Column::new(name.into(), values.collect::<Vec<_>>())
    }));
    DataFrame::new(rows.len(), columns)
}

fn places(rows: &[(&Recording, &Run)]) -> Vec<Column> {
    let text = |name: &str, of: &dyn Fn(&Recording, &Run) -> Option<String>| {
        Column::new(name.into(), rows.iter().map(|(recording, run)| of(recording, run)).collect::<Vec<_>>())
    };
    let count = |name: &str, of: &dyn Fn(&Run) -> u64| {
        Column::new(name.into(), rows.iter().map(|(_, run)| of(run)).collect::<Vec<_>>())
    };
    vec![
        text("experiment", &|recording, _| Some(recording.experiment().to_owned())),
        text("recording", &|recording, _| Some(recording.manifest.recording.clone())),
        count("number", &|run| run.entry.number as u64),
        text("role", &|_, run| name(&run.entry.role)),
        text("arm", &|_, run| name(&run.entry.arm)),
        text("cell", &|_, run| Some(run.entry.cell.clone())),
        text("mode", &|_, run| Some(run.entry.factors.mode.to_string())),
        count("payload_bytes", &|run| run.entry.factors.payload_bytes as u64),
        count("connections", &|run| run.entry.factors.connections as u64),
        text("engine", &|_, run| Some(run.entry.engine.clone())),
        count("repetition", &|run| u64::from(run.entry.repetition)),
        text("standing", &|_, run| Some(run.standing.name().to_owned())),
        text("reasons", &|_, run| Some([&run.reasons[..], &run.damage[..]].concat().join("; "))),
    ]
}

/// The name that a manifest has for `what`.
fn name(what: &impl Serialize) -> Option<String> {
    serde_json::to_value(what).ok()?.as_str().map(str::to_owned)
}
