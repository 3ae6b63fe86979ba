//! What each operation does, once it gets to run.

use proptest::prelude::RngExt;

use super::completion::{F_MORE, F_NOTIF, F_SOCK_NONEMPTY, result_of};
use super::entry::{Entry, Recv, What};
use super::provided::fill;
use super::queues::FakeQueues;
use super::{FIRST_DESCRIPTOR, Stop};
use crate::sys::queues::Cqe;

impl FakeQueues {
    /// Does what can be done now of the operation at `index`. Returns whether anything was.
    pub(super) fn attempt(&mut self, index: usize) -> bool {
        let entry = &self.pending[index];
        if let Some(other) = self.pending.iter().find(|other| other.clashes_with(entry)) {
            panic!("{entry:?} runs beside {other:?}");
        }
        match entry.what {
            What::Accept { multishot } => self.accept(index, multishot),
            What::Recv(recv) => self.recv(index, recv),
            What::RecvInto { addr, len, .. } => self.recv_into(index, addr, len),
            What::Send { addr, len, wait_all, .. } => self.send(index, addr, len, wait_all),
            What::SendVector { wait_all, .. } => {
                let len = self.pending[index].segments.iter().map(|segment| segment.1).sum();
                self.send(index, 0, len, wait_all)
            }
            What::Notify { addr } => self.notify(index, addr),
            What::Shutdown => self.shutdown(index),
            What::Close => self.close(index),
            What::Poll => self.fate.stop == Stop::Raised && self.finish(index, i32::from(libc::POLLIN), 0),
            What::Watch { asked } => self.watch(index, asked),
            What::Cancel { target } => self.cancel(index, target),
            What::CancelAll => self.cancel_all(index),
        }
    }

    fn accept(&mut self, index: usize, multishot: bool) -> bool {
        if self.accepts_left == 0 {
            return false;
        }
        let number = match self.fate.accept(if self.direct { 0 } else { FIRST_DESCRIPTOR }) {
            Ok(number) => number,
            Err(errno) if errno.would_block() => return false,
            Err(errno) => return self.fail(index, errno),
        };
        self.accepts_left -= 1;
        if !multishot || self.ends_early() {
            return self.finish(index, number, 0);
        }
        let user_data = self.pending[index].user_data;
        self.post(Cqe { user_data, result: number, flags: F_MORE });
        true
    }

    fn recv(&mut self, index: usize, how: Recv) -> bool {
        let peer = self.fate.world.at(self.pending[index].file);
        let arrived_bytes = peer.arrived_bytes();
        if peer.reset {
            return self.fail_fatally(index, &[libc::ECONNRESET, libc::ETIMEDOUT]);
        }
        if arrived_bytes == 0 && !peer.finished {
            // A receive picks its buffer before it looks at the socket, unless it is to wait first.
            let looks = !how.poll_first && !std::mem::replace(&mut self.pending[index].waits, true);
            return looks && self.provided.is_empty(how.group) && self.finish(index, -libc::ENOBUFS, 0);
        }
        if self.fate.errs() {
            return self.fail_passing(index);
        }
        if arrived_bytes == 0 {
            let flags = if self.fate.random.random() { self.fill(how.group, &[]) } else { None };
            return self.finish(index, 0, flags.unwrap_or(0));
        }
        if self.pending[index].is_bundle() {
            return self.receive_bundle(index, how);
        }
        let most = if how.bytes_max == 0 { arrived_bytes } else { arrived_bytes.min(how.bytes_max) };
        self.receive(index, how, most)
    }

    /// Receives into memory that the entry names.
    fn recv_into(&mut self, index: usize, addr: u64, len: usize) -> bool {
        let peer = self.fate.world.at(self.pending[index].file);
        let most = peer.arrived_bytes().min(len);
        if peer.reset {
            return self.fail_fatally(index, &[libc::ECONNRESET, libc::ETIMEDOUT]);
        }
        if most == 0 && !peer.finished {
            return false;
        }
        if self.fate.errs() {
            return self.fail_passing(index);
        }
        if most == 0 {
            return self.finish(index, 0, 0);
        }
        let count = if self.fate.errs() { self.fate.random.random_range(1..=most) } else { most };
        let peer = self.fate.world.at(self.pending[index].file);
        fill(addr, peer.receive(count));
        let more = peer.arrived_bytes() > 0;
        let flags = if more != self.fate.errs() { F_SOCK_NONEMPTY } else { 0 };
        self.finish(index, result_of(count), flags)
    }

    /// Receives up to `most` bytes into a provided buffer.
    fn receive(&mut self, index: usize, how: Recv, most: usize) -> bool {
        let Some(buffer) = self.provided.take(how.group) else {
            return self.finish(index, -libc::ENOBUFS, 0);
        };
        let most = most.min(buffer.len());
        let count = if self.fate.errs() { self.fate.random.random_range(1..=most) } else { most };
        let peer = self.fate.world.at(self.pending[index].file);
        buffer.fill(peer.receive(count));
        let more = peer.arrived_bytes() > 0;
        // A hint: data may have come or gone since.
        let hint = if more != self.fate.errs() { F_SOCK_NONEMPTY } else { 0 };
        let flags = self.hand_over(how.group, &buffer, count) | hint;
        let entry = &mut self.pending[index];
        entry.received_bytes += count;
        let limited = how.total_bytes > 0 && entry.received_bytes >= how.total_bytes;
        if !how.multishot || limited || self.ends_early() {
            return self.finish(index, result_of(count), flags);
        }
        // It may look again, though nothing is left, and picks a buffer before it does.
        self.pending[index].waits = self.fate.random.random();
        let user_data = self.pending[index].user_data;
        self.post(Cqe { user_data, result: result_of(count), flags: flags | F_MORE });
        true
    }

    /// Whether a multishot operation ends though it could go on: its completion overflows, or it has had its share.
    pub(super) fn ends_early(&mut self) -> bool {
        self.completed.len() >= self.cq_entries || self.fate.errs()
    }

    /// Puts `bytes` into the next buffer, if they find room in it, and returns the flags that say so.
    pub(super) fn fill(&mut self, group: u16, bytes: &[u8]) -> Option<u32> {
        let has_room = self.provided.of(group).has_room(bytes.len());
        let buffer = if has_room { self.provided.take(group)? } else { return None };
        buffer.fill(bytes);
        Some(self.hand_over(group, &buffer, bytes.len()))
    }

    fn send(&mut self, index: usize, addr: u64, len: usize, wait_all: bool) -> bool {
        let sent_bytes = self.pending[index].sent_bytes;
        let peer = self.fate.world.at(self.pending[index].file);
        let room = peer.window_bytes().min(len - sent_bytes);
        if peer.reset && sent_bytes > 0 {
            return self.finish_send(index, sent_bytes);
        }
        if peer.reset {
            return self.fail_fatally(index, &[libc::ECONNRESET, libc::EPIPE]);
        }
        if room == 0 {
            return false;
        }
        if sent_bytes == 0 && self.fate.errs() {
            return self.fail_passing(index);
        }
        let count = if self.fate.errs() { self.fate.random.random_range(1..=room) } else { room };
        let bytes = match &self.pending[index].segments[..] {
            [] => self.provided.read(addr + sent_bytes as u64, count),
            segments => self.provided.gather(segments, sent_bytes, count),
        };
        self.fate.world.at(self.pending[index].file).echo(&bytes);
        self.pending[index].read_again.extend_from_slice(&bytes);
        let sent_bytes = sent_bytes + count;
        self.pending[index].sent_bytes = sent_bytes;
        if sent_bytes == len || !wait_all || self.fate.errs() {
            return self.finish_send(index, sent_bytes);
        }
        true
    }

    /// Completes a send that took `sent_bytes`, one without a copy for the first time.
    fn finish_send(&mut self, index: usize, sent_bytes: usize) -> bool {
        let What::Send { addr, zero_copy: true, .. } = self.pending[index].what else {
            return self.finish(index, result_of(sent_bytes), 0);
        };
        let (result, entry) = (result_of(sent_bytes), &mut self.pending[index]);
        assert!(!entry.linked, "a receive that follows could write where the send still reads");
        let user_data = entry.user_data;
        entry.what = What::Notify { addr };
        self.post(Cqe { user_data, result, flags: F_MORE });
        true
    }

    /// # Panics
    /// If the bytes of a send without a copy are others by now.
    fn notify(&mut self, index: usize, addr: u64) -> bool {
        let entry = &self.pending[index];
        let bytes = self.provided.read(addr, entry.read_again.len());
        assert!(bytes == entry.read_again, "a buffer was used again before its notification");
        self.finish(index, 0, F_NOTIF)
    }

    /// A worker does it, later than whatever was asked for meanwhile.
    fn shutdown(&mut self, index: usize) -> bool {
        self.fate.world.at(self.pending[index].file);
        self.finish(index, 0, 0)
    }

    fn close(&mut self, index: usize) -> bool {
        let file = self.pending[index].file;
        let in_use = self.pending.iter().chain(&self.following).any(|entry| entry.uses(file));
        assert!(!in_use, "file {file} is closed with an operation outstanding");
        self.refusals -= usize::from(self.refusals > 0 && self.fate.world.at(file).excuse());
        self.fate.world.close(file);
        self.finish(index, 0, 0)
    }

    fn cancel(&mut self, index: usize, target: u64) -> bool {
        let canceller = self.pending.swap_remove(index);
        let found =
            self.pending.iter().position(|entry| entry.user_data == target && entry.can_be_cancelled());
        let result = match found {
            None => -libc::ENOENT,
            // A worker has it. None ever has an accept, which waits by a poll.
            Some(found) if self.pending[found].what.transfers() && self.fate.errs() => -libc::EALREADY,
            Some(found) => {
                self.abort(found);
                0
            }
        };
        self.post(Cqe { user_data: canceller.user_data, result, flags: 0 });
        true
    }

    fn cancel_all(&mut self, index: usize) -> bool {
        let canceller = self.pending.swap_remove(index);
        let mut count = 0;
        while let Some(index) = self.pending.iter().position(Entry::can_be_cancelled) {
            self.abort(index);
            count += 1;
        }
        self.post(Cqe { user_data: canceller.user_data, result: count, flags: 0 });
        true
    }

    fn abort(&mut self, index: usize) {
        match self.pending[index].sent_bytes {
            0 => self.finish(index, -libc::ECANCELED, 0),
            sent_bytes => self.finish_send(index, sent_bytes),
        };
    }
}
