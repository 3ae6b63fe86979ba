//! What a readiness server asks of the kernel: sockets, and to be told when they are ready.
//!
//! [`Sockets`] is what the epoll engine builds on. [`Epoll`] asks the kernel; the tests have one of their own.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::epoll::{Epoll, Events, Interest};
use super::{Errno, socket};
use crate::units::Nanos;

/// Non-blocking sockets and who watches them.
pub trait Sockets {
    /// The socket of an accepted connection.
    type Socket;

    /// Accepts a connection from `listener`.
    ///
    /// # Errors
    /// Those of accept(2).
    fn accept(&mut self, listener: BorrowedFd<'_>) -> Result<Self::Socket, Errno>;

    /// Receives into `buffer`; returns how many bytes, zero at the end of the stream.
    ///
    /// # Errors
    /// Those of recv(2).
    fn recv(&mut self, socket: &Self::Socket, buffer: &mut [u8]) -> Result<usize, Errno>;

    /// Sends `bytes`; returns how many were taken.
    ///
    /// # Errors
    /// Those of send(2).
    fn send(&mut self, socket: &Self::Socket, bytes: &[u8]) -> Result<usize, Errno>;

    /// Closes `socket`, which ends its watch.
    fn close(&mut self, socket: Self::Socket);

    /// Watches `socket`; events carry `user_data`.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
    fn watch(&mut self, socket: &Self::Socket, user_data: u64, interest: Interest) -> Result<(), Errno>;

    /// Watches a watched `socket` anew: what it is ready for is told again.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
    fn rewatch(&mut self, socket: &Self::Socket, user_data: u64, interest: Interest) -> Result<(), Errno>;

    /// As [`rewatch`](Self::rewatch), for the listener.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
    fn rewatch_listener(
        &mut self,
        listener: BorrowedFd<'_>,
        user_data: u64,
        interest: Interest,
    ) -> Result<(), Errno>;

    /// Waits for events, at most `timeout`.
    ///
    /// # Errors
    /// Those of epoll_wait(2).
    fn wait(&mut self, events: &mut Events, timeout: Option<Nanos>) -> Result<(), Errno>;
}

impl Sockets for Epoll {
    type Socket = OwnedFd;

    fn accept(&mut self, listener: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        socket::accept(listener)
    }

    fn recv(&mut self, socket: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
        socket::recv(socket.as_fd(), buffer)
    }

    fn send(&mut self, socket: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
        socket::send(socket.as_fd(), bytes)
    }

    fn close(&mut self, socket: OwnedFd) {
        drop(socket);
    }

    fn watch(&mut self, socket: &OwnedFd, user_data: u64, interest: Interest) -> Result<(), Errno> {
        self.add(socket.as_fd(), user_data, interest)
    }

    fn rewatch(&mut self, socket: &OwnedFd, user_data: u64, interest: Interest) -> Result<(), Errno> {
        self.modify(socket.as_fd(), user_data, interest)
    }

    fn rewatch_listener(
        &mut self,
        listener: BorrowedFd<'_>,
        user_data: u64,
        interest: Interest,
    ) -> Result<(), Errno> {
        self.modify(listener, user_data, interest)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Nanos>) -> Result<(), Errno> {
        Epoll::wait(self, events, timeout).map(drop)
    }
}
