//! What the servers that an experiment is about cost beside the best of all others.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CellValues, EngineValues, GridValues};
use crate::metric;
use crate::statistics::geometric_mean;

/// Jain's index from which on a server is even enough to be a rival: one that lets connections wait can be cheap.
pub(crate) const JAIN_MIN: f64 = 0.95;

/// Part of a server's messages per second from which on another is a rival: one that is asleep most of the time, since its sends
/// wait for acknowledgements, costs next to nothing.
const RATE_MIN: f64 = 0.5;

/// The cost of one server against its cheapest rival, over the cells of a workload. A rival is a server of a program that
/// the experiment is not about, with a Jain's index of 0.95 or more in that cell, and half as many messages or more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rivals {
    /// Geometric mean over the cells.
    pub mean: f64,
    /// The largest ratio, and its cell.
    pub most: f64,
    /// The key of that cell.
    pub most_cell: String,
    /// Each cell with a rival, by its key.
    pub cells: BTreeMap<String, Rival>,
}

/// The cheapest rival of a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rival {
    /// Its name.
    pub server: String,
    /// CPU time per message of the server, divided by the rival's: medians.
    pub ratio: f64,
}

impl GridValues {
    /// By workload and by server that the experiment is about. Empty without others.
    pub(crate) fn rivals(&self) -> BTreeMap<String, BTreeMap<String, Rivals>> {
        let asked = self.asked();
        let about: Vec<&str> = asked.iter().flat_map(|of| self.servers.programs_of(of)).collect();
        let is_about = |name: &String| about.contains(&self.servers.program(name));
        let mut all: BTreeMap<String, BTreeMap<String, Rivals>> = BTreeMap::new();
        for workload in self.workloads() {
            let rows: Vec<&CellValues> = self.rows_of(workload).collect();
            for server in self.engines.iter().filter(|name| is_about(name)) {
                if let Some(rivals) = Rivals::of(&rows, server, &is_about) {
                    all.entry(workload.to_string()).or_default().insert(server.clone(), rivals);
                }
            }
        }
        all
    }
}

impl Rivals {
    /// Of `server` in `rows`, against those that are not `excluded`; `None` where no cell has one.
    fn of(rows: &[&CellValues], server: &str, excluded: &dyn Fn(&String) -> bool) -> Option<Self> {
        let rival = |row: &&CellValues| {
            let own = row.engines.get(server)?;
            let (name, least) = cheapest(row, own.median(metric::MESSAGES)? * RATE_MIN, excluded)?;
            let ratio = own.median(metric::CPU)? / least;
            Some((row.cell.key.clone(), Rival { server: name.clone(), ratio }))
        };
        let cells: BTreeMap<String, Rival> = rows.iter().filter_map(rival).collect();
        let (most_cell, most) =
            cells.iter().max_by(|(_, one), (_, other)| one.ratio.total_cmp(&other.ratio))?;
        let ratios: Vec<f64> = cells.values().map(|rival| rival.ratio).collect();
        Some(Self { mean: geometric_mean(&ratios)?, most: most.ratio, most_cell: most_cell.clone(), cells })
    }
}

fn cheapest<'a>(
    row: &'a CellValues,
    messages_per_s_min: f64,
    excluded: &dyn Fn(&String) -> bool,
) -> Option<(&'a String, f64)> {
    let has = |of: &EngineValues, metric, least| of.median(metric).is_some_and(|value| value >= least);
    let is_rival =
        |of: &EngineValues| has(of, metric::JAIN, JAIN_MIN) && has(of, metric::MESSAGES, messages_per_s_min);
    let rivals = row.engines.iter().filter(|(name, of)| !excluded(name) && is_rival(of));
    let costs = rivals.filter_map(|(name, of)| Some((name, of.median(metric::CPU)?)));
    costs.min_by(|one, other| one.1.total_cmp(&other.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Samples;
    use crate::recording::Cell;
    use experiments::spec::factors::Factors;
    use uring_echo::record::Mode;

    /// The one called `asleep` has few messages.
    fn engine(name: &str, cost: f64, jain: f64) -> (String, EngineValues) {
        let messages_per_s = if name == "asleep" { 49.0 } else { 100.0 };
        let value = |name| match name {
            metric::CPU => vec![cost],
            metric::JAIN => vec![jain],
            metric::MESSAGES => vec![messages_per_s],
            _ => Vec::new(),
        };
        let values = metric::ALL.map(|(name, _)| (name, value(name))).into();
        let (cell, engine) = (String::new(), name.to_owned());
        let samples = Samples { cell, engine, planned: 1, runs: 1, flagged: 0, values };
        (name.to_owned(), EngineValues::of(&samples, None))
    }

    fn row(connections: usize, engines: &[(&str, f64, f64)]) -> CellValues {
        let factors = Factors::new(Mode::Stream, 256, connections);
        let engines = engines.iter().map(|&(name, cost, jain)| engine(name, cost, jain)).collect();
        CellValues { cell: Cell { key: factors.key(), factors }, engines, ratios: BTreeMap::new() }
    }

    #[test]
    fn a_rival_is_cheap_and_even_and_another_program() {
        let rows = [
            row(1, &[("epoll", 90.0, 1.0), ("asleep", 10.0, 1.0), ("a", 100.0, 1.0), ("b", 120.0, 1.0)]),
            row(8, &[("epoll", 110.0, 1.0), ("uring", 10.0, 1.0), ("a", 50.0, 0.94), ("b", 100.0, 0.95)]),
        ];
        let excluded = |name: &String| ["epoll", "uring"].contains(&name.as_str());
        let rivals = Rivals::of(&rows.iter().collect::<Vec<_>>(), "epoll", &excluded).unwrap();
        let names: Vec<&str> = rivals.cells.values().map(|rival| rival.server.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!((rivals.mean - (0.9 * 1.1_f64).sqrt()).abs() < 1e-12 && (rivals.most - 1.1).abs() < 1e-12);
        assert_eq!(rivals.most_cell, "stream/256B/c8");
        assert!(Rivals::of(&rows.iter().collect::<Vec<_>>(), "epoll", &|_| true).is_none());
    }
}
