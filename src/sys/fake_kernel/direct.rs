//! Calls that a server on io_uring makes beside the ring, and the polls that tell it when.

use std::os::fd::RawFd;
use std::ptr::NonNull;

use proptest::prelude::RngExt;

use super::completion::F_MORE;
use super::queues::FakeQueues;
use crate::sys::Errno;
use crate::sys::calls::DirectCalls;
use crate::sys::queues::Cqe;

/// Errors other than `EAGAIN` after which the same call may be made again.
const PASSING: [i32; 3] = [libc::EINTR, libc::ENOMEM, libc::ENOBUFS];

impl DirectCalls for FakeQueues {
    unsafe fn recv(&mut self, fd: RawFd, addr: NonNull<u8>, len: usize) -> Result<usize, Errno> {
        let count = self.fate.received_by(fd, len)?;
        if self.fate.errs() {
            return Err(self.fate.any_of(&PASSING));
        }
        let bytes = self.fate.world.at(fd).receive(count);
        // SAFETY: the caller promises room for `len` bytes, and these are no more.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), addr.as_ptr(), count) };
        Ok(count)
    }

    unsafe fn send(&mut self, fd: RawFd, addr: NonNull<u8>, len: usize) -> Result<usize, Errno> {
        let sending = self.pending.iter().any(|entry| entry.file == fd && entry.sends());
        assert!(!sending, "file {fd} is sent to beside a send of the ring");
        self.fate.unless_reset(fd, &[libc::ECONNRESET, libc::EPIPE])?;
        let room = self.fate.world.at(fd).window_bytes().min(len);
        if room == 0 {
            return Err(Errno(libc::EAGAIN));
        }
        if self.fate.errs() {
            return Err(self.fate.any_of(&[libc::EAGAIN, libc::EINTR, libc::ENOMEM, libc::ENOBUFS]));
        }
        let count = if self.fate.errs() { self.fate.random.random_range(1..=room) } else { room };
        let bytes = self.provided.read(addr.as_ptr() as u64, count);
        self.fate.world.at(fd).echo(&bytes);
        Ok(count)
    }

    fn own(&mut self, fd: RawFd) -> Result<(), Errno> {
        self.fate.world.at(fd);
        if self.fate.errs() { Err(Errno(libc::ENOMEM)) } else { Ok(()) }
    }
}

impl FakeQueues {
    /// Tells of input at a connection if it was not told of yet. What was told may be received by now, since a poll
    /// passes on what woke it and does not look again.
    pub(super) fn watch(&mut self, index: usize, asked: u32) -> bool {
        let peer = self.fate.world.at(self.pending[index].file);
        let (now, end) = (peer.mark(), peer.finished || peer.reset);
        let (here, reset) = (peer.arrived_bytes() > 0 || end, peer.reset);
        let news = match self.pending[index].mark.replace(now) {
            Some(seen) => now.has_input_since(seen),
            None if self.fate.errs() && self.fate.errs() => return self.fail_passing(index),
            None => here,
        };
        if !news {
            return false;
        }
        let told = |holds: bool, events: i16| if holds { u32::from(events.cast_unsigned()) } else { 0 };
        let input = told(true, libc::POLLIN) | told(end, libc::POLLRDHUP);
        let events = (input & asked) | told(reset, libc::POLLERR | libc::POLLHUP);
        if self.completed.len() >= self.cq_entries || self.fate.errs() {
            return self.finish(index, events.cast_signed(), 0);
        }
        let user_data = self.pending[index].user_data;
        self.post(Cqe { user_data, result: events.cast_signed(), flags: F_MORE });
        true
    }
}
