//! Trying io_uring out: rings that live for one question and are never served from.
//!
//! The kernel lists its operations (IORING_REGISTER_PROBE) and its features, but not its setup flags and not the
//! variants of an operation, such as multishot. Those are known only by trying them on a real socket. Sources:
//! io_uring_setup(2), io_uring_enter(2), io_uring_register(2), io_uring_register_buf_ring(3).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, register, squeue};

use super::Errno;
use super::map::Map;
use super::multishot::set_optlen;

/// The setup flag that takes the completion queue's size from the caller (IORING_SETUP_CQSIZE).
pub const SETUP_CQSIZE: u32 = 1 << 3;

/// How long a completion may take before it is given up: generous, because a refusal comes at once.
const PATIENCE: Timespec = Timespec::new().sec(1);

/// How often a call that a signal interrupted is taken up again.
const WAITS_MAX: u32 = 16;

/// Whether a ring can be set up with `flags`, and the IORING_FEAT_ bits that the kernel then reports.
///
/// # Errors
/// The errno of io_uring_setup(2): EINVAL for a flag it does not know, EPERM or ENOSYS where io_uring is not to be
/// had.
pub fn try_setup(flags: u32) -> Result<u32, Errno> {
    // struct io_uring_params is 30 numbers of 32 bits: 10 parameters and the offsets of both rings.
    const CQ_ENTRIES: usize = 1;
    const FLAGS: usize = 2;
    const SQ_THREAD_IDLE_MS: usize = 4;
    const FEATURES: usize = 5;
    let mut params = [0_u32; 30];
    params[FLAGS] = flags;
    params[CQ_ENTRIES] = if flags & SETUP_CQSIZE != 0 { 8 } else { 0 };
    params[SQ_THREAD_IDLE_MS] = 1;
    // SAFETY: the kernel reads and fills `params`, which has the size of its struct and outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1_u32, params.as_mut_ptr()) };
    let fd = i32::try_from(fd).expect("a descriptor is an int");
    let fd = Errno::check(fd)?;
    // SAFETY: io_uring_setup just returned this descriptor and nobody else owns it.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    Ok(params[FEATURES])
}

/// A receive to try.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recv {
    /// IORING_RECVSEND_ and IORING_RECV_ flags.
    pub ioprio: u16,
    /// Bytes to receive per completion; 0 leaves it to the buffer.
    pub len: u32,
    /// Bytes to receive before a multishot receive ends; 0 is no end.
    pub total_len: u32,
}

/// A completion.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// What the operation returned.
    pub result: Result<u32, Errno>,
    flags: u32,
}

impl Completion {
    /// Whether the operation goes on and posts more completions.
    pub fn more(self) -> bool {
        cqueue::more(self.flags)
    }

    /// Whether the socket held more data than was received.
    pub fn socket_nonempty(self) -> bool {
        cqueue::sock_nonempty(self.flags)
    }

    /// Whether the provided buffer stays with the kernel for more data.
    pub fn buffer_more(self) -> bool {
        cqueue::buffer_more(self.flags)
    }
}

/// A ring and a few provided buffers, for one question.
pub struct Trial {
    // Before the memory, so that the kernel has let go of the ring when the memory is unmapped.
    ring: IoUring,
    memory: Option<Map>,
    in_flight: usize,
}

/// Provided buffers of a [`Trial`], a count; a power of two, as the kernel asks.
const BUFFERS: u16 = 4;
/// Size of each in bytes.
pub const BUFFER_BYTES: u32 = 64;
/// Where the first one starts; the entries of the buffer ring are before it.
const DATA_AT: usize = 1024;
/// Their group.
const BGID: u16 = 0;

impl Trial {
    /// A ring with none of the optional setup flags, so that a missing flag cannot be mistaken for a missing
    /// operation.
    ///
    /// # Errors
    /// The errno of io_uring_setup(2).
    pub fn new() -> Result<Self, Errno> {
        let ring: io::Result<IoUring> = IoUring::builder().build(8);
        Ok(Self { ring: ring.map_err(errno)?, memory: None, in_flight: 0 })
    }

    /// The operations that the kernel knows, by number.
    ///
    /// # Errors
    /// EINVAL before Linux 5.6.
    pub fn operations(&self) -> Result<Vec<u8>, Errno> {
        let mut probe = register::Probe::new();
        self.ring.submitter().register_probe(&mut probe).map_err(errno)?;
        Ok((0..=u8::MAX).filter(|&operation| probe.is_supported(operation)).collect())
    }

    /// Registers the ring's own descriptor.
    ///
    /// # Errors
    /// EINVAL before Linux 5.18.
    pub fn register_own_descriptor(&self) -> Result<(), Errno> {
        self.ring.submitter().register_ring_fd().map_err(errno)
    }

    /// Registers an empty table of `count` direct descriptors.
    ///
    /// # Errors
    /// EINVAL before Linux 5.19, EMFILE past RLIMIT_NOFILE.
    pub fn register_direct_descriptors(&self, count: u32) -> Result<(), Errno> {
        self.ring.submitter().register_files_sparse(count).map_err(errno)
    }

    /// Cancels everything in flight without an SQE (IORING_REGISTER_SYNC_CANCEL).
    ///
    /// # Errors
    /// ENOENT when nothing is in flight, EINVAL before Linux 6.0.
    pub fn cancel_all_now(&self) -> Result<(), Errno> {
        self.ring.submitter().register_sync_cancel(None, CancelBuilder::any()).map_err(errno)
    }

    /// Registers a ring of provided buffers of [`BUFFER_BYTES`]; with `incremental`, one that hands a buffer out
    /// in parts.
    ///
    /// # Errors
    /// EINVAL before Linux 5.19, or 6.12 with `incremental`; ENOMEM.
    ///
    /// # Panics
    /// When called twice.
    pub fn provide_buffers(&mut self, incremental: bool) -> Result<(), Errno> {
        const INCREMENTAL: u16 = 1 << 1;
        assert!(self.memory.is_none(), "a trial provides its buffers once");
        let map = Map::new(DATA_AT + usize::from(BUFFERS) * BUFFER_BYTES as usize).map_err(errno)?;
        let map = self.memory.insert(map);
        fill(map);
        let flags = if incremental { INCREMENTAL } else { 0 };
        let entries = map.base().as_ptr().addr() as u64;
        // SAFETY: `entries` is page-aligned and has room for BUFFERS entries. The mapping lives in `self` and is
        // dropped after the ring, or leaked while an operation that may use it is in flight.
        unsafe { self.ring.submitter().register_buf_ring_with_flags(entries, BUFFERS, BGID, flags) }
            .map_err(errno)
    }

    /// Starts a receive from `socket` into a provided buffer.
    ///
    /// # Errors
    /// The errno of io_uring_enter(2); what the receive itself has to say comes as a completion.
    pub fn start_recv(&mut self, socket: BorrowedFd<'_>, recv: Recv) -> Result<(), Errno> {
        let mut entry = opcode::Recv::new(Fd(socket.as_raw_fd()), ptr::null_mut(), recv.len)
            .ioprio(recv.ioprio)
            .buf_group(BGID)
            .build()
            .flags(squeue::Flags::BUFFER_SELECT);
        set_optlen(&mut entry, recv.total_len);
        self.start(&entry)
    }

    /// Starts a multishot accept; with `direct`, into the table of direct descriptors.
    ///
    /// # Errors
    /// As [`start_recv`](Self::start_recv).
    pub fn start_accept(&mut self, listener: BorrowedFd<'_>, direct: bool) -> Result<(), Errno> {
        let accept = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).allocate_file_index(direct);
        self.start(&accept.build())
    }

    /// Starts the cancellation of everything in flight.
    ///
    /// # Errors
    /// As [`start_recv`](Self::start_recv).
    pub fn start_cancel_all(&mut self) -> Result<(), Errno> {
        self.start(&opcode::AsyncCancel2::new(CancelBuilder::any().all()).build())
    }

    fn start(&mut self, entry: &squeue::Entry) -> Result<(), Errno> {
        // SAFETY: the operations above point at no memory but the provided buffers, which outlive them as the
        // comment in `drop` argues. Descriptors are looked up while the SQE is consumed, in this call.
        unsafe { self.ring.submission().push(entry) }.expect("fewer operations than SQEs");
        self.in_flight += 1;
        self.submit()
    }

    fn submit(&self) -> Result<(), Errno> {
        for _ in 0..WAITS_MAX {
            match self.ring.submit().map_err(errno) {
                Err(error) if error.interrupted() => {}
                submitted => return submitted.map(drop),
            }
        }
        Err(Errno(libc::EINTR))
    }

    /// The next completion.
    ///
    /// # Errors
    /// ETIME when there is none within a second.
    pub fn wait(&mut self) -> Result<Completion, Errno> {
        let args = SubmitArgs::new().timespec(&PATIENCE);
        // A wait may end early, by a signal; it may not do so for ever.
        for _ in 0..WAITS_MAX {
            if let Some(entry) = self.ring.completion().next() {
                let completion = Completion { result: outcome(entry.result()), flags: entry.flags() };
                self.in_flight -= usize::from(!completion.more());
                return Ok(completion);
            }
            match self.ring.submitter().submit_with_args(1, &args).map_err(errno) {
                Err(error) if !error.interrupted() => return Err(error),
                _ => {}
            }
        }
        Err(Errno(libc::ETIME))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // Closing a ring cancels what is in flight, but later and elsewhere; until then a receive may write to its
        // buffer. Nothing tells when that is over, so the few pages are given up.
        if self.in_flight > 0 {
            std::mem::forget(self.memory.take());
        }
    }
}

/// Writes the entries of a full buffer ring, before the kernel knows of it.
fn fill(map: &mut Map) {
    // struct io_uring_buf: address u64, length u32, id u16, and a u16 that in the first entry is the ring's tail.
    const ENTRY: usize = 16;
    let data = map.base().as_ptr().addr() + DATA_AT;
    for bid in 0..BUFFERS {
        let (at, offset) = (usize::from(bid) * ENTRY, usize::from(bid) * BUFFER_BYTES as usize);
        let entry = map.bytes_mut(at..at + ENTRY);
        entry[0..8].copy_from_slice(&((data + offset) as u64).to_ne_bytes());
        entry[8..12].copy_from_slice(&BUFFER_BYTES.to_ne_bytes());
        entry[12..14].copy_from_slice(&bid.to_ne_bytes());
        entry[14..16].copy_from_slice(&(if bid == 0 { BUFFERS } else { 0 }).to_ne_bytes());
    }
}

fn outcome(result: i32) -> Result<u32, Errno> {
    u32::try_from(result).map_err(|_| Errno(-result))
}

fn errno(error: io::Error) -> Errno {
    Errno::of(&error)
}
