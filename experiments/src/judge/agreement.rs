//! Whether a record is of the run that was planned. A client that measured something else may well be content with it.

use std::fmt::Display;

use uring_echo::record::{Mode, RunRecord};

use crate::spec::factors::Factors;
use crate::spec::in_flight::InFlight;

/// What a plan says of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Stream or request-response.
    pub mode: Mode,
    /// Size of a message, in bytes.
    pub payload_bytes: usize,
    /// Connections open during the run.
    pub connections: usize,
    /// Most bytes of a connection on their way. `None` where that is left to the client.
    pub in_flight_bytes: Option<usize>,
}

impl Planned {
    /// The plan of a run of the cell that has `factors`.
    pub fn of(factors: &Factors) -> Self {
        Self {
            mode: factors.mode,
            payload_bytes: factors.payload_bytes,
            connections: factors.connections,
            in_flight_bytes: factors.in_flight_bytes.map(|level: InFlight| level.bytes().0),
        }
    }

    /// In what `record` differs from the plan, each as a reason that voids the run; empty when it is of this run.
    pub fn disagreements(self, record: &RunRecord) -> Vec<String> {
        let client = &record.client;
        // A stream always has room for one write, whatever its bound.
        let planned = self.in_flight_bytes.map(|bytes| bytes.max(client.batch_bytes.0));
        Self { in_flight_bytes: planned, ..self }.differences(Self {
            mode: client.mode,
            payload_bytes: client.payload_bytes.0,
            connections: client.connections,
            in_flight_bytes: planned.map(|_| client.in_flight_bytes_max.0),
        })
    }

    fn differences(self, measured: Self) -> Vec<String> {
        [
            difference("mode", self.mode, measured.mode),
            difference("payload_bytes", self.payload_bytes, measured.payload_bytes),
            difference("connections", self.connections, measured.connections),
            self.in_flight_bytes
                .zip(measured.in_flight_bytes)
                .and_then(|(planned, measured)| difference("in_flight_bytes", planned, measured)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn difference<T: PartialEq + Display>(what: &str, planned: T, measured: T) -> Option<String> {
    let is_same = planned == measured;
    (!is_same).then(|| format!("plan: {what} was to be {planned} and is {measured} in the record"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANNED: Planned =
        Planned { mode: Mode::Stream, payload_bytes: 1024, connections: 4, in_flight_bytes: Some(1 << 20) };

    #[test]
    fn a_record_of_the_planned_run_gives_no_reason() {
        assert!(PLANNED.differences(PLANNED).is_empty());
    }

    #[test]
    fn each_difference_is_a_reason_of_its_own_with_both_values() {
        let reasons = PLANNED.differences(Planned { payload_bytes: 1000, connections: 3, ..PLANNED });
        let expected = [
            "plan: payload_bytes was to be 1024 and is 1000 in the record",
            "plan: connections was to be 4 and is 3 in the record",
        ];
        assert_eq!(reasons, expected);
        assert_eq!(PLANNED.differences(Planned { mode: Mode::ReqRes, ..PLANNED }).len(), 1);
        let shallow = PLANNED.differences(Planned { in_flight_bytes: Some(4096), ..PLANNED });
        assert_eq!(shallow, ["plan: in_flight_bytes was to be 1048576 and is 4096 in the record"]);
    }
}
