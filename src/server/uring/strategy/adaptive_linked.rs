//! Send and the next receive in one submission while a connection keeps up, calls of the server's own while it does not.

use super::Strategy;
use super::linked::{FOLLOWS_TOO_EARLY, can_link, send_and_receive};
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Next;
use crate::server::shell::config::{Files, UringConfig};
use crate::server::shell::error::StartError;
use crate::server::uring::{UringServer, calls};
use crate::slab::Slot;
use crate::sys::queues::Queues;
use crate::token::Op;

/// As `adaptive`, and what goes through the ring is sent as `linked` sends it.
pub(in crate::server::uring) struct AdaptiveLinked;

impl Strategy for AdaptiveLinked {
    const NAME: &'static str = "adaptive-linked";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "as adaptive, with the next receive linked to a send through the ring";
    const FILES: Files = Files::Plain;
    const COPIES: Option<&'static str> = Some(FOLLOWS_TOO_EARLY);
    const OPERATIONS_PER_CONNECTION: usize = 2;

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        calls::check_files(Self::NAME, config)?;
        can_link(config, Self::NAME)
    }

    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let peer = server.peers.at(slot);
        // One that is linked to a short send is still under way: a receive by a call would overtake it.
        if peer.backlogged && !peer.in_flight.has(Op::Recv) {
            return server.serve(slot, Next::Send);
        }
        send_and_receive(server, slot);
    }
}
