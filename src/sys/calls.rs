//! What a server on io_uring may ask of the kernel by itself, beside what it asks through the queues.

use std::os::fd::RawFd;
use std::ptr::NonNull;

use super::Errno;

/// Calls that return at once, whatever the descriptor's own mode.
pub trait DirectCalls {
    /// Receives up to `len` bytes to `addr`; returns how many, zero at the end of the stream.
    ///
    /// # Errors
    /// Those of recv(2).
    ///
    /// # Safety
    /// `addr` is valid for writes of `len` bytes.
    unsafe fn recv(&mut self, fd: RawFd, addr: NonNull<u8>, len: usize) -> Result<usize, Errno>;

    /// Sends up to `len` bytes from `addr`; returns how many were taken.
    ///
    /// # Errors
    /// Those of send(2).
    ///
    /// # Safety
    /// `addr` is valid for reads of `len` bytes.
    unsafe fn send(&mut self, fd: RawFd, addr: NonNull<u8>, len: usize) -> Result<usize, Errno>;

    /// Has SIGURG sent to this thread when urgent data is on its way to `fd` (fcntl(2), F_SETOWN_EX).
    ///
    /// # Errors
    /// ENOMEM.
    fn own(&mut self, fd: RawFd) -> Result<(), Errno>;
}
