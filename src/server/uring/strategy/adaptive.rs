//! Through the ring while a connection keeps up with what it is sent, by calls of the server's own while it does not.
//!
//! A receive through the ring can wait, and it and the send after it share their submission with those of all others.
//! Where data is left in the socket there is nothing to wait for, and sharing costs: the sends of many connections one
//! after the other, with no receive between them, leave their peers idle for longer, and each has to be woken more often.
//! So a connection with more to receive is served at once, to the end of its turn.

use super::{Strategy, send_how};
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Next;
use crate::server::shell::config::{Files, UringConfig};
use crate::server::shell::error::StartError;
use crate::server::uring::{UringServer, calls};
use crate::slab::Slot;
use crate::sys::queues::Queues;

/// As `alternate`, and what a receive leaves in the socket is echoed by calls.
pub(in crate::server::uring) struct Adaptive;

impl Strategy for Adaptive {
    const NAME: &'static str = "adaptive";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str =
        "as alternate, and the server makes the calls itself while a socket has more to receive";
    const FILES: Files = Files::Plain;

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        calls::check_files(Self::NAME, config)
    }

    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        if server.peers.at(slot).backlogged {
            return server.serve(slot, Next::Send);
        }
        let how = send_how(&server.config);
        server.arm_send(slot, how);
    }
}
