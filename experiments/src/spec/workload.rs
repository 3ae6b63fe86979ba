//! What is never pooled with anything else.

use std::fmt;

use uring_echo::record::Mode;

use super::in_flight::InFlight;

/// Cells of one mode whose queues are as deep: those that a mean may be made of.
///
/// A byte that waits in a long queue is cold when it is received. That changes what it costs more than most of what is
/// compared here, so a mean over both would say nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Stream or request-response.
    pub mode: Mode,
    /// Most bytes of a connection on their way. `None`: the client's default, and in request-response.
    pub in_flight: Option<InFlight>,
}

impl Workload {
    /// `mode` with the client's default of what is on its way.
    pub const fn of(mode: Mode) -> Self {
        Self { mode, in_flight: None }
    }

    /// For people: `stream`, `stream, unbounded in flight`.
    pub fn in_words(self) -> String {
        let in_flight = self.in_flight.map_or_else(String::new, |level| format!(", {}", level.in_words()));
        format!("{}{in_flight}", self.mode)
    }
}

/// One word that names it in files: `stream`, `stream/inflight-unbounded`.
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mode.fmt(f)?;
        self.in_flight.map_or(Ok(()), |level| write!(f, "/{}", level.key()))
    }
}

impl Ord for Workload {
    /// The order of tables: streams before requests, short queues before deep ones.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |of: &Self| (of.mode == Mode::ReqRes, of.in_flight);
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for Workload {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_is_named_by_its_mode_alone_where_the_queue_is_the_clients_own() {
        let deep = Workload { mode: Mode::Stream, in_flight: Some(InFlight::Unbounded) };
        let all = [Workload::of(Mode::Stream), deep, Workload::of(Mode::ReqRes)];
        assert!(all.is_sorted());
        assert_eq!(all.map(|of| of.to_string()), ["stream", "stream/inflight-unbounded", "req-res"]);
        assert_eq!(deep.in_words(), "stream, unbounded in flight");
    }
}
