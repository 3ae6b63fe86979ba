//! Small buffers, several to an operation: a receive fills as many as there are bytes for, one send takes them all.
//!
//! Receives are bundles (IORING_RECVSEND_BUNDLE): one completion for buffers that follow each other in the ring. Sends are
//! not. A send bundle takes its buffers from a group as well, and what is owed to one connection must not go to another, so
//! each connection would need a group of its own: a page pinned and a system call for each, and entries that cannot be taken
//! back when a send falls short. A message with segments (IORING_OP_SENDMSG) sends the same bytes from wherever they are.
//!
//! Some releases from Linux 6.13.11 to 6.15 receive bundles out of order (liburing#1409, #1423). Their successors are cured.

use super::{Strategy, recv_once, send_how};
use crate::kernel_version::KernelVersion;
use crate::server::shell::config::{RecvMode, UringConfig};
use crate::server::uring::{Peer, UringServer};
use crate::slab::Slot;
use crate::sys::buf_ring::BufRing;
use crate::sys::queues::Queues;
use crate::sys::ring::{RecvHow, SendHow};
use crate::token::Op;
use crate::units::Bytes;

/// Most buffers that a receive is asked to fill, and that one send takes.
const BUFFERS_MAX: usize = 8;

/// Receives that fill several buffers, and sends that take several.
pub(in crate::server::uring) struct Bundle;

impl Strategy for Bundle {
    const NAME: &'static str = "bundle";
    const SINCE: KernelVersion = KernelVersion::new(6, 10);
    const SUMMARY: &'static str = "receive into several small buffers at once, and send them as one message";
    const NEEDS: &'static [&'static str] = &["receive bundle"];
    const COPIES: Option<&'static str> = Some("its sends are messages with segments, which are copied");
    const SEGMENTS_MAX: usize = BUFFERS_MAX;
    const BUFFER_BYTES: Option<Bytes> = Some(Bytes::kib(8));

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn lend(buffers: BufRing) -> BufRing {
        buffers.in_bundles()
    }

    fn reserve(config: &UringConfig) -> usize {
        config.common.connections_max * BUFFERS_MAX
    }

    /// A receive may fill all that are published.
    fn queued_max(config: &UringConfig) -> usize {
        usize::from(config.buffers) + Self::reserve(config)
    }

    /// The length ends one byte into a buffer. Linux leaves such a buffer out, and since 6.16 does not look at the socket once
    /// more either, which would bring more than this turn allows. What is left of a turn and is no whole buffer is no bundle.
    fn recv_how(config: &UringConfig, peer: &Peer<()>) -> RecvHow {
        let buffer_bytes = config.common.buffer_bytes.0;
        let left_bytes = peer.turn.ask(BUFFERS_MAX * buffer_bytes);
        let poll_first = config.recv == RecvMode::PollFirst && !peer.backlogged;
        match left_bytes / buffer_bytes {
            0 => recv_once(left_bytes, poll_first),
            buffers => RecvHow { bundle: true, ..recv_once(buffers * buffer_bytes + 1, poll_first) },
        }
    }

    /// A kernel before 6.16 looks at the socket once more.
    #[cfg(test)]
    fn overshoot_bytes(config: &UringConfig) -> usize {
        BUFFERS_MAX * config.common.buffer_bytes.0
    }

    /// As many as the receives to be served will fill. One at a time when only one is left for each connection: peers that do
    /// not read could hold them all otherwise.
    fn target<Q: Queues>(server: &UringServer<Self, Q>) -> usize {
        let wanted = server.admission.target() * server.buffers_per_receive();
        let common = server.ring.buffers.spare().saturating_sub(server.config.common.connections_max);
        wanted.min(usize::from(server.config.buffers)).min(common.max(1))
    }

    fn places<Q: Queues>(server: &UringServer<Self, Q>) -> usize {
        server.ring.buffers.published().div_ceil(server.buffers_per_receive())
    }

    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let how = send_how(&server.config);
        if server.peers.at(slot).outbox.len() > 1 {
            server.arm_send_vector(slot, how);
        } else {
            server.arm_send(slot, how);
        }
    }
}

impl<Q: Queues> UringServer<Bundle, Q> {
    /// How many buffers a receive is expected to fill.
    fn buffers_per_receive(&self) -> usize {
        self.admission.expected_bytes().div_ceil(self.config.common.buffer_bytes.0).clamp(1, BUFFERS_MAX)
    }

    fn arm_send_vector(&mut self, slot: Slot, how: SendHow) {
        let token = self.token(Op::Send, slot);
        let peer = self.peers.at(slot);
        peer.in_flight.begin(Op::Send);
        peer.asked_bytes = self.ring.send_vector(peer.file, peer.outbox.segments(&self.nodes), how, token);
    }
}
