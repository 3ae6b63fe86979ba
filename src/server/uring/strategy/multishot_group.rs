//! A multishot receive that chooses from buffers of its own connection.

use super::{Apart, Strategy};
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Connection;
use crate::server::shell::config::UringConfig;
use crate::server::shell::error::StartError;
use crate::server::uring::{Peer, UringServer, reserve};
use crate::slab::Slot;
use crate::sys::groups::Groups;
use crate::sys::multishot::Shots;
use crate::sys::queues::Queues;
use crate::sys::ring::RecvHow;
use crate::units::Bytes;

/// Buffers that the kernel can number in one io_uring, all groups together.
const BUFFERS_MAX: usize = 1 << 16;

/// What is between two buffers, at most.
const BUFFER_SPACE_BYTES: usize = 512;

/// What a group takes besides its buffers: the page of its ring, and one that its buffers do not fill.
const GROUP_SPACE_BYTES: usize = 2 << 12;

/// A multishot receive ends when the group of its connection is used up, and is armed again when all is sent. What a connection
/// can be owed is what its group holds, and nobody else's. The memory is mapped at the start; a group is made known to the
/// kernel, at the price of a page, when the first connection comes that needs it.
pub(in crate::server::uring) struct MultishotGroup;

impl Strategy for MultishotGroup {
    const NAME: &'static str = "multishot-group";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str =
        "multishot from a buffer group for each connection, armed again when all that filled it is sent";
    const NEEDS: &'static [&'static str] = &["multishot receive"];
    const DEFERRED: Option<&'static str> = Some(reserve::DEFERRED);
    const COPIES: Option<&'static str> = Some(reserve::COPIES);
    const UNSHARED: (&'static [&'static str], &'static str) =
        (&["--hot-bytes", "--publish"], "all buffers of a connection are its own, and always published");
    const OPERATIONS_PER_CONNECTION: usize = 2;

    /// Its group: the place of its slot.
    type Own = u32;

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        reserve::check(config)
    }

    fn shared(_config: &UringConfig) -> usize {
        0
    }

    fn apart(config: &UringConfig) -> Apart {
        Apart::Each(each(config))
    }

    fn connection_bytes(config: &UringConfig) -> Bytes {
        Bytes(wanted(config) * (config.common.buffer_bytes.0 + BUFFER_SPACE_BYTES) + GROUP_SPACE_BYTES)
    }

    fn queued_max(config: &UringConfig) -> usize {
        config.common.connections_max * (each(config) - 1)
    }

    fn connection(_config: &UringConfig) -> Connection {
        Connection::ahead(usize::MAX)
    }

    fn begin<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.peers.at(slot).own = slot.0;
        if server.ring.open_group(slot.index()).is_ok() {
            return publish_and_receive(server, slot);
        }
        let event = server.on_fault();
        let next = server.peers.at(slot).connection.on(event);
        server.act(slot, next);
    }

    fn recv_how(config: &UringConfig, peer: &Peer<u32>) -> RecvHow {
        reserve::ahead(config, peer, Groups::group(peer.own as usize), Shots::Many)
    }

    fn on_sent<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        publish(server, slot);
    }

    /// It has been received from as much as it may be.
    fn on_starved<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.counters.yields += u64::from(server.peers.at(slot).connection.owed_bytes() > 0);
    }

    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        if server.peers.at(slot).connection.owed_bytes() == 0 {
            publish_and_receive(server, slot);
        }
    }
}

/// Buffers of a connection: what is wanted, as far as the kernel can number them.
fn each(config: &UringConfig) -> usize {
    let most = BUFFERS_MAX / config.common.connections_max.max(1);
    wanted(config).min(most).max(1)
}

/// Enough for a budget.
fn wanted(config: &UringConfig) -> usize {
    let budget = config.common.budget_bytes.0.div_ceil(config.common.buffer_bytes.0).max(2);
    budget.min(usize::from(config.buffers))
}

fn publish<Q: Queues>(server: &mut UringServer<MultishotGroup, Q>, slot: Slot) {
    let each = server.ring.groups.each();
    server.ring.groups.at(slot.index()).top_up(each);
}

fn publish_and_receive<Q: Queues>(server: &mut UringServer<MultishotGroup, Q>, slot: Slot) {
    publish(server, slot);
    server.arm_recv(slot);
}
