//! Signals as a readable descriptor, so that they arrive between iterations of a loop and never inside one.

use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::{io, ptr};

use super::Errno;

/// What a server is told by signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: stop accepting, send what is owed, exit.
    Stop,
    /// SIGUSR1: append a snapshot to the stats file.
    Snapshot,
    /// SIGURG: urgent data is on its way to a descriptor that this thread owns.
    Urgent,
}

/// SIGTERM, SIGINT, SIGUSR1 and SIGURG, blocked in the calling thread and queued in a descriptor. Source: signalfd(2).
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
}

impl Signals {
    /// Blocks the signals in the calling thread and those it spawns, and opens the descriptor, non-blocking.
    ///
    /// # Errors
    /// EMFILE, ENFILE or ENOMEM.
    pub fn open() -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset initialises the set; the other calls read or extend an initialised one.
        let fd = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGURG] {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
            libc::signalfd(-1, set.as_ptr(), libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
        };
        let fd = Errno::check(fd)?;
        // SAFETY: signalfd just returned this descriptor and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// The next queued signal, if any.
    ///
    /// # Errors
    /// What `read(2)` says other than EAGAIN and EINTR, which is asked again.
    pub fn next(&self) -> Result<Option<Signal>, Errno> {
        // SAFETY: signalfd_siginfo is plain integers, for which zero is valid.
        let mut info: libc::signalfd_siginfo = unsafe { mem::zeroed() };
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: `info` has room for the `size` bytes the kernel writes.
        let result = unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut info).cast(), size) };
        match Errno::check_len(result) {
            Err(errno) if errno.interrupted() => self.next(),
            Ok(_) => Ok(Some(match info.ssi_signo.cast_signed() {
                libc::SIGUSR1 => Signal::Snapshot,
                libc::SIGURG => Signal::Urgent,
                _ => Signal::Stop,
            })),
            Err(errno) if errno.would_block() => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
