//! The least fair there was.

use serde::Serialize;

use super::{CellValues, EngineValues};
use crate::metric;

/// The least of Jain's indices of one server over the cells of a workload.
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
    pub(super) fn of(rows: &[&CellValues], engine: &str) -> Self {
        let own = || rows.iter().filter_map(|row| Some((row.engines.get(engine)?, &row.cell.key)));
        let medians = own().filter_map(|(values, key)| Some((values.median(metric::JAIN)?, key)));
        let least = medians.min_by(|one, other| one.0.total_cmp(&other.0));
        let of_run = |(values, _): (&EngineValues, _)| values.least_jain;
        Self {
            run: own().filter_map(of_run).min_by(f64::total_cmp),
            median: least.map(|(median, _)| median),
            cell: least.map(|(_, key)| key.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::cells::tests::measured;
    use experiments::spec::factors::Factors;
    use uring_echo::record::Mode;

    #[test]
    fn the_least_fair_run_and_cell_of_a_server_are_told() {
        let cells = [(8, [0.7, 0.99, 0.98]), (512, [0.9, 0.91, 0.92])].map(|(connections, indices)| {
            measured(Factors::new(Mode::Stream, 256, connections), metric::JAIN, &indices)
        });
        let expected =
            LeastJain { run: Some(0.7), median: Some(0.91), cell: Some("stream/256B/c512".into()) };
        assert_eq!(LeastJain::of(&cells.iter().collect::<Vec<_>>(), "epoll"), expected);
        assert_eq!(LeastJain::of(&[], "epoll"), LeastJain { run: None, median: None, cell: None });
    }
}
