//! Through the ring when the socket is empty, by calls of the server's own when it is not.

use super::{Strategy, recv_once};
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Next;
use crate::server::shell::config::{Files, UringConfig};
use crate::server::shell::error::StartError;
use crate::server::uring::{Peer, UringServer, calls};
use crate::slab::Slot;
use crate::sys::queues::Queues;
use crate::sys::ring::RecvHow;

/// One receive into a buffer of the shared ring, which waits; then calls, until the socket is drained.
pub(in crate::server::uring) struct Adaptive;

impl Strategy for Adaptive {
    const NAME: &'static str = "adaptive";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str =
        "the ring receives where it has to wait; the server makes all other calls itself";
    const FILES: Files = Files::Plain;
    const COPIES: Option<&'static str> = Some(calls::COPIES);

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        calls::check(Self::NAME, config)
    }

    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.serve_ready();
        server.publish();
    }

    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        !server.admission.waiting.is_empty()
    }

    /// It is known to find nothing yet.
    fn recv_how(config: &UringConfig, peer: &Peer<()>) -> RecvHow {
        recv_once(peer.turn.ask(config.common.buffer_bytes.0), true)
    }

    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let event = server.send_now(slot);
        if server.peers.at(slot).connection.on(event) == Next::Close {
            server.close(slot);
        }
    }

    /// There is data, and no buffer for it in the ring: a call has one.
    fn on_starved<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.peers.at(slot).backlogged = true;
        server.admission.waiting.push(slot);
    }

    /// With something left to receive, behind all that are ready. Without, through the ring.
    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let peer = server.peers.at(slot);
        if peer.backlogged {
            server.counters.yields += u64::from(peer.turn.is_over());
            return server.admission.waiting.push(slot);
        }
        server.renew_turn(slot);
        server.arm_recv(slot);
    }
}
