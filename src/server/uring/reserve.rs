//! A buffer in reserve for every connection, so that whoever does not read cannot keep the others from being served.
//!
//! A multishot receive takes buffers until it is stopped, and how many that are is up to the peer. Those that do not read can so
//! come to hold the whole shared ring. The reserve is a group of its own with one buffer a connection. Only a single receive of
//! a connection that owes nothing chooses from it, so a connection holds one of its buffers at most, and there is always one for
//! whoever holds none. When the shared buffers are all held, connections are served from the reserve, in turn, one receive at a
//! time.

use super::strategy::{Apart, Strategy};
use super::{Peer, UringServer};
use crate::server::shell::config::{RecvMode, UringConfig};
use crate::server::shell::error::StartError;
use crate::slab::Slot;
use crate::sys::buf_ring::Group;
use crate::sys::groups::Groups;
use crate::sys::multishot::Shots;
use crate::sys::queues::Queues;
use crate::sys::ring::RecvHow;

/// Place of the reserve among the groups.
pub(super) const RESERVE: usize = 0;

/// Connections that can have a buffer in reserve: as many as a ring has entries.
const CONNECTIONS_MAX: usize = 1 << 15;

/// Which buffers the receive of a connection chooses from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    /// Those that all connections share.
    #[default]
    Shared,
    /// The reserve.
    Reserve,
}

/// Why a multishot receive wants deferred completion work.
///
/// One that stands before urgent data, while the kernel has completion work for the thread that is a signal to it, gives up as
/// if nothing was there, and is not woken again (seen on Linux 6.18). Deferred work is no signal.
pub(super) const DEFERRED: &str =
    "a multishot receive can miss urgent data unless completion work is deferred";

/// Why whoever has buffers apart cannot leave one to the kernel longer than it is owed.
pub(super) const COPIES: &str = "a connection has no buffer beside the one that a send may still read";

/// Whether every connection can have buffers of its own.
///
/// # Errors
/// When there are too many connections, with how many there can be.
pub(super) fn check(config: &UringConfig) -> Result<(), StartError> {
    let wanted = config.common.connections_max;
    if wanted <= CONNECTIONS_MAX {
        return Ok(());
    }
    let what =
        format!("cannot keep a buffer for each of {wanted} connections (--strategy {})", config.strategy);
    let cause = format!("a ring of buffers has {CONNECTIONS_MAX} entries");
    Err(StartError::new(what, cause, format!("lower --max-connections to {CONNECTIONS_MAX}")))
}

/// How a connection receives that may receive ahead: from the shared buffers with `shots`, from the reserve once.
pub(super) fn recv_how(config: &UringConfig, peer: &Peer<Source>, shots: Shots) -> RecvHow {
    let (group, shots) = match peer.own {
        Source::Shared => (Group::SHARED, shots),
        Source::Reserve => (Groups::group(RESERVE), Shots::One),
    };
    ahead(config, peer, group, shots)
}

/// How a connection receives that may receive ahead, from `group`.
///
/// # Panics
/// If it owes as much as it may: what it is owed would have no bound.
pub(super) fn ahead<O>(config: &UringConfig, peer: &Peer<O>, group: Group, shots: Shots) -> RecvHow {
    assert!(peer.connection.may_receive(), "{:?} is received from", peer.connection);
    RecvHow {
        bytes_max: config.common.buffer_bytes.0.min(config.common.budget_bytes.0),
        poll_first: config.recv == RecvMode::PollFirst && !peer.backlogged,
        bundle: false,
        group,
        shots,
    }
}

impl<S: Strategy<Own = Source>, Q: Queues> UringServer<S, Q> {
    /// Lets those that wait receive from the shared buffers, as many as there are; from the reserve if these are all held.
    pub(super) fn admit_beside_reserve(&mut self) {
        debug_assert!(S::apart(&self.config) == Apart::Reserve, "there is a reserve");
        self.admit();
        while self.ring.buffers.is_exhausted() && self.has_room() {
            let Some(slot) = self.admission.waiting.pop() else { return };
            self.peers.at(slot).own = Source::Reserve;
            let reserve = self.ring.groups.at(RESERVE);
            reserve.top_up(reserve.published() + 1);
            self.arm_recv(slot);
        }
    }

    /// Receives again once nothing is owed: at once if nobody waits, else behind those who do.
    pub(super) fn rearm_when_clear(&mut self, slot: Slot) {
        if !self.admission.waiting.is_empty() || self.ring.buffers.published() == 0 {
            return self.wait_when_clear(slot);
        }
        let peer = self.peers.at(slot);
        if peer.connection.owed_bytes() == 0 {
            peer.own = Source::Shared;
            self.arm_recv(slot);
        }
    }

    /// Waits for a buffer after having found none. Whoever was let out of the line for one goes back to its head, behind others that
    /// did so in this iteration: those let out before it took more than one each, and would again, were it to line up behind them.
    pub(super) fn wait_for_a_buffer(&mut self, slot: Slot) {
        let peer = self.peers.at(slot);
        if !peer.admitted || peer.connection.owed_bytes() > 0 {
            return self.wait_when_clear(slot);
        }
        peer.own = Source::Shared;
        self.admission.waiting.put_back(slot, self.admission.returned);
        self.admission.returned += 1;
    }

    /// Joins those that wait, if nothing is owed. Else it does so when all is sent.
    pub(super) fn wait_when_clear(&mut self, slot: Slot) {
        let peer = self.peers.at(slot);
        if peer.connection.owed_bytes() == 0 {
            peer.own = Source::Shared;
            self.admission.waiting.push(slot);
        }
    }
}
