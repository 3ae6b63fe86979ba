//! A multishot receive that the kernel stops when it has received enough.

use super::{Apart, Strategy};
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Connection;
use crate::server::shell::config::UringConfig;
use crate::server::shell::error::StartError;
use crate::server::uring::reserve::{self, Source};
use crate::server::uring::{Peer, UringServer};
use crate::slab::Slot;
use crate::sys::multishot::Shots;
use crate::sys::queues::Queues;
use crate::sys::ring::RecvHow;
use crate::token::Op;

/// A multishot receive ends when it has received the budget, at a completion's end, and is armed again when all is sent. The limit
/// is one of bytes: small messages can fill any number of buffers before they reach it. A connection that finds no buffer waits
/// in line, and there is one in reserve for it.
pub(in crate::server::uring) struct MultishotLimit;

impl Strategy for MultishotLimit {
    const NAME: &'static str = "multishot-limit";
    const SINCE: KernelVersion = KernelVersion::new(6, 17);
    const SUMMARY: &'static str =
        "multishot, ended by the kernel when it has received a limit, and armed again when that is sent";
    const NEEDS: &'static [&'static str] =
        &["multishot receive", "multishot receive, length limit", "multishot receive, total limit"];
    const DEFERRED: Option<&'static str> = Some(reserve::DEFERRED);
    const COPIES: Option<&'static str> = Some(reserve::COPIES);
    const OPERATIONS_PER_CONNECTION: usize = 2;

    type Own = Source;

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        reserve::check(config)
    }

    fn apart(_config: &UringConfig) -> Apart {
        Apart::Reserve
    }

    fn queued_max(config: &UringConfig) -> usize {
        Self::shared(config)
    }

    /// Turns are those of the line. Each iteration lets somebody in it receive, and brings no more than all shared buffers hold.
    #[cfg(test)]
    fn overshoot_bytes(config: &UringConfig) -> usize {
        Self::shared(config) * config.common.buffer_bytes.0
    }

    fn connection(config: &UringConfig) -> Connection {
        Connection::ahead(limit_bytes(config))
    }

    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.admit_beside_reserve();
    }

    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        !server.admission.waiting.is_empty()
    }

    fn recv_how(config: &UringConfig, peer: &Peer<Source>) -> RecvHow {
        let total_bytes = u32::try_from(limit_bytes(config)).expect("a budget is at most 16 MiB");
        reserve::recv_how(config, peer, Shots::Until { total_bytes })
    }

    /// # Panics
    /// If the kernel goes on beyond the limit: it was armed when nothing was owed.
    fn on_received<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.renew_turn(slot);
        let peer = server.peers.at(slot);
        if !peer.connection.may_receive() {
            assert!(!peer.in_flight.has(Op::Recv), "the kernel received more than it was asked for");
            server.counters.yields += 1;
        }
    }

    fn on_starved<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.wait_for_a_buffer(slot);
    }

    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.rearm_when_clear(slot);
    }
}

/// What one receive brings in all, give or take the last completion: at least two, for it is received ahead.
fn limit_bytes(config: &UringConfig) -> usize {
    config.common.budget_bytes.0.max(2)
}
