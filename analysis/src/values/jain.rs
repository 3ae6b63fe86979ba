//! The least fair there was.

use std::collections::BTreeMap;

use serde::Serialize;
use uring_echo::record::Mode;

use crate::grid::{Grid, Row};
use crate::metric::Metric;
use crate::statistics::median;

/// The least of Jain's indices of one server over the cells of a mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeastJain {
    /// Of single runs. `None` where none was measured.
    pub run: Option<f64>,
    /// Of the cells' medians.
    pub median: Option<f64>,
    /// The cell of that median.
    pub cell: Option<String>,
}

impl LeastJain {
    fn of(rows: &[&Row], engine: &str) -> Self {
        let values =
            |row: &Row| row.samples.get(engine).map_or(Vec::new(), |samples| samples.values(Metric::Jain));
        let medians = rows.iter().filter_map(|row| Some((median(&values(row))?, &row.cell.key)));
        let least = medians.min_by(|one, other| one.0.total_cmp(&other.0));
        Self {
            run: rows.iter().flat_map(|row| values(row)).min_by(f64::total_cmp),
            median: least.map(|(median, _)| median),
            cell: least.map(|(_, key)| key.clone()),
        }
    }
}

/// The least fair of `grid` by mode and server.
pub(super) fn least(grid: &Grid) -> BTreeMap<String, BTreeMap<String, LeastJain>> {
    let mut least = BTreeMap::new();
    for mode in [Mode::Stream, Mode::ReqRes] {
        let rows: Vec<&Row> = grid.rows.iter().filter(|row| row.cell.factors.mode == mode).collect();
        if !rows.is_empty() {
            let engines = grid.engines.iter().map(|engine| (engine.clone(), LeastJain::of(&rows, engine)));
            least.insert(mode.to_string(), engines.collect());
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Cell;

    #[test]
    fn the_least_fair_run_and_cell_of_each_server_are_told_by_mode() {
        let mut grid = Grid { engines: vec!["epoll".into()], comparisons: Vec::new(), rows: Vec::new() };
        for (connections, indices) in [(8, [0.7, 0.99, 0.98]), (512, [0.9, 0.91, 0.92])] {
            let samples = grid.samples_mut(&Cell::new(Mode::Stream, 256, connections), "epoll");
            for (repetition, index) in (1..).zip(indices) {
                samples.enter(Metric::Jain, repetition, Some(index));
            }
        }
        let least = least(&grid);
        let expected =
            LeastJain { run: Some(0.7), median: Some(0.91), cell: Some("stream/256B/c512".into()) };
        assert_eq!(least["stream"]["epoll"], expected);
        assert!(!least.contains_key("req-res"));
    }
}
