//! The listening socket, and when to stop accepting from it.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::server::shell::config::Config;
use crate::server::shell::error::StartError;
use crate::sys::Errno;
use crate::sys::socket::{self, StreamOptions};
use crate::units::Nanos;

/// How long accepting rests after descriptors or memory ran out. Long enough not to spin, short enough that a peer
/// in the backlog hardly notices.
const REST: Nanos = Nanos::from_millis(50);

/// What to do about a failed accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptFault {
    /// None waits, or the accept was taken back.
    Empty,
    /// This peer is gone or the call was interrupted: take the next one.
    Aborted,
    /// The process or the system is out of descriptors or memory: rest, then try again.
    Exhausted,
}

impl AcceptFault {
    /// What `errno` of accept(2) means. That page asks to treat pending network errors as a peer that is gone.
    pub const fn of(errno: Errno) -> Self {
        match errno.0 {
            libc::EAGAIN | libc::ECANCELED => Self::Empty,
            libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ENOSPC => Self::Exhausted,
            _ => Self::Aborted,
        }
    }
}

/// Whether connections may be accepted now.
///
/// Connections beyond the limit wait in the kernel's backlog and are neither accepted nor refused.
#[derive(Debug)]
pub struct Gate {
    connections_max: usize,
    resting_until: Option<Nanos>,
}

impl Gate {
    /// An open gate for at most `connections_max` connections.
    pub const fn new(connections_max: usize) -> Self {
        Self { connections_max, resting_until: None }
    }

    /// Closes the gate for a while after [`AcceptFault::Exhausted`].
    pub fn rest(&mut self, now: Nanos) {
        self.resting_until = Some(now + REST);
    }

    /// Opens the gate again when its rest is over; asks for the time only if it rests.
    pub fn wake(&mut self, now: impl FnOnce() -> Nanos) {
        if self.resting_until.is_some_and(|until| now() >= until) {
            self.resting_until = None;
        }
    }

    /// When the rest is over, if the gate rests.
    pub const fn resting_until(&self) -> Option<Nanos> {
        self.resting_until
    }

    /// How many more connections may be accepted, given `live` ones.
    pub const fn room(&self, live: usize) -> usize {
        if self.resting_until.is_some() { 0 } else { self.connections_max.saturating_sub(live) }
    }
}

/// A bound, listening socket.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    addr: SocketAddr,
}

impl Listener {
    /// Binds and listens as `config` says.
    ///
    /// # Errors
    /// With the cause and the remedy: port in use, port below 1024, address not of this machine.
    pub fn bind(config: &Config) -> Result<Self, StartError> {
        let options = StreamOptions { nodelay: config.nodelay };
        let (fd, addr) = socket::listen(config.listen, config.backlog, options)
            .map_err(|error| StartError::listen(config.listen, &error))?;
        Ok(Self { fd, addr })
    }

    /// The address it really has.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Frees the port and resets what waits in the backlog.
    pub fn stop(&self) {
        // It only fails on a socket that does not listen, which is what is wanted.
        let _ = socket::stop_listening(self.fd.as_fd());
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_leaves_no_room_and_a_closed_connection_makes_some() {
        let gate = Gate::new(2);
        assert_eq!(gate.room(2), 0);
        assert_eq!(gate.room(1), 1);
    }

    #[test]
    fn an_exhausted_gate_rests_and_opens_by_itself() {
        let mut gate = Gate::new(2);
        gate.rest(Nanos(1));
        assert_eq!(gate.room(0), 0);
        gate.wake(|| REST);
        assert_eq!(gate.room(0), 0);
        gate.wake(|| Nanos(1) + REST);
        assert_eq!(gate.room(0), 2);
    }

    #[test]
    fn only_running_out_makes_accepting_rest() {
        assert_eq!(AcceptFault::of(Errno(libc::EMFILE)), AcceptFault::Exhausted);
        assert_eq!(AcceptFault::of(Errno(libc::EAGAIN)), AcceptFault::Empty);
        assert_eq!(AcceptFault::of(Errno(libc::ECANCELED)), AcceptFault::Empty);
        for gone in [libc::ECONNABORTED, libc::EINTR, libc::EPROTO, libc::ENETDOWN] {
            assert_eq!(AcceptFault::of(Errno(gone)), AcceptFault::Aborted);
        }
    }
}
