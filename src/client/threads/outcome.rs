//! What a load thread leaves behind.

use super::job::Group;
use crate::client::fault::Fault;
use crate::client::load::ledger::Ledger;
use crate::client::load::pace::Timings;
use crate::units::Nanos;

/// A copy of the thread's ledgers and clock at one end of the window.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    /// When it was made.
    pub(crate) at: Nanos,
    /// By flow.
    pub(crate) ledgers: Vec<Ledger>,
    /// CPU time of the thread.
    pub(crate) cpu: Nanos,
}

/// What a thread leaves behind, however it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What its flows were there for.
    pub(crate) group: Group,
    /// At the beginning of the window.
    pub(crate) begin: Option<Mark>,
    /// At its end.
    pub(crate) end: Option<Mark>,
    /// At the end of the run: number, ledger and whether the stream was read to its end, by flow.
    pub(crate) flows: Vec<(u32, Ledger, bool)>,
    /// Connections established.
    pub(crate) achieved: u64,
    /// Latencies in the window.
    pub(crate) timings: Timings,
    /// Bytes compared.
    pub(crate) verified_bytes: u64,
    /// What ended it early.
    pub(crate) fault: Option<Fault>,
}

impl Outcome {
    /// Of a thread that could not even begin.
    pub(crate) fn unstarted(group: Group, fault: Fault) -> Self {
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
