//! A way to echo through io_uring: what is asked of the kernel for a connection, and when.
//!
//! The engine accepts, reaps, keeps the ledger and closes. A strategy is chosen once, at start; the engine is compiled for
//! each, so that nothing is looked up while it serves. One file each; [`catalog`](super::catalog) names them.

mod adaptive;
mod adaptive_linked;
mod alternate;
mod bundle;
mod incremental;
mod inline;
mod linked;
mod multishot;
mod multishot_group;
mod multishot_limit;
mod multishot_quota;
mod private;
mod private_linked;

pub(super) use adaptive::Adaptive;
pub(super) use adaptive_linked::AdaptiveLinked;
pub(super) use alternate::Alternate;
pub(super) use bundle::Bundle;
pub(super) use incremental::Incremental;
pub(super) use inline::Inline;
pub(super) use linked::Linked;
pub(super) use multishot::Multishot;
pub(super) use multishot_group::MultishotGroup;
pub(super) use multishot_limit::MultishotLimit;
pub(super) use multishot_quota::MultishotQuota;
pub(super) use private::Private;
pub(super) use private_linked::PrivateLinked;

use super::{Peer, UringServer};
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::Connection;
use crate::server::shell::config::{Files, Publish, RecvMode, SendMode, UringConfig, Zerocopy};
use crate::server::shell::error::StartError;
use crate::slab::Slot;
use crate::sys::buf_ring::{BufRing, Group};
use crate::sys::multishot::Shots;
use crate::sys::queues::Queues;
use crate::sys::ring::{Completion, RecvHow, SendHow, SendKind};
use crate::units::Bytes;

/// Buffers beside those that all connections share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    /// None.
    Nothing,
    /// One for each connection, in a group that only single receives choose from.
    Reserve,
    /// This many for each connection, in a group of its own.
    Each(usize),
}

/// What a strategy is to the engine. What most have in common is provided.
pub(super) trait Strategy: Sized + 'static {
    /// What selects it.
    const NAME: &'static str;
    /// The first release of Linux that can run it.
    const SINCE: KernelVersion;
    /// What it does, in one sentence without a full stop.
    const SUMMARY: &'static str;
    /// Whether peers that do not read, or that send as fast as they can, leave the others their share.
    const CURED: bool = true;
    /// Why it wants completion work only inside of the server's own wait (`--setup defer`), if it does.
    const DEFERRED: Option<&'static str> = None;
    /// Why its sends have to copy (`--send-kind copy`), if they have to.
    const COPIES: Option<&'static str> = None;
    /// Features it uses beyond those of the default settings, as `uring-echo probe` calls them.
    const NEEDS: &'static [&'static str] = &[];
    /// Most entries that one completion leads to.
    const ENTRIES_PER_COMPLETION: usize = 3;
    /// Most operations of a connection that can be outstanding.
    const OPERATIONS_PER_CONNECTION: usize = 1;
    /// Which buffers the kernel may choose from, where nobody says.
    const PUBLISH: Publish = Publish::Demand;
    /// Each connection has a buffer of its own: there is no ring of buffers to publish or to wait for.
    const PRIVATE: bool = false;
    /// Options about shared buffers that mean nothing to it, and why.
    const UNSHARED: (&'static [&'static str], &'static str) = (&[], "");
    /// A send can go without a completion when it has sent all, for something else tells that it has.
    const MAY_SKIP_SUCCESS: bool = false;
    /// What accepted connections are kept in, where nobody says.
    const FILES: Files = Files::Direct;
    /// Most buffers that a connection is asked to fill, and that one send takes. More than one is a message with segments.
    const SEGMENTS_MAX: usize = 1;
    /// Size of a buffer where nobody says, if not what the preset has.
    const BUFFER_BYTES: Option<Bytes> = None;

    /// What it keeps of a connection.
    type Own: Default;

    /// What it keeps of all.
    fn new(config: &UringConfig) -> Self;

    /// Whether it can be combined with the rest of `config` on this kernel.
    ///
    /// # Errors
    /// With the reason and the remedy.
    fn check(_config: &UringConfig) -> Result<(), StartError> {
        Ok(())
    }

    /// The provided buffers, as the kernel is to use them up.
    fn lend(buffers: BufRing) -> BufRing {
        buffers
    }

    /// How many buffers all connections share, beside those in the ring: none if there is a reserve elsewhere.
    fn reserve(config: &UringConfig) -> usize {
        if Self::apart(config) == Apart::Nothing { config.common.connections_max } else { 0 }
    }

    /// How many buffers all connections share.
    fn shared(config: &UringConfig) -> usize {
        // A buffer that was sent without a copy stays the kernel's while the next one fills.
        let held = if config.send_kind == Zerocopy::Copy { 1 } else { 2 };
        usize::from(config.buffers) + held * Self::reserve(config)
    }

    /// Which buffers they do not share.
    fn apart(_config: &UringConfig) -> Apart {
        Apart::Nothing
    }

    /// How much memory a connection may take, mapped and not touched.
    fn connection_bytes(config: &UringConfig) -> Bytes {
        Bytes(config.common.buffer_bytes.0 * Self::SEGMENTS_MAX)
    }

    /// How many buffers can be owed beyond one a connection.
    fn queued_max(_config: &UringConfig) -> usize {
        0
    }

    /// A connection just accepted.
    fn connection(_config: &UringConfig) -> Connection {
        Connection::alternating()
    }

    /// How many bytes a turn may bring beyond the budget.
    #[cfg(test)]
    fn overshoot_bytes(_config: &UringConfig) -> usize {
        0
    }

    /// Begins to serve a connection.
    fn begin<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.arm_recv(slot);
    }

    /// What comes before each wait.
    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.admit();
    }

    /// How many buffers the kernel should be able to choose from.
    fn target<Q: Queues>(server: &UringServer<Self, Q>) -> usize {
        server.admission.target()
    }

    /// How many receives find a buffer among those published.
    fn places<Q: Queues>(server: &UringServer<Self, Q>) -> usize {
        server.ring.buffers.published()
    }

    /// Whether there is work that no completion announces.
    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        server.may_admit()
    }

    /// How to receive.
    fn recv_how(config: &UringConfig, peer: &Peer<Self::Own>) -> RecvHow {
        let poll_first = config.recv == RecvMode::PollFirst && !peer.backlogged;
        recv_once(peer.turn.ask(config.common.buffer_bytes.0), poll_first)
    }

    /// A completion has come, and nothing has been made of it: what it tells of another operation of its connection. Only
    /// asked where sends may go without a completion.
    fn on_half<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot, _completion: Completion) {}

    /// Asks for a send of what is owed first, and perhaps for what follows it.
    fn send<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let how = send_how(&server.config);
        server.arm_send(slot, how);
    }

    /// Bytes have arrived, and stand in the outbox.
    fn on_received<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot) {}

    /// Bytes have been sent, and their buffers have come back.
    fn on_sent<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot) {}

    /// # Panics
    /// If the connection is owed more than it may be.
    #[cfg(test)]
    fn assert_bounded<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot) {}

    /// The kernel had data and no buffer to put it in: to the tail of those that wait for one.
    fn on_starved<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.admission.waiting.push(slot);
    }

    /// Whether a receive that falls short does not prove that its socket is drained.
    fn reads_until_eagain<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot) -> bool {
        false
    }

    /// Urgent data has been heard of for the first time, on any connection.
    fn on_urgent_data<Q: Queues>(_server: &mut UringServer<Self, Q>, _slot: Slot) {}

    /// A poll has told something, or has ended.
    fn on_poll<Q: Queues>(_server: &mut UringServer<Self, Q>, slot: Slot, _completion: Completion) {
        unreachable!("slot {slot} is polled by a strategy that polls nothing");
    }

    /// Receives again, now or when its turn comes: the connection owes little enough, and no receive is under way.
    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.rearm_in_turn(slot);
    }
}

/// What means nothing where each connection has a buffer of its own.
pub(super) const NONE_SHARED: (&[&str], &str) =
    (&["--buffers", "--hot-bytes", "--publish"], "each connection has its own buffer and none is shared");

/// One receive into one shared buffer.
pub(super) const fn recv_once(bytes_max: usize, poll_first: bool) -> RecvHow {
    RecvHow { bytes_max, poll_first, bundle: false, group: Group::SHARED, shots: Shots::One }
}

/// A send as `config` has it, linked to nothing.
pub(super) const fn send_how(config: &UringConfig) -> SendHow {
    let kind = match config.send_kind {
        Zerocopy::Copy => SendKind::Copy,
        Zerocopy::ZeroCopy => SendKind::ZeroCopy,
        Zerocopy::ZeroCopyRegistered => SendKind::ZeroCopyRegistered,
    };
    SendHow { wait_all: matches!(config.send, SendMode::WaitAll), kind, linked: false, quiet: false }
}
