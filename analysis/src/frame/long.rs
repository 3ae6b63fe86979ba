//! Frames with many rows a run: a row a connection, a row a step.

use polars::prelude::*;
use uring_echo::record::RunRecord;

use crate::recording::{Recording, Run};

/// Columns of numbers behind those that say which run it is.
struct Long {
    experiments: Vec<String>,
    numbers: Vec<u64>,
    /// Rows of each run.
    lengths: Vec<usize>,
    columns: Vec<(&'static str, Vec<u64>)>,
}

impl Long {
    fn new<const N: usize>(names: [&'static str; N]) -> Self {
        let columns = names.map(|name| (name, Vec::new())).into();
        Self { experiments: Vec::new(), numbers: Vec::new(), lengths: Vec::new(), columns }
    }

    /// Appends the rows of `run`. Columns of unequal length are cut to the shortest, which makes no row up.
    fn push<const N: usize>(&mut self, recording: &Recording, run: &Run, columns: [&[u64]; N]) {
        let length = columns.iter().map(|column| column.len()).min().unwrap_or(0);
        self.experiments.push(recording.experiment().to_owned());
        self.numbers.push(run.place.number as u64);
        self.lengths.push(length);
        for ((_, values), new) in self.columns.iter_mut().zip(columns) {
            values.extend(&new[..length]);
        }
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let indices: Vec<u64> = self.lengths.iter().flat_map(|&length| 0..length as u64).collect();
        let height = indices.len();
        let experiments = self.experiments.iter().zip(&self.lengths);
        let experiments: Vec<&str> =
            experiments.flat_map(|(name, &length)| std::iter::repeat_n(name.as_str(), length)).collect();
        let numbers = self.numbers.iter().zip(&self.lengths);
        let numbers: Vec<u64> =
            numbers.flat_map(|(&number, &length)| std::iter::repeat_n(number, length)).collect();
        let mut columns = vec![
            Column::new("experiment".into(), experiments),
            Column::new("number".into(), numbers),
            Column::new("index".into(), indices),
        ];
        columns.extend(self.columns.into_iter().map(|(name, values)| Column::new(name.into(), values)));
        DataFrame::new(height, columns)
    }
}

fn recorded(recordings: &[Recording]) -> impl Iterator<Item = (&Recording, &Run, &RunRecord)> {
    recordings.iter().flat_map(|recording| {
        let runs = recording.runs.iter();
        runs.filter_map(move |run| Some((recording, run, run.record.as_ref()?)))
    })
}

/// Every connection of every run with a record: `index` is its number, values are of the window.
///
/// # Errors
/// When the data frame cannot be made.
pub fn connections(recordings: &[Recording]) -> PolarsResult<DataFrame> {
    let mut long = Long::new(["sent_bytes", "received_bytes", "messages"]);
    for (recording, run, record) in recorded(recordings) {
        let of = &record.connections;
        long.push(recording, run, [&of.sent_bytes, &of.received_bytes, &of.messages]);
    }
    long.into_frame()
}

/// Every step of every run with a record: `index` is its number, `at_ns` its end since the window began.
///
/// # Errors
/// When the data frame cannot be made.
pub fn series(recordings: &[Recording]) -> PolarsResult<DataFrame> {
    let mut long = Long::new(["at_ns", "received_bytes", "messages"]);
    for (recording, run, record) in recorded(recordings) {
        let of = &record.series;
        let at_ns: Vec<u64> = of.at_ns.iter().map(|at| at.0).collect();
        long.push(recording, run, [&at_ns, &of.received_bytes, &of.messages]);
    }
    long.into_frame()
}
