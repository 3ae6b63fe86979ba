//! What a connection weighs.

use experiments::spec::factors::Factors;

use crate::grid::{Grid, Row};
use crate::metric::Metric;
use crate::statistics::median;

/// Bytes that each connection adds to the memory of `engine` in `row`, from the smallest cell on that differs from it
/// in the number of connections alone. Idle connections and active ones weigh differently, so cells with idle ones are
/// a kind of their own. `None` in that smallest cell, and where a memory is unknown.
pub(super) fn per_connection(grid: &Grid, row: &Row, engine: &str) -> Option<f64> {
    let cell = &row.cell.factors;
    let kin = grid.rows.iter().filter(|other| is_kin(&other.cell.factors, cell));
    let smallest = kin.min_by_key(|other| other.cell.factors.sockets())?;
    let more = cell.sockets().checked_sub(smallest.cell.factors.sockets()).filter(|&more| more > 0)?;
    Some((memory(row, engine)? - memory(smallest, engine)?) / more as f64)
}

fn is_kin(other: &Factors, cell: &Factors) -> bool {
    let same_number = Factors { connections: cell.connections, idle: cell.idle, ..other.clone() };
    (other.idle > 0) == (cell.idle > 0) && same_number == *cell
}

fn memory(row: &Row, engine: &str) -> Option<f64> {
    median(&row.samples.get(engine)?.values(Metric::ServerRssMaxBytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Cell;
    use uring_echo::record::Mode;

    fn grid(cells: &[(usize, usize, f64)]) -> Grid {
        let mut grid = Grid { engines: vec!["epoll".into()], comparisons: Vec::new(), rows: Vec::new() };
        for &(connections, idle, memory) in cells {
            let factors = Factors { idle, ..Factors::new(Mode::ReqRes, 512, connections) };
            let samples = grid.samples_mut(&Cell { key: factors.key(), factors }, "epoll");
            samples.enter(Metric::ServerRssMaxBytes, 1, Some(memory));
        }
        grid
    }

    #[test]
    fn a_connection_weighs_what_it_adds_to_the_smallest_cell_of_its_kind() {
        let grid = grid(&[(1000, 0, 1e6), (3000, 0, 1.5e6), (8, 1000, 2e6), (8, 3000, 2.2e6)]);
        let weights: Vec<_> = grid.rows.iter().map(|row| per_connection(&grid, row, "epoll")).collect();
        assert_eq!(weights, [None, Some(250.0), None, Some(100.0)]);
        assert_eq!(per_connection(&grid, &grid.rows[1], "uring"), None);
    }
}
