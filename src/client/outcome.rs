//! What a load thread leaves behind.

use super::fault::Fault;
use super::group::Group;
use super::ledger::Ledger;
use super::pace::Timings;
use crate::units::Nanos;

/// A copy of the thread's ledgers and clock at one end of the window.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// By flow.
    pub(super) ledgers: Vec<Ledger>,
    /// CPU time of the thread.
    pub(super) cpu: Nanos,
}

/// What a thread leaves behind, however it ended.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What its flows were there for.
    pub(super) group: Group,
    /// At the beginning of the window.
    pub(super) begin: Option<Mark>,
    /// At its end.
    pub(super) end: Option<Mark>,
    /// At the end of the run: number, ledger and whether the stream was read to its end, by flow.
    pub(super) flows: Vec<(u32, Ledger, bool)>,
    /// Connections established.
    pub(super) achieved: u64,
    /// Latencies in the window.
    pub(super) timings: Timings,
    /// Bytes compared.
    pub(super) verified_bytes: u64,
    /// What ended it early.
    pub(super) fault: Option<Fault>,
}

impl Outcome {
    /// Of a thread that could not even begin.
    pub(super) fn unstarted(group: Group, fault: Fault) -> Self {
        Self {
            group,
            begin: None,
            end: None,
            flows: Vec::new(),
            achieved: 0,
            timings: Timings::none(),
            verified_bytes: 0,
            fault: Some(fault),
        }
    }
}
