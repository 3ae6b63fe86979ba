//! Trying epoll's later additions out. Sources: epoll_ctl(2), epoll_pwait2(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;

use super::Errno;
use super::epoll::Epoll;

/// Whether `socket` can be watched with EPOLLEXCLUSIVE, which wakes one waiter and not all.
///
/// # Errors
/// EINVAL before Linux 4.5.
pub fn try_exclusive(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    let epoll = Epoll::new()?;
    let mut event =
        libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLEXCLUSIVE).cast_unsigned(), u64: 0 };
    let (epoll, socket) = (epoll.as_fd().as_raw_fd(), socket.as_raw_fd());
    // SAFETY: `event` is initialised and only read during the call; both descriptors are open.
    Errno::check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket, &raw mut event) }).map(drop)
}

/// Whether epoll_pwait2, with its timeout in nanoseconds, is there.
///
/// # Errors
/// ENOSYS before Linux 5.11.
pub fn try_pwait2() -> Result<(), Errno> {
    let epoll = Epoll::new()?;
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the buffer has room for the one event asked for, `now` outlives the call, and no signal mask is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_fd().as_raw_fd(),
            &raw mut event,
            1,
            &raw const now,
            ptr::null::<libc::sigset_t>(),
            0_usize,
        )
    };
    if result < 0 { Err(Errno::last()) } else { Ok(()) }
}
