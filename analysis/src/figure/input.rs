//! The numbers that figures are made of: plain, and already reduced to one estimate a place.

use experiments::report::format as number;
use experiments::spec::factors::Factors;
use experiments::spec::in_flight::InFlight;
use experiments::spec::server_program::ServerProgram;
use experiments::spec::workload::Workload;
use uring_echo::record::Mode;

use crate::chart::{Cell, Estimate, Panel, Sheet};
use crate::servers::Servers;

/// The name of `workload` in a title.
pub(crate) fn title(workload: Workload) -> String {
    let mode = match workload.mode {
        Mode::Stream => "Streaming",
        Mode::ReqRes => "Request-response",
    };
    let in_flight = workload.in_flight.map_or_else(String::new, |level| format!(", {}", level.in_words()));
    format!("{mode}{in_flight}")
}

/// The place of `cell` in the grid: its workload, payload and connections, without what not every experiment has.
pub(crate) fn place(cell: &Factors) -> Factors {
    let Factors { mode, payload_bytes, connections, in_flight_bytes, .. } = *cell;
    Factors { in_flight_bytes, ..Factors::new(mode, payload_bytes, connections) }
}

/// What tells figures of deep queues from those of short ones.
pub(crate) fn suffix(in_flight: Option<InFlight>) -> String {
    in_flight.map_or_else(String::new, |level| format!("-{}", level.key()))
}

/// Payload and connections of `cell` in words.
pub(crate) fn say(cell: &Factors) -> String {
    format!("{} × {}", label_bytes(cell.payload_bytes), cell.connections)
}

/// The size of a message as a label.
pub(crate) fn label_bytes(payload_bytes: usize) -> String {
    number::label_bytes(payload_bytes as u64)
}

/// The workloads of `items`, in the order of tables.
pub(crate) fn workloads<T>(items: &[T], at: impl Fn(&T) -> &Factors) -> Vec<Workload> {
    distinct(items, |item| at(item).workload())
}

/// What one server measured in a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) at: Factors,
    pub(crate) engine: String,
    /// What it measured; `None` without a valid run.
    pub(crate) value: Option<Estimate>,
}

/// How two servers compare in a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    pub(crate) at: Factors,
    /// One server divided by the other.
    pub(crate) ratio: Cell,
}

/// What all figures of a recording have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) quick: bool,
    /// What an interval is and on how many runs it stands.
    pub(crate) interval: String,
    /// Which servers are settings of one program, and their order.
    pub(crate) servers: Servers,
    /// The servers of a ratio: what is divided and by what. `None` for io_uring and epoll.
    pub(crate) pair: Option<(String, String)>,
}

impl About {
    /// What a ratio is of, in words.
    pub(crate) fn ratio(&self) -> String {
        let (of, to) = self.sides();
        format!("{of} ÷ {to}")
    }

    /// What is divided and by what, as a reader knows them.
    pub(crate) fn sides(&self) -> (String, String) {
        let (of, to) = self.pair.as_ref().map_or(("uring", "epoll"), |(of, to)| (of, to));
        (reader_name(of), reader_name(to))
    }

    /// A figure of the recording: up to two panels side by side, each on a scale of its own.
    pub(crate) fn sheet(&self, title: String, description: String, panels: Vec<Panel>) -> Sheet {
        Sheet {
            title,
            subtitle: self.interval.clone(),
            quick: self.quick,
            stamp: None,
            description,
            notes: Vec::new(),
            columns: 2,
            one_scale: false,
            panels,
        }
    }
}

/// Name of `engine` as a reader knows it: the programs say `uring` for short.
pub(crate) fn reader_name(engine: &str) -> String {
    ServerProgram::called(engine)
}

/// The different values of `of` among `items`, in order.
pub(crate) fn distinct<T, V: Ord>(items: &[T], of: impl Fn(&T) -> V) -> Vec<V> {
    let mut values: Vec<V> = items.iter().map(of).collect();
    values.sort();
    values.dedup();
    values
}

/// The different names among `items`, in the order of their first appearance.
pub(crate) fn names<T>(items: &[T], of: impl Fn(&T) -> &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        if !names.iter().any(|name| name == of(item)) {
            names.push(of(item).to_owned());
        }
    }
    names
}
