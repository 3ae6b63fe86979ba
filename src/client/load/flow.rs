//! One connection as its thread sees it: its socket, its ledger, and what epoll last said of it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::ledger::Ledger;
use super::pattern::Origin;
use crate::sys::epoll::Readiness;

/// Of this many receives of a flow, `--verify sample` checks the first.
const SAMPLE_PERIOD: u32 = 16;

/// A connection, established or under way.
#[derive(Debug)]
pub(crate) struct Flow {
    socket: OwnedFd,
    /// Its number among all connections of the run.
    pub(crate) number: u32,
    /// Where its stream begins in the pattern.
    pub(crate) origin: Origin,
    /// Bytes sent and received.
    pub(crate) ledger: Ledger,
    /// Whether it is established.
    pub(crate) is_connected: bool,
    /// Whether it has read the end of its stream.
    pub(crate) is_ended: bool,
    /// Whether it is in the ready ring, where it must not be twice.
    pub(crate) is_queued: bool,
    /// Whether a receive may find something. Edge-triggered: epoll says so once.
    pub(crate) is_readable: bool,
    /// Whether a send may be taken.
    pub(crate) is_writable: bool,
    /// Whether a short receive does not prove that nothing is left.
    reads_to_the_end: bool,
    receives: u32,
}

impl Flow {
    /// Connection `number`, under way on `socket`.
    pub(crate) const fn new(number: u32, socket: OwnedFd) -> Self {
        Self {
            socket,
            number,
            origin: Origin::of(number),
            ledger: Ledger { sent: 0, received: 0 },
            is_connected: false,
            is_ended: false,
            is_queued: false,
            is_readable: false,
            is_writable: false,
            reads_to_the_end: false,
            receives: 0,
        }
    }

    /// Takes note of an event.
    pub(crate) const fn note(&mut self, readiness: Readiness) {
        self.is_readable |= readiness.readable();
        self.is_writable |= readiness.writable();
        self.reads_to_the_end |= readiness.read_until_eagain();
    }

    /// Takes note of a receive of `count` bytes into room for `room`.
    ///
    /// One that leaves room has emptied the socket, so that asking again would only earn an EAGAIN; what arrives later
    /// raises an edge (epoll(7), "Questions and answers", 9).
    pub(crate) const fn note_receive(&mut self, count: usize, room: usize) {
        self.receives = self.receives.wrapping_add(1);
        self.is_readable = count == room || self.reads_to_the_end;
    }

    /// Whether the next receive is one that `--verify sample` checks.
    pub(crate) const fn is_sampled(&self) -> bool {
        self.receives.is_multiple_of(SAMPLE_PERIOD)
    }
}

impl AsFd for Flow {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
