//! The submission and completion queues of an io_uring, and the one call that moves entries through them.
//!
//! [`Queues`] is what [`Ring`](super::ring::Ring) builds on: entries of the kernel's layout go in, completions come out.
//! [`KernelQueues`] hands them to the kernel; the tests have a kernel of their own behind the same entries.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use io_uring::types::Napi;
use io_uring::{IoUring, squeue};

use super::Errno;
use super::calls::DirectCalls;
use super::chains::Chains;
use super::ring_wait::{WaitMode, Waiting};
use crate::units::Nanos;

// From linux/io_uring.h; the crate keeps its copies private.
const ENTER_GETEVENTS: u32 = 1 << 0;
const ENTER_SQ_WAKEUP: u32 = 1 << 1;
const ENTER_REGISTERED_RING: u32 = 1 << 4;
const REGISTER_RING_FDS: u32 = 20;
const PBUF_RING_INC: u16 = 1 << 1;

/// How the kernel runs completion work. Source: io_uring_setup(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupFlags {
    /// IORING_SETUP_SINGLE_ISSUER (6.0): only this thread submits.
    pub single_issuer: bool,
    /// IORING_SETUP_COOP_TASKRUN (5.19): no interrupt for completion work.
    pub coop_taskrun: bool,
    /// IORING_SETUP_DEFER_TASKRUN (6.1): completion work only inside this thread's wait.
    pub defer_taskrun: bool,
    /// IORING_SETUP_NO_SQARRAY (6.6).
    pub no_sqarray: bool,
    /// IORING_SETUP_SQPOLL (5.11 without privileges): a kernel thread submits, and sleeps after a second without work.
    pub sqpoll: bool,
}

/// How long the thread of SQPOLL looks for work before it sleeps.
const SQ_THREAD_IDLE_MS: u32 = 1000;

/// A completion queue entry, as the kernel wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cqe {
    /// What the submission carried.
    pub user_data: u64,
    /// A count, a descriptor or a negated errno.
    pub result: i32,
    /// IORING_CQE_F_*, and the buffer id in the upper half.
    pub flags: u32,
}

/// Both queues. The submission queue is bounded, and nothing in it happens before the next [`enter`](Self::enter).
pub trait Queues: DirectCalls {
    /// How many more entries can be pushed before the next enter.
    fn room(&mut self) -> usize;

    /// Queues `entry`.
    ///
    /// # Panics
    /// When there is no room.
    ///
    /// # Safety
    /// What `entry` points at stays valid until its last completion.
    unsafe fn push(&mut self, entry: squeue::Entry);

    /// Queues `entry`, which has IOSQE_IO_LINK: the one pushed next waits until it has done all that was asked, and is
    /// cancelled if it does not. It is cancelled as well, and may complete first, if the kernel takes `entry` and leaves it.
    /// With `quiet`, `entry` has IOSQE_CQE_SKIP_SUCCESS too: the pair completes once, `entry` if it falls short or else the
    /// other one.
    ///
    /// # Panics
    /// When there is no room.
    ///
    /// # Safety
    /// As for [`push`](Self::push).
    unsafe fn push_linked(&mut self, entry: squeue::Entry, quiet: bool);

    /// Whether completions wait outside of a full completion queue; the next enter fetches them.
    fn overflowed(&mut self) -> bool;

    /// Submits what is queued, runs completion work, and waits until `min_complete` completions can be popped or
    /// `timeout` has passed.
    ///
    /// # Errors
    /// EINTR; EAGAIN, EBUSY or ENOMEM when the kernel is short of memory. What was not submitted stays queued.
    /// ENOTRECOVERABLE when it took one half of a quiet pair.
    fn enter(&mut self, min_complete: u32, timeout: Option<Nanos>) -> Result<(), Errno>;

    /// Whether an enter that waits for nothing has anything to do: not while a thread of the kernel submits.
    fn has_to_enter(&mut self) -> bool {
        true
    }

    /// Registers a ring of provided buffers (5.19): `entries` of them at `addr`, as group `group`. If `incremental` (6.12),
    /// the kernel fills a buffer piece by piece.
    ///
    /// # Errors
    /// EINVAL on an older kernel; ENOMEM.
    ///
    /// # Safety
    /// `addr` is that of a page-aligned mapping with room for `entries` entries, which stays mapped as long as the
    /// kernel has this io_uring.
    unsafe fn register_buffers(
        &mut self,
        addr: u64,
        entries: u16,
        group: u16,
        incremental: bool,
    ) -> io::Result<()>;

    /// How many completions can be popped.
    fn ready(&mut self) -> usize;

    /// The next completion.
    fn pop(&mut self) -> Option<Cqe>;
}

/// The queues that this process shares with the kernel.
pub struct KernelQueues {
    uring: IoUring,
    waiting: Waiting,
    sqpoll: bool,
    chains: Chains,
    enter_fd: RawFd,
    enter_flags: u32,
}

impl KernelQueues {
    /// Sets up an io_uring of `sq_entries`, with room for `cq_entries` completions.
    ///
    /// # Errors
    /// EPERM: forbidden; ENOSYS: no io_uring; EINVAL: the kernel does not know a flag; ENOMEM.
    pub fn new(setup: SetupFlags, wait: WaitMode, sq_entries: u32, cq_entries: u32) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.dontfork().setup_submit_all().setup_cqsize(cq_entries).setup_clamp();
        if setup.single_issuer {
            builder.setup_single_issuer();
        }
        if setup.coop_taskrun {
            builder.setup_coop_taskrun();
        }
        if setup.defer_taskrun {
            builder.setup_defer_taskrun();
        }
        if setup.no_sqarray {
            builder.setup_no_sqarray();
        }
        if setup.sqpoll {
            builder.setup_sqpoll(SQ_THREAD_IDLE_MS);
        }
        // A region for waits is taken only by a ring that nobody uses yet.
        if wait == WaitMode::Region {
            builder.setup_r_disabled();
        }
        let uring: IoUring = builder.build(sq_entries)?;
        let enter_fd = uring.as_raw_fd();
        let waiting = Waiting::new(wait, enter_fd)?;
        if wait == WaitMode::Region {
            uring.submitter().register_enable_rings()?;
        }
        let chains = Chains::of(&uring)?;
        Ok(Self { uring, waiting, sqpoll: setup.sqpoll, chains, enter_fd, enter_flags: ENTER_GETEVENTS })
    }

    /// Registers memory that sends may name by index.
    ///
    /// # Errors
    /// ENOMEM past RLIMIT_MEMLOCK or what can be pinned; EFAULT; EINVAL for a chunk of more than 1 GiB.
    ///
    /// # Safety
    /// The chunks stay mapped as long as the kernel has this io_uring.
    pub unsafe fn register_memory(&mut self, chunks: &[libc::iovec]) -> io::Result<()> {
        // SAFETY: the caller promises what the call asks for.
        unsafe { self.uring.submitter().register_buffers(chunks) }
    }

    /// Registers an empty table of `count` direct descriptors.
    ///
    /// # Errors
    /// EMFILE past RLIMIT_NOFILE; EINVAL before 5.19.
    pub fn register_files(&mut self, count: u32) -> io::Result<()> {
        self.uring.submitter().register_files_sparse(count)
    }

    /// Has waits poll the network cards of the ring's sockets for `span` before they sleep (6.9).
    ///
    /// # Errors
    /// EINVAL on an older kernel; EOPNOTSUPP on one without busy polling.
    pub fn register_napi(&mut self, span: Nanos) -> io::Result<()> {
        let micros = u32::try_from(span.0 / 1000).unwrap_or(u32::MAX);
        self.uring.submitter().register_napi(&mut Napi::new().set_busy_poll_timeout(micros))
    }

    /// Registers the io_uring's own descriptor (5.18), which saves a lookup at each enter.
    ///
    /// # Errors
    /// EINVAL on an older kernel.
    pub fn register_ring_fd(&mut self) -> Result<(), Errno> {
        /// struct io_uring_rsrc_update of linux/io_uring.h.
        #[repr(C)]
        struct RsrcUpdate {
            offset: u32,
            resv: u32,
            data: u64,
        }
        let ring_fd = self.uring.as_raw_fd();
        let mut update = RsrcUpdate { offset: u32::MAX, resv: 0, data: u64::from(ring_fd.cast_unsigned()) };
        // SAFETY: `update` is one valid io_uring_rsrc_update, which the kernel reads and whose offset it writes.
        let result = unsafe {
            libc::syscall(libc::SYS_io_uring_register, ring_fd, REGISTER_RING_FDS, &raw mut update, 1)
        };
        Errno::check_len(result as isize)?;
        self.enter_fd = update.offset.cast_signed();
        self.enter_flags |= ENTER_REGISTERED_RING;
        Ok(())
    }
}

impl KernelQueues {
    /// Submits up to `count` entries, runs completion work and waits. Returns how many the kernel has taken: fewer
    /// when it is short of memory, and then it has not waited.
    fn submit(&mut self, count: u32, min_complete: u32, timeout: Option<Nanos>) -> Result<u32, Errno> {
        let wakes = self.sqpoll && self.uring.submission().need_wakeup();
        let flags = self.enter_flags | if wakes { ENTER_SQ_WAKEUP } else { 0 };
        let taken = self.waiting.enter(self.enter_fd, flags, count, min_complete, timeout)?;
        Ok(taken as u32)
    }
}

impl Queues for KernelQueues {
    fn room(&mut self) -> usize {
        let queue = self.uring.submission();
        queue.capacity() - queue.len()
    }

    unsafe fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: the caller promises what the call asks for.
        unsafe { self.uring.submission().push(&entry) }.expect("the submission queue has room");
    }

    unsafe fn push_linked(&mut self, entry: squeue::Entry, quiet: bool) {
        self.chains.note(self.uring.submission().len(), quiet);
        // SAFETY: the caller promises what the call asks for.
        unsafe { self.push(entry) };
    }

    fn overflowed(&mut self) -> bool {
        self.uring.submission().cq_overflow()
    }

    fn enter(&mut self, min_complete: u32, timeout: Option<Nanos>) -> Result<(), Errno> {
        let queued = self.uring.submission().len() as u32;
        self.chains.assert_complete(queued);
        let min_complete = if self.chains.severed() > 0 { 0 } else { min_complete };
        match self.submit(queued, min_complete, timeout) {
            Ok(count) => self.chains.on_taken(count, queued),
            Err(Errno(libc::ETIME)) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn has_to_enter(&mut self) -> bool {
        !self.sqpoll || self.uring.submission().need_wakeup() || self.overflowed()
    }

    unsafe fn register_buffers(
        &mut self,
        addr: u64,
        entries: u16,
        group: u16,
        incremental: bool,
    ) -> io::Result<()> {
        let flags = if incremental { PBUF_RING_INC } else { 0 };
        // SAFETY: the caller promises what the call asks for.
        unsafe { self.uring.submitter().register_buf_ring_with_flags(addr, entries, group, flags) }
    }

    fn ready(&mut self) -> usize {
        self.chains.severed() + self.uring.completion().len()
    }

    fn pop(&mut self) -> Option<Cqe> {
        if let Some(user_data) = self.chains.pop_severed() {
            return Some(Cqe { user_data, result: -libc::ECANCELED, flags: 0 });
        }
        let entry = self.uring.completion().next()?;
        Some(Cqe { user_data: entry.user_data(), result: entry.result(), flags: entry.flags() })
    }
}

#[cfg(test)]
#[path = "queues_tests.rs"]
mod tests;
