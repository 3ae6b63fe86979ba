//! Kernel error numbers.

use std::{fmt, io};

/// An error number as errno(3) lists them. Copyable and free of allocation, fit for a serving loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// The calling thread's errno.
    pub fn last() -> Self {
        Self(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }

    /// The error number in `error`; 0 if it came from elsewhere than the kernel.
    pub fn of(error: &io::Error) -> Self {
        Self(error.raw_os_error().unwrap_or(0))
    }

    /// Whether a non-blocking call found nothing to do.
    pub const fn would_block(self) -> bool {
        // EWOULDBLOCK equals EAGAIN on every Linux architecture.
        self.0 == libc::EAGAIN
    }

    /// Whether a signal cut the call short before it did anything.
    pub const fn interrupted(self) -> bool {
        self.0 == libc::EINTR
    }

    /// Whether the process or the system ran out of descriptors or memory: nobody's fault, try again later.
    pub const fn exhausted(self) -> bool {
        matches!(self.0, libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
    }

    /// Whether the same again may succeed: nothing is wrong with the descriptor that it was about.
    pub const fn passing(self) -> bool {
        self.would_block() || self.interrupted() || self.exhausted()
    }

    /// The outcome of a system call that returns −1 on failure.
    ///
    /// # Errors
    /// The calling thread's errno.
    pub fn check(result: i32) -> Result<i32, Self> {
        if result < 0 { Err(Self::last()) } else { Ok(result) }
    }

    /// As [`check`](Self::check), for calls that return a length.
    ///
    /// # Errors
    /// The calling thread's errno.
    pub fn check_len(result: isize) -> Result<usize, Self> {
        usize::try_from(result).map_err(|_| Self::last())
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errno({self})")
    }
}

impl std::error::Error for Errno {}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        Self(errno.raw_os_error())
    }
}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.0)
    }
}
