//! Send, and receive when that is done: one submission for both.

use super::Strategy;
use crate::kernel_version::KernelVersion;
use crate::server::shell::config::{SendMode, Setup, UringConfig};
use crate::server::shell::error::StartError;
use crate::server::uring::UringServer;
use crate::slab::Slot;
use crate::sys::queues::Queues;
use crate::sys::ring::SendHow;
use crate::token::Op;

/// Why what follows a send by a link cannot follow one without a copy.
pub(super) const FOLLOWS_TOO_EARLY: &str = "the linked receive would follow before the buffer is free";

/// A send from the shared ring, to which the next receive is linked, unless others wait for a buffer.
pub(in crate::server::uring) struct Linked;

impl Strategy for Linked {
    const NAME: &'static str = "linked";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "as alternate, with the next receive linked to the send before it";
    const COPIES: Option<&'static str> = Some(FOLLOWS_TOO_EARLY);
    const OPERATIONS_PER_CONNECTION: usize = 2;

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        can_link(config, Self::NAME)
    }

    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        send_and_receive(server, slot);
    }
}

/// Sends what is owed, and has the next receive follow it if nobody else waits for a buffer.
pub(super) fn send_and_receive<S: Strategy, Q: Queues>(server: &mut UringServer<S, Q>, slot: Slot) {
    // What a short send left is sent alone: the receive that was linked to it has not said yet that it is cancelled.
    let linked = !server.peers.at(slot).in_flight.has(Op::Recv) && server.may_receive_next(slot);
    server.arm_send(slot, SendHow { wait_all: true, linked, ..SendHow::default() });
    if linked {
        server.arm_recv(slot);
    }
}

/// Whether what follows a send can be linked to it.
///
/// # Errors
/// If something in `config` would have it begin too early.
pub(super) fn can_link(config: &UringConfig, name: &str) -> Result<(), StartError> {
    if config.send != SendMode::WaitAll {
        let why = "the linked receive would follow a short send too, before what is left of it";
        return Err(StartError::contradiction(name, "--send once", why));
    }
    if config.setup == Setup::Sqpoll {
        let why = "its thread may take the send and not yet what follows it";
        return Err(StartError::contradiction(name, "--setup sqpoll", why));
    }
    Ok(())
}
