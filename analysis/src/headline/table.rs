//! The rows as a table.

use super::row::{Row, rows, verdict, with_interval};
use crate::markdown::{self, Head};
use crate::statistics::Mean;
use crate::values::Values;

/// The headline numbers of `values` as Markdown: geometric means over the cells of a mode, with their 95 % intervals.
pub(crate) fn table(values: &Values) -> String {
    let rows: Vec<Vec<String>> = values
        .experiments
        .iter()
        .flat_map(|(name, experiment)| rows(name, experiment))
        .map(|row| cells(&row))
        .collect();
    if rows.is_empty() {
        return "No recording compares io_uring with epoll.\n".to_owned();
    }
    let heads = [
        Head::words("experiment"),
        Head::words("mode"),
        Head::numbers("cells"),
        Head::numbers("CPU per message, io_uring ÷ epoll"),
        Head::numbers("least–most cell"),
        Head::words("verdict"),
        Head::numbers("messages per s, io_uring ÷ epoll"),
        Head::words("recorded"),
    ];
    markdown::table(&heads, &rows)
}

fn cells(row: &Row<'_>) -> Vec<String> {
    let cpu = row.cpu;
    vec![
        row.name.clone(),
        row.mode.to_string(),
        cpu.cells.to_string(),
        with_interval(cpu),
        least_to_most(cpu),
        verdict(cpu),
        row.throughput.map_or_else(|| "–".to_owned(), with_interval),
        row.recorded.clone(),
    ]
}

fn least_to_most(mean: &Mean) -> String {
    let ends = mean.least.zip(mean.most);
    ends.map_or_else(|| "–".to_owned(), |(least, most)| format!("{least:.2}–{most:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Judge, Silence};

    #[test]
    fn a_mean_without_repetitions_has_no_interval_to_show() {
        let mean = Mean::of(&[vec![2.0], vec![0.5]], &Judge::silent(Silence::NoControl));
        assert_eq!((with_interval(&mean), least_to_most(&mean)), ("1.00".into(), "0.50–2.00".into()));
    }
}
