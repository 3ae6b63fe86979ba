//! Whether a record is of the run that was planned. A client that measured something else may well be content with it.

use std::fmt::Display;

use uring_echo::record::{Mode, RunRecord};

use crate::spec::factors::Factors;

/// What a plan says of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Stream or request-response.
    pub mode: Mode,
    /// Size of a message, in bytes.
    pub payload_bytes: usize,
    /// Connections open during the run.
    pub connections: usize,
}

impl Planned {
    /// The plan of a run of the cell that has `factors`.
    pub const fn of(factors: &Factors) -> Self {
        Self { mode: factors.mode, payload_bytes: factors.payload_bytes, connections: factors.connections }
    }

    /// In what `record` differs from the plan, each as a reason that voids the run; empty when it is of this run.
    pub fn disagreements(self, record: &RunRecord) -> Vec<String> {
        self.differences(Self {
            mode: record.client.mode,
            payload_bytes: record.client.payload_bytes.0,
            connections: record.client.connections,
        })
    }

    fn differences(self, measured: Self) -> Vec<String> {
        [
            difference("mode", self.mode, measured.mode),
            difference("payload_bytes", self.payload_bytes, measured.payload_bytes),
            difference("connections", self.connections, measured.connections),
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

    const PLANNED: Planned = Planned { mode: Mode::Stream, payload_bytes: 1024, connections: 4 };

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
    }
}
