//! An io_uring instance with its provided buffers and its table of direct descriptors.
//!
//! The ring owns the memory that the kernel may write to, so nothing handed to it can be freed too early. It knows
//! how many operations are in flight; if it is dropped while some are, it leaks that memory rather than let the
//! kernel write into somebody else's.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

use io_uring::squeue::{self, Flags};
use io_uring::types::{CancelBuilder, DestinationSlot, Fd, Fixed, Timespec};
use io_uring::{IoUring, cqueue, opcode};

use super::Errno;
use super::buf_ring::{BUFFER_GROUP, Bid, BufRing, Lease};
use crate::token::Token;
use crate::units::Nanos;

// From linux/io_uring.h; the crate keeps its copies private.
const ENTER_GETEVENTS: u32 = 1 << 0;
const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_REGISTERED_RING: u32 = 1 << 4;
const REGISTER_RING_FDS: u32 = 20;
const POLL_FIRST: u16 = 1 << 0;

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
}

/// An accepted connection: an index into the ring's table, or a descriptor of the process. The ring closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    number: RawFd,
    direct: bool,
}

/// How one receive is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvHow {
    /// Most bytes to receive; the size of a provided buffer bounds it too.
    pub bytes_max: usize,
    /// Wait for readiness before the first try (IORING_RECVSEND_POLL_FIRST).
    pub poll_first: bool,
}

/// A completion queue entry.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// What was asked.
    pub token: Token,
    result: i32,
    flags: u32,
}

impl Completion {
    /// How it ended: a count, a descriptor, or an errno.
    ///
    /// # Errors
    /// The negated result.
    pub fn result(self) -> Result<usize, Errno> {
        usize::try_from(self.result).map_err(|_| Errno(-self.result))
    }

    /// More completions of this operation follow (IORING_CQE_F_MORE).
    pub fn has_more(self) -> bool {
        cqueue::more(self.flags)
    }

    /// More data was queued when this receive completed (IORING_CQE_F_SOCK_NONEMPTY).
    pub fn sock_nonempty(self) -> bool {
        cqueue::sock_nonempty(self.flags)
    }

    fn bid(self) -> Option<Bid> {
        cqueue::buffer_select(self.flags).map(Bid)
    }
}

/// Counts of what passed between this process and the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingCounts {
    /// io_uring_enter calls, failed ones included.
    pub enters: u64,
    /// Entries pushed.
    pub sqes: u64,
    /// Entries reaped.
    pub cqes: u64,
    /// Enters that found the completion queue overflowed.
    pub overflows: u64,
}

/// The ring. Fields drop in order: the instance before the memory it was lent.
pub struct Ring {
    uring: IoUring,
    enter_fd: RawFd,
    enter_flags: u32,
    /// The provided buffers of this ring.
    pub buffers: BufRing,
    direct: bool,
    in_flight: usize,
    counts: RingCounts,
}

impl Ring {
    /// Sets up a ring of `sq_entries`, with room for `cq_entries` completions.
    ///
    /// # Errors
    /// EPERM: forbidden; ENOSYS: no io_uring; EINVAL: the kernel does not know a flag; ENOMEM.
    pub fn new(setup: SetupFlags, sq_entries: u32, cq_entries: u32, buffers: BufRing) -> io::Result<Self> {
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
        let uring: IoUring = builder.build(sq_entries)?;
        let enter_fd = uring.as_raw_fd();
        let counts = RingCounts::default();
        Ok(Self {
            uring,
            enter_fd,
            enter_flags: ENTER_GETEVENTS,
            buffers,
            direct: false,
            in_flight: 0,
            counts,
        })
    }

    /// Registers the buffer ring (5.19).
    ///
    /// # Errors
    /// EINVAL on an older kernel; ENOMEM.
    pub fn register_buffers(&mut self) -> io::Result<()> {
        let (addr, entries) = self.buffers.registration();
        // SAFETY: the address is that of a page-aligned mapping with room for `entries` entries. It is owned by
        // `self.buffers`, which is dropped after the ring, or leaked.
        unsafe { self.uring.submitter().register_buf_ring_with_flags(addr, entries, BUFFER_GROUP, 0) }
    }

    /// Registers an empty table of `count` direct descriptors; accepts then use it.
    ///
    /// # Errors
    /// EMFILE past RLIMIT_NOFILE; EINVAL before 5.19.
    pub fn register_files(&mut self, count: u32) -> io::Result<()> {
        self.uring.submitter().register_files_sparse(count)?;
        self.direct = true;
        Ok(())
    }

    /// Registers the ring's own descriptor (5.18), which saves a lookup at each enter.
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

    /// How many operations the kernel has that have not completed.
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Counts so far.
    pub const fn counts(&self) -> RingCounts {
        self.counts
    }

    /// Accepts connections from `listener`: one, or with `multishot` (5.19) until a completion has no more.
    pub fn accept(&mut self, listener: BorrowedFd<'_>, multishot: bool, token: Token) {
        let fd = Fd(listener.as_raw_fd());
        let entry = if multishot {
            opcode::AcceptMulti::new(fd).allocate_file_index(self.direct).build()
        } else {
            let slot = self.direct.then(DestinationSlot::auto_target);
            opcode::Accept::new(fd, ptr::null_mut(), ptr::null_mut()).file_index(slot).build()
        };
        self.push(entry, token);
    }

    /// The connection that an accept completed with.
    ///
    /// # Panics
    /// Never: the kernel completes an accept with an int.
    pub fn accepted(&self, number: usize) -> File {
        let number = RawFd::try_from(number).expect("a completion's result is an int");
        File { number, direct: self.direct }
    }

    /// Receives from `file` into a buffer of the kernel's choice.
    pub fn recv(&mut self, file: File, how: RecvHow, token: Token) {
        let entry = opcode::Recv::new(Fd(file.number), ptr::null_mut(), how.bytes_max as u32)
            .buf_group(BUFFER_GROUP)
            .ioprio(if how.poll_first { POLL_FIRST } else { 0 })
            .build()
            .flags(Flags::BUFFER_SELECT);
        self.push(on_file(entry, file), token);
    }

    /// Sends the bytes of `lease` from `offset` on; with `wait_all` the kernel goes on after a short send.
    ///
    /// The caller keeps the lease until the completion: recycled earlier, the kernel could fill it with other bytes
    /// while it is being sent.
    pub fn send(&mut self, file: File, lease: &Lease, offset: usize, wait_all: bool, token: Token) {
        let (addr, len) = self.buffers.leased(lease, offset);
        let flags = libc::MSG_NOSIGNAL | if wait_all { libc::MSG_WAITALL } else { 0 };
        let entry = opcode::Send::new(Fd(file.number), addr.as_ptr(), len as u32).flags(flags).build();
        self.push(on_file(entry, file), token);
    }

    /// Shuts `file` down in both directions, ahead of the close that must be queued next.
    ///
    /// The kernel runs a shutdown in a worker thread, so the close is linked to it: unlinked it would come first, and
    /// the shutdown hit whoever got the descriptor next. A hard link, for a close follows a failed shutdown too.
    pub fn shutdown_before_close(&mut self, file: File, token: Token) {
        let entry = opcode::Shutdown::new(Fd(file.number), libc::SHUT_RDWR).build();
        self.push(on_file(entry, file).flags(Flags::IO_HARDLINK), token);
    }

    /// Closes `file`.
    pub fn close(&mut self, file: File, token: Token) {
        let entry = if file.direct {
            opcode::Close::new(Fixed(file.number.cast_unsigned())).build()
        } else {
            opcode::Close::new(Fd(file.number)).build()
        };
        self.push(entry, token);
    }

    /// Completes once when `fd` is readable.
    pub fn poll_readable(&mut self, fd: BorrowedFd<'_>, token: Token) {
        let entry = opcode::PollAdd::new(Fd(fd.as_raw_fd()), libc::POLLIN as u32).build();
        self.push(entry, token);
    }

    /// Cancels the operation that was submitted with `target`.
    pub fn cancel(&mut self, target: Token, token: Token) {
        self.push(opcode::AsyncCancel::new(target.to_bits()).build(), token);
    }

    /// Cancels every operation (5.19).
    pub fn cancel_all(&mut self, token: Token) {
        self.push(opcode::AsyncCancel2::new(CancelBuilder::any()).build(), token);
    }

    /// How many more entries can be queued before the next [`enter`](Self::enter).
    pub fn room(&mut self) -> usize {
        let queue = self.uring.submission();
        queue.capacity() - queue.len()
    }

    /// Queues an entry for the next enter.
    ///
    /// # Panics
    /// When the queue is full: callers stop reaping completions before it can be.
    fn push(&mut self, entry: squeue::Entry, token: Token) {
        let entry = entry.user_data(token.to_bits());
        // SAFETY: every pointer in `entry` is null or points into `self.buffers`, whose memory outlives the ring or
        // is leaked; descriptors are plain numbers that the kernel validates.
        unsafe { self.uring.submission().push(&entry) }.expect("the submission queue has room");
        self.in_flight += 1;
        self.counts.sqes += 1;
    }

    /// Submits what is queued, runs completion work, and waits until `min_complete` completions can be reaped or
    /// `timeout` has passed.
    ///
    /// # Errors
    /// EINTR; EAGAIN, EBUSY or ENOMEM when the kernel is short of memory. What was not submitted stays queued.
    pub fn enter(&mut self, min_complete: u32, timeout: Option<Nanos>) -> Result<(), Errno> {
        /// struct io_uring_getevents_arg of linux/io_uring.h.
        #[repr(C)]
        struct GeteventsArg {
            sigmask: u64,
            sigmask_sz: u32,
            min_wait_usec: u32,
            ts: u64,
        }
        let (to_submit, overflowed) = {
            let queue = self.uring.submission();
            (queue.len() as u32, queue.cq_overflow())
        };
        self.counts.enters += 1;
        self.counts.overflows += u64::from(overflowed);
        let span = timeout.map(|span| Timespec::from(std::time::Duration::from(span)));
        let arg = GeteventsArg {
            sigmask: 0,
            sigmask_sz: 0,
            min_wait_usec: 0,
            ts: span.as_ref().map_or(0, |span| ptr::from_ref(span) as u64),
        };
        let (arg, arg_bytes, flags) = match span {
            Some(_) => (ptr::from_ref(&arg), size_of::<GeteventsArg>(), self.enter_flags | ENTER_EXT_ARG),
            None => (ptr::null(), 0, self.enter_flags),
        };
        // SAFETY: `arg` is null, or a valid argument whose `ts` points at a timespec; both outlive the call. The
        // entries that get submitted were vetted by `push`.
        let result = unsafe {
            libc::syscall(
                libc::SYS_io_uring_enter,
                self.enter_fd,
                to_submit,
                min_complete,
                flags,
                arg,
                arg_bytes,
            )
        };
        match Errno::check_len(result as isize) {
            Ok(_) | Err(Errno(libc::ETIME)) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// The next completion, with the buffer that came with it.
    pub fn pop(&mut self) -> Option<(Completion, Option<Lease>)> {
        let entry = self.uring.completion().next()?;
        self.counts.cqes += 1;
        let completion = Completion {
            token: Token::from_bits(entry.user_data()),
            result: entry.result(),
            flags: entry.flags(),
        };
        if !completion.has_more() {
            self.in_flight -= 1;
        }
        let len = usize::try_from(completion.result).unwrap_or(0);
        let lease = completion.bid().map(|bid| self.buffers.lease(bid, len));
        Some((completion, lease))
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.in_flight > 0 {
            self.buffers.leak();
        }
    }
}

fn on_file(entry: squeue::Entry, file: File) -> squeue::Entry {
    if file.direct { entry.flags(Flags::FIXED_FILE) } else { entry }
}
