//! Send from the connection's own buffer, and receive into it when that is done: one submission for both.

use super::linked::{FOLLOWS_TOO_EARLY, can_link};
use super::{NONE_SHARED, Strategy};
use crate::kernel_version::KernelVersion;
use crate::server::shell::config::UringConfig;
use crate::server::shell::error::StartError;
use crate::server::uring::UringServer;
use crate::slab::Slot;
use crate::sys::queues::Queues;
use crate::sys::ring::{Completion, SendHow};
use crate::token::Op;

/// `private` and `linked`. The receive writes over what the send has sent: the link alone keeps them apart.
pub(in crate::server::uring) struct PrivateLinked;

impl Strategy for PrivateLinked {
    const NAME: &'static str = "private-linked";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "as private, with the next receive linked to the send before it";
    const OPERATIONS_PER_CONNECTION: usize = 2;
    const PRIVATE: bool = true;
    const UNSHARED: (&'static [&'static str], &'static str) = NONE_SHARED;
    const COPIES: Option<&'static str> = Some(FOLLOWS_TOO_EARLY);
    const MAY_SKIP_SUCCESS: bool = true;

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        can_link(config, Self::NAME)
    }

    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.admit_all();
    }

    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        server.somebody_waits()
    }

    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let linked = !server.peers.at(slot).in_flight.has(Op::Recv) && server.may_receive_on(slot);
        let quiet = linked && server.config.skip_success;
        server.arm_send(slot, SendHow { wait_all: true, linked, quiet, ..SendHow::default() });
        if linked {
            server.arm_recv(slot);
        }
    }

    /// A pair whose send is quiet completes once. The receive tells that the send has sent all; a send that completes has
    /// not, and then the receive is over without a word.
    fn on_half<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot, completion: Completion) {
        let peer = server.peers.at(slot);
        let both = peer.in_flight.has(Op::Send) && peer.in_flight.has(Op::Recv);
        if !both || !server.config.skip_success {
            return;
        }
        if completion.token.op == Op::Send {
            peer.in_flight.end(Op::Recv);
            server.admission.receiving -= 1;
            server.ring.received_nothing(slot);
            return;
        }
        let count = peer.asked_bytes;
        peer.in_flight.end(Op::Send);
        server.counters.sent_bytes += count as u64;
        let sent = server.advance(slot, count);
        let connection = &mut server.peers.at(slot).connection;
        if !connection.is_given_up() {
            connection.on(sent);
        }
    }

    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.rearm_without_line(slot);
    }
}
