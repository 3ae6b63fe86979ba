//! epoll, edge- or level-triggered.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::Errno;
use crate::units::Nanos;

/// What to be told about a descriptor. Hang-up and error are always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// Nothing but hang-up and error.
    pub const NOTHING: Self = Self(0);
    /// Readable, as long as it is.
    pub const READ: Self = Self(libc::EPOLLIN as u32);
    /// Writable, as long as it is.
    pub const WRITE: Self = Self(libc::EPOLLOUT as u32);
    /// Readable, writable, half-closed or holding urgent data, each time that becomes true.
    pub const STREAM_EDGE: Self = Self(
        (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLPRI | libc::EPOLLET).cast_unsigned(),
    );
    /// Readable, each time that becomes true.
    pub const READ_EDGE: Self = Self((libc::EPOLLIN | libc::EPOLLET).cast_unsigned());
}

impl Interest {
    /// The bits of epoll_ctl(2).
    #[cfg(test)]
    pub(super) const fn bits(self) -> u32 {
        self.0
    }
}

/// What a descriptor is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness(u32);

impl Readiness {
    /// Data, end of stream or an error can be read.
    pub const fn readable(self) -> bool {
        self.0 & (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLPRI | libc::EPOLLHUP | libc::EPOLLERR) as u32
            != 0
    }

    /// Data can be written, or an error fetched by trying.
    pub const fn writable(self) -> bool {
        self.0 & (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0
    }

    /// A read shorter than its buffer does not prove that nothing is left: an end of stream, an error or an urgent
    /// mark was already queued when this was reported, and none of them raises a second edge.
    pub const fn read_until_eagain(self) -> bool {
        self.0 & (libc::EPOLLRDHUP | libc::EPOLLPRI | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0
    }
}

/// Room for the events of one wait, allocated once.
pub struct Events {
    buffer: Box<[libc::epoll_event]>,
    count: usize,
}

impl Events {
    /// Room for `capacity` events; more are reported by the next wait.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { buffer: vec![libc::epoll_event { events: 0, u64: 0 }; capacity.max(1)].into(), count: 0 }
    }

    /// Forgets the last wait.
    #[cfg(test)]
    pub(super) const fn clear(&mut self) {
        self.count = 0;
    }

    /// Reports one more event.
    #[cfg(test)]
    pub(super) fn push(&mut self, user_data: u64, ready: u32) {
        self.buffer[self.count] = libc::epoll_event { events: ready, u64: user_data };
        self.count += 1;
    }

    /// How many events the last wait reported.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether it reported none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Event `index` of the last wait: the user data it was registered with, and what is ready.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn get(&self, index: usize) -> (u64, Readiness) {
        let event = self.buffer[..self.count][index];
        (event.u64, Readiness(event.events))
    }
}

/// An epoll instance. Source: epoll(7).
#[derive(Debug)]
pub struct Epoll {
    fd: OwnedFd,
}

impl Epoll {
    /// Has each wait poll the network cards of its sockets for `span`, at microsecond resolution, before it sleeps. A socket that
    /// came over no card, as on loopback, is waited for as ever. Source: ioctl_eventpoll(2), EPIOCSPARAMS.
    ///
    /// # Errors
    /// ENOTTY or EINVAL before Linux 6.9; EOPNOTSUPP in a kernel without busy polling.
    pub fn poll_card(&self, span: Nanos) -> Result<(), Errno> {
        /// struct epoll_params of linux/eventpoll.h.
        #[repr(C)]
        struct Params {
            busy_poll_usecs: u32,
            busy_poll_budget: u16,
            prefer_busy_poll: u8,
            pad: u8,
        }
        const EPIOCSPARAMS: libc::Ioctl = 0x4008_8A01;
        const PACKETS_A_POLL: u16 = 8;
        let busy_poll_usecs = u32::try_from(span.0 / 1000).unwrap_or(u32::MAX);
        let params =
            Params { busy_poll_usecs, busy_poll_budget: PACKETS_A_POLL, prefer_busy_poll: 0, pad: 0 };
        // SAFETY: the kernel reads one struct of this layout, which outlives the call.
        Errno::check(unsafe { libc::ioctl(self.fd.as_raw_fd(), EPIOCSPARAMS, &raw const params) }).map(drop)
    }

    /// A new instance, closed on exec.
    ///
    /// # Errors
    /// EMFILE, ENFILE or ENOMEM.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: the call takes a flag and touches no memory of ours.
        let fd = Errno::check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: epoll_create1 just returned this descriptor and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Watches `fd`; events carry `user_data`. Closing the descriptor ends the watch.
    ///
    /// # Errors
    /// ENOMEM, or ENOSPC past /proc/sys/fs/epoll/max_user_watches.
    pub fn add(&self, fd: BorrowedFd<'_>, user_data: u64, interest: Interest) -> Result<(), Errno> {
        self.control(libc::EPOLL_CTL_ADD, fd, user_data, interest)
    }

    /// Changes what is told about a watched `fd`.
    ///
    /// # Errors
    /// ENOENT when it is not watched.
    pub fn modify(&self, fd: BorrowedFd<'_>, user_data: u64, interest: Interest) -> Result<(), Errno> {
        self.control(libc::EPOLL_CTL_MOD, fd, user_data, interest)
    }

    fn control(&self, op: i32, fd: BorrowedFd<'_>, user_data: u64, interest: Interest) -> Result<(), Errno> {
        let mut event = libc::epoll_event { events: interest.0, u64: user_data };
        // SAFETY: `event` is initialised and only read during the call; both descriptors are open.
        let result = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), op, fd.as_raw_fd(), &raw mut event) };
        Errno::check(result).map(drop)
    }

    /// Waits for events, at most `timeout` (rounded up to milliseconds) or, with `None`, for ever.
    ///
    /// # Errors
    /// EINTR when a signal handler ran.
    pub fn wait(&self, events: &mut Events, timeout: Option<Nanos>) -> Result<usize, Errno> {
        let timeout_ms =
            timeout.map_or(-1, |span| i32::try_from(span.0.div_ceil(1_000_000)).unwrap_or(i32::MAX));
        let room = i32::try_from(events.buffer.len()).unwrap_or(i32::MAX);
        events.count = 0;
        // SAFETY: the buffer has room for `room` events and stays borrowed for the call.
        let result =
            unsafe { libc::epoll_wait(self.fd.as_raw_fd(), events.buffer.as_mut_ptr(), room, timeout_ms) };
        events.count = usize::try_from(Errno::check(result)?).expect("a count is not negative");
        Ok(events.count)
    }

    /// As [`wait`](Self::wait), with a timeout that is kept to the nanosecond, as far as timers are.
    ///
    /// # Errors
    /// EINTR when a signal handler ran; ENOSYS before Linux 5.11. Source: epoll_wait(2).
    pub fn wait_precisely(&self, events: &mut Events, timeout: Option<Nanos>) -> Result<usize, Errno> {
        let span = timeout.map(|span| libc::timespec {
            tv_sec: (span.0 / 1_000_000_000).cast_signed(),
            tv_nsec: (span.0 % 1_000_000_000).cast_signed(),
        });
        let span = span.as_ref().map_or(ptr::null(), ptr::from_ref);
        let room = i32::try_from(events.buffer.len()).unwrap_or(i32::MAX);
        events.count = 0;
        // SAFETY: the buffer has room for `room` events and stays borrowed for the call; `span` is null or a timespec
        // that outlives the call and is only read; a null mask of signals is none, and its size is ignored.
        let result = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.fd.as_raw_fd(),
                events.buffer.as_mut_ptr(),
                room,
                span,
                ptr::null::<libc::sigset_t>(),
                0usize,
            )
        };
        events.count = Errno::check_len(result as isize)?;
        Ok(events.count)
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn a_precise_wait_lasts_as_long_as_asked_and_reports_events() {
        let epoll = Epoll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let begun = clock::monotonic();
        assert_eq!(epoll.wait_precisely(&mut events, Some(Nanos(300_000))), Ok(0));
        assert!(clock::monotonic() - begun >= Nanos(300_000));
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        epoll.add(theirs.as_fd(), 7, Interest::READ).unwrap();
        drop(ours);
        assert_eq!(epoll.wait_precisely(&mut events, None), Ok(1));
        assert_eq!(events.get(0).0, 7);
    }
}
