//! A cell of an experiment: one combination of the levels of every factor but the engine.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use uring_echo::record::{HogKind, Mode};

use super::in_flight::InFlight;
use super::workload::Workload;
use crate::report::format;

/// Offered load as a share of capacity, in thousandths: a level must compare and print exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Share(u16);

impl Share {
    /// This share of `capacity`.
    pub fn of(self, capacity: f64) -> f64 {
        f64::from(self.0) / 1000.0 * capacity
    }
}

impl From<f64> for Share {
    /// Rounds to thousandths; what lies outside 0 to 65 is cut off there.
    fn from(share: f64) -> Self {
        Self((share * 1000.0).round() as u16)
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        Self::from(share.0) / 1000.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f64::from(*self).fmt(f)
    }
}

/// The levels of a cell. Those that do not apply are `None` or 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// Stream or request-response.
    pub mode: Mode,
    /// Size of a message.
    pub payload_bytes: usize,
    /// Connections under measured load.
    pub connections: usize,
    /// Most unanswered messages of a connection. `None`: the client's default.
    pub depth: Option<u32>,
    /// Most bytes of one write. `None`: the client's default.
    pub batch_bytes: Option<usize>,
    /// Most bytes of a connection on their way, in a stream. `None`: the client's default. Older recordings have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_bytes: Option<InFlight>,
    /// Offered load as a share of the capacity of the slower engine.
    pub load: Option<Share>,
    /// Offered load in messages per second.
    pub rate_per_s: Option<u64>,
    /// Connections of the second group.
    pub hogs: usize,
    /// What they do.
    pub hog_kind: Option<HogKind>,
    /// Connections that are open and silent.
    pub idle: usize,
}

impl Factors {
    /// A cell of the three factors that every experiment has.
    pub const fn new(mode: Mode, payload_bytes: usize, connections: usize) -> Self {
        Self {
            mode,
            payload_bytes,
            connections,
            depth: None,
            batch_bytes: None,
            in_flight_bytes: None,
            load: None,
            rate_per_s: None,
            hogs: 0,
            hog_kind: None,
            idle: 0,
        }
    }

    /// The same cell in closed loop: where its capacity is measured.
    pub fn closed(&self) -> Self {
        Self { load: None, rate_per_s: None, ..self.clone() }
    }

    /// The cells that it may be pooled with.
    pub const fn workload(&self) -> Workload {
        Workload { mode: self.mode, in_flight: self.in_flight_bytes }
    }

    /// Connections of all groups together.
    pub const fn sockets(&self) -> usize {
        self.connections + self.hogs + self.idle
    }

    /// One word that names the cell, the same in every recording: `req-res/256B/c8/load0.5`.
    pub fn key(&self) -> String {
        let mut key = format!("{}/{}B/c{}", self.mode, self.payload_bytes, self.connections);
        let mut level = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = write!(key, "/{name}{value}");
            }
        };
        level("depth", self.depth.map(|depth| depth.to_string()));
        level("batch", self.batch_bytes.map(|bytes| bytes.to_string()));
        level("", self.in_flight_bytes.map(InFlight::key));
        level("load", self.load.map(|share| share.to_string()));
        level("rate", self.rate_per_s.map(|rate| rate.to_string()));
        level("hogs", self.hog_kind.map(|kind| format!("{}-{kind}", self.hogs)));
        level("idle", (self.idle > 0).then(|| self.idle.to_string()));
        key
    }

    /// The levels that not every experiment has, in words: `, load 50 %`. Empty without any.
    pub fn further(&self) -> String {
        let mut text = String::new();
        let mut level = |words: Option<String>| {
            if let Some(words) = words {
                let _ = write!(text, ", {words}");
            }
        };
        level(self.depth.map(|depth| format!("depth {depth}")));
        level(self.batch_bytes.map(|bytes| format!("batches of {}", format::bytes(bytes))));
        level(self.in_flight_bytes.map(InFlight::in_words));
        level(self.load.map(|share| format!("load {} %", f64::from(share.0) / 10.0)));
        level(self.rate_per_s.map(|rate| format!("{rate}/s")));
        level(self.hog_kind.map(|kind| format!("{} {kind} hogs", self.hogs)));
        level((self.idle > 0).then(|| format!("{} idle", self.idle)));
        text
    }

    fn rank(&self) -> impl Ord + use<> {
        let Self {
            payload_bytes,
            connections,
            depth,
            batch_bytes,
            load,
            rate_per_s,
            hogs,
            hog_kind,
            idle,
            ..
        } = *self;
        (
            self.workload(),
            payload_bytes,
            depth,
            batch_bytes,
            (hog_kind.map(|kind| kind as u8), hogs),
            (idle > 0, connections, idle),
            load,
            rate_per_s,
        )
    }
}

impl Ord for Factors {
    /// The order of tables.
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Factors {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// For people: `req-res 256 B x 8, load 50 %`.
impl fmt::Display for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, connections, .. } = self;
        write!(f, "{mode} {} x {connections}{}", format::bytes(self.payload_bytes), self.further())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Factors {
        Factors {
            depth: Some(4),
            batch_bytes: Some(65_536),
            in_flight_bytes: Some(InFlight::AtMost(262_144)),
            load: Some(0.95.into()),
            rate_per_s: Some(1000),
            hogs: 2,
            hog_kind: Some(HogKind::NonReading),
            idle: 9000,
            ..Factors::new(Mode::ReqRes, 256, 8)
        }
    }

    #[test]
    fn the_key_names_every_level_that_applies_and_no_other() {
        assert_eq!(Factors::new(Mode::Stream, 4096, 512).key(), "stream/4096B/c512");
        let key =
            "req-res/256B/c8/depth4/batch65536/inflight262144/load0.95/rate1000/hogs2-non-reading/idle9000";
        assert_eq!(full().key(), key);
        assert_eq!(full().closed().key(), key.replace("/load0.95/rate1000", ""));
    }

    #[test]
    fn the_levels_survive_json_with_the_share_as_a_number() {
        let json = serde_json::to_string(&full()).unwrap();
        assert!(json.contains(r#""load":0.95"#), "{json}");
        assert_eq!(serde_json::from_str::<Factors>(&json).unwrap(), full());
    }

    #[test]
    fn tables_go_by_mode_then_payload_then_connections_then_load() {
        let cell = |mode, payload, connections| Factors::new(mode, payload, connections);
        let loaded = |share: f64| Factors { load: Some(share.into()), ..cell(Mode::ReqRes, 256, 8) };
        let ordered = [
            cell(Mode::Stream, 256, 8),
            cell(Mode::Stream, 256, 512),
            cell(Mode::Stream, 4096, 1),
            cell(Mode::ReqRes, 256, 8),
            loaded(0.1),
            loaded(0.95),
        ];
        assert!(ordered.is_sorted() && ordered.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn people_read_it_in_words() {
        let cell = Factors { load: Some(0.95.into()), idle: 3, ..Factors::new(Mode::ReqRes, 256, 8) };
        assert_eq!(cell.to_string(), "req-res 256 B x 8, load 95 %, 3 idle");
    }
}
