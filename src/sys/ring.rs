//! An io_uring instance with its provided buffers and its table of direct descriptors.
//!
//! The ring owns the memory that the kernel may write to, so nothing handed to it can be freed too early. It knows
//! how many operations are in flight; if it is dropped while some are, it leaks that memory rather than let the
//! kernel write into somebody else's.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

use io_uring::opcode;
use io_uring::squeue::{self, Flags};
use io_uring::types::{CancelBuilder, DestinationSlot, Fd, Fixed};

use super::Errno;
use super::buf_ring::{Bid, BufRing, Group, Home, Lease};
pub use super::completion::Completion;
use super::groups::Groups;
use super::multishot::{self, Shots};
use super::private::PrivateBuffers;
use super::queues::{KernelQueues, Queues, SetupFlags};
use super::ring_wait::WaitMode;
use super::vectors::Vectors;
use crate::slab::Slot;
use crate::token::Token;
use crate::units::Nanos;

// From linux/io_uring.h; the crate keeps its copies private.
const POLL_FIRST: u16 = 1 << 0;
const BUNDLE: u16 = 1 << 4;

/// An accepted connection: an index into the ring's table, or a descriptor of the process. The ring closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    number: RawFd,
    direct: bool,
}

impl File {
    /// The descriptor of the process.
    ///
    /// # Panics
    /// If it is an index into the ring's table: a call that took it for a descriptor would hit another file.
    pub(super) fn descriptor(self) -> RawFd {
        assert!(!self.direct, "a call of the process names a descriptor of the ring");
        self.number
    }
}

/// How one receive is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvHow {
    /// Most bytes to receive; the size of a provided buffer bounds it too.
    pub bytes_max: usize,
    /// Wait for readiness before the first try (IORING_RECVSEND_POLL_FIRST).
    pub poll_first: bool,
    /// Fill several buffers if need be (IORING_RECVSEND_BUNDLE). It may then bring more than `bytes_max`.
    pub bundle: bool,
    /// The buffers that the kernel chooses from.
    pub group: Group,
    /// When it is over.
    pub shots: Shots,
}

/// Where the kernel sends from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendKind {
    /// From a copy that it makes.
    #[default]
    Copy,
    /// From the buffer, where the card can (6.0). A second completion tells when the buffer is free again.
    ZeroCopy,
    /// The same, from memory registered beforehand.
    ZeroCopyRegistered,
}

/// How one send is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendHow {
    /// The kernel goes on after a short send (MSG_WAITALL).
    pub wait_all: bool,
    /// Whether the kernel may send from the buffer itself.
    pub kind: SendKind,
    /// The entry pushed next waits until this send has sent all, and is cancelled if it does not (IOSQE_IO_LINK).
    pub linked: bool,
    /// It completes only if it falls short (IOSQE_CQE_SKIP_SUCCESS). Only for one that is linked: if it falls short, what
    /// waits for it never completes, and otherwise that one's completion tells that all has been sent.
    pub quiet: bool,
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
    /// System calls made beside the ring.
    pub calls: u64,
}

/// The ring. Fields drop in order: the queues before the memory that the kernel was lent through them.
pub struct Ring<Q: Queues = KernelQueues> {
    pub(super) queues: Q,
    /// The provided buffers of this ring.
    pub buffers: BufRing,
    /// The buffers that belong to a connection each, if there are such.
    pub private: PrivateBuffers,
    /// Groups of provided buffers beside the shared one, none unless somebody puts them here.
    pub groups: Groups,
    /// The connection whose entry the next one is linked to.
    link_from: Option<Slot>,
    vectors: Option<Vectors>,
    direct: bool,
    in_flight: usize,
    pub(super) counts: RingCounts,
}

impl Ring {
    /// Sets up a ring of `sq_entries`, with room for `cq_entries` completions.
    ///
    /// # Errors
    /// Those of [`KernelQueues::new`].
    pub fn new(
        setup: SetupFlags,
        wait: WaitMode,
        sq_entries: u32,
        cq_entries: u32,
        buffers: BufRing,
        private: PrivateBuffers,
    ) -> io::Result<Self> {
        Ok(Self::over(KernelQueues::new(setup, wait, sq_entries, cq_entries)?, buffers, private, false))
    }

    /// Has waits poll the network cards of the sockets for `span` before they sleep (6.9).
    ///
    /// # Errors
    /// Those of [`KernelQueues::register_napi`].
    pub fn register_napi(&mut self, span: Nanos) -> io::Result<()> {
        self.queues.register_napi(span)
    }

    /// Registers the buffer ring (5.19).
    ///
    /// # Errors
    /// EINVAL on an older kernel, or before 6.12 if they are filled piece by piece; ENOMEM.
    pub fn register_buffers(&mut self) -> io::Result<()> {
        let (addr, entries, group) = self.buffers.registration();
        let incremental = self.buffers.is_incremental();
        // SAFETY: the address is that of a page-aligned mapping with room for `entries` entries. It is owned by
        // `self.buffers`, which is dropped after the queues, or leaked.
        unsafe { self.queues.register_buffers(addr, entries, group, incremental) }
    }

    /// Registers the memory of the shared buffers, for sends without a copy.
    ///
    /// # Errors
    /// ENOMEM past RLIMIT_MEMLOCK or what can be pinned.
    pub fn register_memory(&mut self) -> io::Result<()> {
        let chunks = self.buffers.chunks();
        // SAFETY: the chunks lie in the mapping of `self.buffers`, which is dropped after the queues, or leaked.
        unsafe { self.queues.register_memory(&chunks) }
    }

    /// Registers an empty table of `count` direct descriptors; accepts then use it.
    ///
    /// # Errors
    /// EMFILE past RLIMIT_NOFILE; EINVAL before 5.19.
    pub fn register_files(&mut self, count: u32) -> io::Result<()> {
        self.queues.register_files(count)?;
        self.direct = true;
        Ok(())
    }

    /// Registers the ring's own descriptor (5.18), which saves a lookup at each enter.
    ///
    /// # Errors
    /// EINVAL on an older kernel.
    pub fn register_ring_fd(&mut self) -> Result<(), Errno> {
        self.queues.register_ring_fd()
    }
}

impl<Q: Queues> Ring<Q> {
    /// A ring over `queues`, with a table of direct descriptors or without.
    pub(super) fn over(queues: Q, buffers: BufRing, private: PrivateBuffers, direct: bool) -> Self {
        Self {
            queues,
            buffers,
            private,
            groups: Groups::none(),
            link_from: None,
            vectors: None,
            direct,
            in_flight: 0,
            counts: RingCounts::default(),
        }
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

    /// Makes the group at `index` known to the kernel, unless it is: a system call.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn open_group(&mut self, index: usize) -> Result<(), Errno> {
        self.groups.open(index, &mut self.queues)
    }

    /// Receives from `file` into a buffer of the kernel's choice.
    pub fn recv(&mut self, file: File, how: RecvHow, token: Token) {
        let bytes_max = if how.shots == Shots::Many { 0 } else { how.bytes_max as u32 };
        let entry = opcode::Recv::new(Fd(file.number), ptr::null_mut(), bytes_max)
            .buf_group(how.group.0)
            .ioprio(
                if how.poll_first { POLL_FIRST } else { 0 }
                    | if how.bundle { BUNDLE } else { 0 }
                    | multishot::ioprio(how.shots),
            )
            .build()
            .flags(Flags::BUFFER_SELECT);
        self.push(on_file(multishot::limited(entry, how.shots), file), token);
    }

    /// Receives from `file` into the own buffer of the connection in `token`: now, or if the entry before this one is
    /// a linked send of that connection, as soon as it has sent all that the buffer holds.
    pub fn recv_private(&mut self, file: File, how: RecvHow, token: Token) {
        let after_send = self.link_from == Some(token.slot);
        let addr = self.private.lend(token.slot, after_send);
        let len = how.bytes_max.min(self.private.buffer_bytes());
        let entry = opcode::Recv::new(Fd(file.number), addr.as_ptr(), len as u32)
            .ioprio(if how.poll_first { POLL_FIRST } else { 0 })
            .build();
        self.push(on_file(entry, file), token);
    }

    /// Takes over the own buffer of the connection whose receive has completed, if bytes came.
    pub fn received_privately(&mut self, completion: Completion) -> Option<Lease> {
        self.private.end(completion.token.slot, completion.result().unwrap_or(0))
    }

    /// Takes back the own buffer of `slot` from a receive that ends without a completion.
    pub fn received_nothing(&mut self, slot: Slot) {
        let nothing = self.private.end(slot, 0);
        debug_assert!(nothing.is_none(), "none of no bytes");
    }

    /// Takes a buffer, if there is one to give, back to where it came from.
    pub fn recycle(&mut self, lease: impl Into<Option<Lease>>) {
        let Some(lease) = lease.into() else { return };
        match lease.home {
            Home::Provided(bid) => self.owner(bid).recycle(lease),
            Home::Private(slot) => self.private.recycle(slot),
        }
    }

    /// Sends the bytes of `lease` from `offset` on.
    ///
    /// The caller keeps the lease until the completion: recycled earlier, the kernel could fill it with other bytes
    /// while it is being sent.
    pub fn send(&mut self, file: File, lease: &Lease, offset: usize, how: SendHow, token: Token) {
        let (addr, len) = match lease.home {
            Home::Provided(bid) if self.groups.have(bid) => self.groups.leased(lease, offset),
            Home::Provided(_) => self.buffers.leased(lease, offset),
            Home::Private(slot) => self.private.leased(slot, lease.len, offset),
        };
        let flags = libc::MSG_NOSIGNAL | if how.wait_all { libc::MSG_WAITALL } else { 0 };
        let (fd, len) = (Fd(file.number), len as u32);
        let entry = match how.kind {
            SendKind::Copy => opcode::Send::new(fd, addr.as_ptr(), len).flags(flags).build(),
            SendKind::ZeroCopy => opcode::SendZc::new(fd, addr.as_ptr(), len).flags(flags).build(),
            SendKind::ZeroCopyRegistered => {
                let chunk = Some(self.buffers.chunk_of(lease));
                opcode::SendZc::new(fd, addr.as_ptr(), len).flags(flags).buf_index(chunk).build()
            }
        };
        let entry = on_file(entry, file);
        if how.linked {
            return self.push_linked(entry, how.quiet, token);
        }
        assert!(!how.quiet, "nothing would ever tell that a send that is not linked has succeeded");
        self.push(entry, token);
    }

    /// Makes room for sends of up to `segments_max` buffers. To be called before anything is queued.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn allow_vectors(&mut self, segments_max: usize) -> io::Result<()> {
        self.vectors = Some(Vectors::new(self.queues.room(), segments_max)?);
        Ok(())
    }

    /// Sends the bytes of `segments`, each a lease and where to begin in it, one after the other. Returns how many bytes that
    /// are: the first segments, if there are more than were allowed for. The caller keeps their leases as for
    /// [`send`](Self::send).
    ///
    /// # Panics
    /// If vectors were not allowed.
    pub fn send_vector<'a>(
        &mut self,
        file: File,
        segments: impl Iterator<Item = (&'a Lease, usize)>,
        how: SendHow,
        token: Token,
    ) -> usize {
        assert!(!how.linked && how.kind == SendKind::Copy, "nothing follows a send of segments");
        let vectors = self.vectors.as_mut().expect("vectors were allowed");
        let buffers = &self.buffers;
        let (header, bytes) = vectors.write(segments.map(|(lease, offset)| buffers.leased(lease, offset)));
        let flags = libc::MSG_NOSIGNAL | if how.wait_all { libc::MSG_WAITALL } else { 0 };
        let entry = opcode::SendMsg::new(Fd(file.number), header).flags(flags as u32).build();
        self.push(on_file(entry, file), token);
        bytes
    }

    /// Shuts `file` down in both directions. The kernel does so in a worker thread: a close that is queued before the
    /// completion could come first, and the shutdown hit whoever got the descriptor next.
    pub fn shutdown(&mut self, file: File, token: Token) {
        let entry = opcode::Shutdown::new(Fd(file.number), libc::SHUT_RDWR).build();
        self.push(on_file(entry, file), token);
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
        self.queues.room()
    }

    /// Queues an entry for the next enter.
    ///
    /// # Panics
    /// When the queue is full: callers stop reaping completions before it can be.
    pub(super) fn push(&mut self, entry: squeue::Entry, token: Token) {
        // SAFETY: every pointer in `entry` is null or points into `self.buffers`, `self.private` or `self.groups`, whose
        // memory outlives the queues or is leaked, or at a header in `self.vectors`, which outlives the queues and stays as
        // it is until the kernel has taken the entry; descriptors are plain numbers that the kernel validates.
        unsafe { self.queues.push(entry.user_data(token.to_bits())) };
        self.link_from = None;
        self.in_flight += 1;
        self.counts.sqes += 1;
    }

    /// Queues an entry that the one queued next waits for. With `quiet` the two complete once.
    ///
    /// # Panics
    /// When the queue is full, or the entry before this one waits for it.
    fn push_linked(&mut self, entry: squeue::Entry, quiet: bool, token: Token) {
        assert!(self.link_from.is_none(), "a chain of more than two");
        let skips = if quiet { Flags::SKIP_SUCCESS } else { Flags::empty() };
        let entry = entry.flags(Flags::IO_LINK | skips).user_data(token.to_bits());
        // SAFETY: as in `push`.
        unsafe { self.queues.push_linked(entry, quiet) };
        self.link_from = Some(token.slot);
        self.in_flight += usize::from(!quiet);
        self.counts.sqes += 1;
    }

    /// Submits what is queued, runs completion work, and waits until `min_complete` completions can be reaped or
    /// `timeout` has passed.
    ///
    /// # Errors
    /// Those of [`Queues::enter`]. What was not submitted stays queued.
    pub fn enter(&mut self, min_complete: u32, timeout: Option<Nanos>) -> Result<(), Errno> {
        if min_complete == 0 && !self.queues.has_to_enter() {
            return Ok(());
        }
        self.counts.enters += 1;
        self.counts.overflows += u64::from(self.has_overflowed());
        self.queues.enter(min_complete, timeout)
    }

    /// Whether completions wait outside of a full queue.
    pub fn has_overflowed(&mut self) -> bool {
        self.queues.overflowed()
    }

    /// How many completions wait to be popped.
    pub fn unreaped(&mut self) -> usize {
        self.queues.ready()
    }

    /// The next completion, with the buffer that came with it.
    pub fn pop(&mut self) -> Option<(Completion, Option<Lease>)> {
        let cqe = self.queues.pop()?;
        self.counts.cqes += 1;
        let completion = Completion::of(cqe);
        if !completion.has_more() {
            self.in_flight -= 1;
        }
        let len = completion.result().unwrap_or(0);
        let more = completion.has_more_of_buffer();
        let lease = completion.bid().map(|bid| self.owner(bid).receive(bid, len, more));
        Some((completion, lease))
    }

    fn owner(&mut self, bid: Bid) -> &mut BufRing {
        if self.groups.have(bid) { self.groups.of(bid) } else { &mut self.buffers }
    }
}

impl<Q: Queues> Drop for Ring<Q> {
    fn drop(&mut self) {
        if self.in_flight > 0 {
            self.buffers.leak();
            self.private.leak();
            self.groups.leak();
        }
    }
}

fn on_file(entry: squeue::Entry, file: File) -> squeue::Entry {
    if file.direct { entry.flags(Flags::FIXED_FILE) } else { entry }
}
