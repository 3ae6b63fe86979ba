//! Frames with many rows a run: a row a connection, a row a step.

use polars::prelude::*;
use uring_echo::record::RunRecord;

use crate::recording::Recording;

/// Columns of one run, each with its name.
type Columns = [(&'static str, Vec<u64>); 3];

/// Every connection of every run with a record: `index` is its number, values are of the window.
pub(crate) fn connections(recordings: &[Recording]) -> PolarsResult<DataFrame> {
    exploded(recordings, |record| {
        let of = &record.connections;
        [
            ("sent_bytes", of.sent_bytes.clone()),
            ("received_bytes", of.received_bytes.clone()),
            ("messages", of.messages.clone()),
        ]
    })
}

/// Every step of every run with a record: `index` is its number, `at_ns` its end since the window began.
pub(crate) fn series(recordings: &[Recording]) -> PolarsResult<DataFrame> {
    exploded(recordings, |record| {
        let of = &record.series;
        [
            ("at_ns", of.at_ns.iter().map(|at| at.0).collect()),
            ("received_bytes", of.received_bytes.clone()),
            ("messages", of.messages.clone()),
        ]
    })
}

/// The rows of every run one below the other, behind what says which run it is. Columns of unequal length are cut to the
/// shortest, which makes no row up.
fn exploded(recordings: &[Recording], columns: fn(&RunRecord) -> Columns) -> PolarsResult<DataFrame> {
    let mut frames = Vec::new();
    for recording in recordings {
        for run in &recording.runs {
            let Some(columns) = run.record.as_ref().map(columns) else { continue };
            let height = columns.iter().map(|(_, values)| values.len()).min().unwrap_or(0);
            let indices: Vec<u64> = (0..height as u64).collect();
            let place = [
                Column::new("experiment".into(), vec![recording.experiment(); height]),
                Column::new("number".into(), vec![run.entry.number as u64; height]),
                Column::new("index".into(), indices),
            ];
            let columns = columns.map(|(name, values)| Column::new(name.into(), &values[..height]));
            frames.push(DataFrame::new(height, place.into_iter().chain(columns).collect())?.lazy());
        }
    }
    concat(frames, UnionArgs { rechunk: true, ..UnionArgs::default() })?.collect()
}
