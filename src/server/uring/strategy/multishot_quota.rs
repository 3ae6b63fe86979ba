//! A multishot receive that the server stops when a connection is owed much.

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

/// Part of the shared buffers that one connection may be owed: small messages fill buffers long before they fill a budget.
const BUFFERS_PART: usize = 16;

/// A multishot receive is cancelled when what the connection is owed reaches the budget, in bytes, or a part of the shared
/// buffers, and armed again when all is sent. What the kernel has received by then is owed beyond the quota: no more than what
/// was published. A connection that finds no buffer waits in line, and there is one in reserve for it.
pub(in crate::server::uring) struct MultishotQuota {
    buffers_max: usize,
}

impl Strategy for MultishotQuota {
    const NAME: &'static str = "multishot-quota";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str =
        "multishot, cancelled when a connection is owed a quota, and armed again when that is sent";
    const NEEDS: &'static [&'static str] = &["multishot receive"];
    const DEFERRED: Option<&'static str> = Some(reserve::DEFERRED);
    const COPIES: Option<&'static str> = Some(reserve::COPIES);
    const OPERATIONS_PER_CONNECTION: usize = 3;

    type Own = Source;

    fn new(config: &UringConfig) -> Self {
        Self { buffers_max: (usize::from(config.buffers) / BUFFERS_PART).max(2) }
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
        Connection::ahead(config.common.budget_bytes.0.max(2))
    }

    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.admit_beside_reserve();
    }

    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        !server.admission.waiting.is_empty()
    }

    fn recv_how(config: &UringConfig, peer: &Peer<Source>) -> RecvHow {
        reserve::recv_how(config, peer, Shots::Many)
    }

    fn on_received<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.renew_turn(slot);
        let buffers_max = server.strategy.buffers_max;
        let peer = server.peers.at(slot);
        let reached = !peer.connection.may_receive() || peer.outbox.len() >= buffers_max;
        if reached && peer.in_flight.has(Op::Recv) && !peer.taken_back.has(Op::Recv) {
            server.counters.yields += 1;
            server.take_back(Op::Recv, slot);
        }
    }

    fn on_starved<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.wait_for_a_buffer(slot);
    }

    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.rearm_when_clear(slot);
    }

    #[cfg(test)]
    fn assert_bounded<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let buffers_max = server.strategy.buffers_max;
        let peer = server.peers.at(slot);
        let reached = !peer.connection.may_receive() || peer.outbox.len() >= buffers_max;
        let goes_on = peer.in_flight.has(Op::Recv) && !peer.taken_back.has(Op::Recv);
        assert!(!(reached && goes_on), "slot {slot} is received from beyond its quota");
    }
}
