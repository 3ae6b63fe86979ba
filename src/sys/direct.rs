//! Calls that a server on io_uring makes by itself: recv(2) and send(2) on a plain descriptor, beside what it asks the ring.
//!
//! They count as system calls like any other. The buffers are those of the ring, so that a send which the kernel does not take
//! whole can be finished through the ring, from where its bytes are.

use std::os::fd::RawFd;
use std::ptr::NonNull;

use io_uring::{opcode, types::Fd};

use super::Errno;
use super::buf_ring::Lease;
use super::calls::DirectCalls;
use super::queues::{KernelQueues, Queues};
use super::ring::{Completion, File, Ring};
use crate::token::Token;

/// What a connection's poll asks for. Hang-up and error are always told. Not urgent data: what wakes a poll names it whenever
/// bytes of any kind arrive.
const INPUT: u32 = (libc::POLLIN | libc::POLLRDHUP) as u32;

/// What has to be read until nothing comes: an end of stream or an error raises no second edge.
const ENDS: usize = (libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR) as usize;

// From fcntl.h.
const SETOWN_EX: i32 = 15;
const OWNER_TID: i32 = 0;

impl DirectCalls for KernelQueues {
    unsafe fn recv(&mut self, fd: RawFd, addr: NonNull<u8>, len: usize) -> Result<usize, Errno> {
        // SAFETY: the caller promises what the call asks for.
        Errno::check_len(unsafe { libc::recv(fd, addr.as_ptr().cast(), len, libc::MSG_DONTWAIT) })
    }

    unsafe fn send(&mut self, fd: RawFd, addr: NonNull<u8>, len: usize) -> Result<usize, Errno> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: the caller promises what the call asks for.
        Errno::check_len(unsafe { libc::send(fd, addr.as_ptr().cast(), len, flags) })
    }

    fn own(&mut self, fd: RawFd) -> Result<(), Errno> {
        /// struct f_owner_ex of fcntl.h.
        #[repr(C)]
        struct Owner {
            kind: i32,
            pid: libc::pid_t,
        }
        // SAFETY: the call takes nothing and returns the calling thread's number.
        let owner = Owner { kind: OWNER_TID, pid: unsafe { libc::gettid() } };
        // SAFETY: `owner` is a valid f_owner_ex, which the kernel reads during the call.
        Errno::check(unsafe { libc::fcntl(fd, SETOWN_EX, &raw const owner) }).map(drop)
    }
}

impl<Q: Queues> Ring<Q> {
    /// Receives up to `bytes_max` from `file` into the buffer recycled last. An empty lease is the end of the stream.
    ///
    /// # Errors
    /// Those of recv(2): EAGAIN when nothing is queued.
    ///
    /// # Panics
    /// On a direct descriptor, which no call can name; when no buffer is free, as there is one for each connection.
    pub fn recv_now(&mut self, file: File, bytes_max: usize) -> Result<Lease, Errno> {
        let (lease, addr) = self.buffers.take(bytes_max).expect("there is a buffer for each connection");
        self.counts.calls += 1;
        // SAFETY: the buffer is leased, so nobody else writes to it, and has room for the bytes of its lease.
        let result = unsafe { self.queues.recv(file.descriptor(), addr, lease.len()) };
        match result {
            Ok(count) => Ok(lease.cut(count)),
            Err(errno) => {
                self.buffers.recycle(lease);
                Err(errno)
            }
        }
    }

    /// Sends the bytes of `lease` from `offset` on, as many as the kernel takes at once.
    ///
    /// # Errors
    /// Those of send(2): EAGAIN when it takes none.
    ///
    /// # Panics
    /// On a direct descriptor.
    pub fn send_now(&mut self, file: File, lease: &Lease, offset: usize) -> Result<usize, Errno> {
        let (addr, len) = self.buffers.leased(lease, offset);
        self.counts.calls += 1;
        // SAFETY: the buffer is leased, so nobody else has it, and its lease covers the bytes.
        unsafe { self.queues.send(file.descriptor(), addr, len) }
    }

    /// Has this thread told by SIGURG of urgent data on its way to `file`: a receive stops short at its mark.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn hear_of_urgent_data(&mut self, file: File) -> Result<(), Errno> {
        self.counts.calls += 1;
        self.queues.own(file.descriptor())
    }

    /// Completes each time that input arrives at `file`, or its end (IORING_POLL_ADD_MULTI, 5.13), the first time at once if
    /// there is some. Edges: what was told is not told again, and is perhaps told when it has been received already.
    pub fn poll_input(&mut self, file: File, token: Token) {
        let entry = opcode::PollAdd::new(Fd(file.descriptor()), INPUT).multi(true).build();
        self.push(entry, token);
    }
}

impl Completion {
    /// A poll has seen what a receive that falls short does not rule out: only one that finds nothing does.
    pub fn read_until_eagain(self) -> bool {
        self.result().is_ok_and(|events| events & ENDS != 0)
    }
}
