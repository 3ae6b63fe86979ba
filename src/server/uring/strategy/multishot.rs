//! One receive for all that a peer ever sends, with no limit to what it may be owed: what it looks like to use io_uring the
//! obvious way.

use super::Strategy;
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Connection;
use crate::server::shell::config::{Publish, UringConfig};
use crate::server::uring::{Peer, UringServer, reserve};
use crate::slab::Slot;
use crate::sys::buf_ring::Group;
use crate::sys::multishot::Shots;
use crate::sys::queues::Queues;
use crate::sys::ring::RecvHow;

/// A multishot receive into the shared ring, all of which is always published. Armed again at once when it ends, for want of a
/// buffer too: peers that do not read hold every buffer at last, and everybody else is told so again and again.
pub(in crate::server::uring) struct Multishot;

impl Strategy for Multishot {
    const NAME: &'static str = "multishot";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "one receive goes on into a shared ring, ahead of the sends; unfair: peers that do not read starve the others";
    const CURED: bool = false;
    const NEEDS: &'static [&'static str] = &["multishot receive"];
    const DEFERRED: Option<&'static str> = Some(reserve::DEFERRED);
    const OPERATIONS_PER_CONNECTION: usize = 2;
    const PUBLISH: Publish = Publish::Full;

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn reserve(_config: &UringConfig) -> usize {
        0
    }

    fn queued_max(config: &UringConfig) -> usize {
        Self::shared(config)
    }

    fn connection(_config: &UringConfig) -> Connection {
        Connection::ahead(usize::MAX)
    }

    fn recv_how(config: &UringConfig, peer: &Peer<()>) -> RecvHow {
        reserve::ahead(config, peer, Group::SHARED, Shots::Many)
    }

    /// Nobody waits: the engine arms the receive again.
    fn on_starved<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot) {}

    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.arm_recv(slot);
    }
}
