//! What a connection weighs.

use std::collections::BTreeMap;

use experiments::spec::factors::Factors;

use super::CellValues;
use crate::metric;

/// Enters what each connection adds to the memory of each server in each of `cells`, from the smallest cell on that
/// differs from it in the number of connections alone. Idle connections and active ones weigh differently, so cells with
/// idle ones are a kind of their own. Nothing is entered in that smallest cell, and where a memory is unknown.
pub(super) fn weigh_connections(cells: &mut BTreeMap<String, CellValues>) {
    let known = cells.clone();
    for cell in cells.values_mut() {
        let factors = &cell.cell.factors;
        let kin = known.values().filter(|other| is_kin(&other.cell.factors, factors));
        let Some(smallest) = kin.min_by_key(|other| other.cell.factors.sockets()) else { continue };
        let more = factors.sockets().saturating_sub(smallest.cell.factors.sockets());
        for (name, engine) in cell.engines.iter_mut().filter(|_| more > 0) {
            let least = smallest.engines.get(name).and_then(|engine| engine.median(metric::MEMORY));
            let added = engine.median(metric::MEMORY).zip(least).map(|(most, least)| most - least);
            engine.server_rss_max_bytes_per_connection = added.map(|bytes| bytes / more as f64);
        }
    }
}

fn is_kin(other: &Factors, cell: &Factors) -> bool {
    let same_number = Factors { connections: cell.connections, idle: cell.idle, ..other.clone() };
    (other.idle > 0) == (cell.idle > 0) && same_number == *cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::cells::tests::measured;
    use uring_echo::record::Mode;

    #[test]
    fn a_connection_weighs_what_it_adds_to_the_smallest_cell_of_its_kind() {
        let sizes = [(1000, 0, 1e6), (3000, 0, 1.5e6), (8, 1000, 2e6), (8, 3000, 2.2e6)];
        let of = |(connections, idle, memory): (usize, usize, f64)| {
            let factors = Factors { idle, ..Factors::new(Mode::ReqRes, 512, connections) };
            measured(factors, metric::MEMORY, &[memory])
        };
        let mut cells = sizes.map(of).map(|cell| (cell.cell.key.clone(), cell)).into();
        weigh_connections(&mut cells);
        let weight = |key: &str| cells[key].engines["epoll"].server_rss_max_bytes_per_connection;
        let keys =
            ["c1000", "c3000", "c8/idle1000", "c8/idle3000"].map(|cell| format!("req-res/512B/{cell}"));
        assert_eq!(keys.map(|key| weight(&key)), [None, Some(250.0), None, Some(100.0)]);
    }
}
