//! The half behind the queues of an io_uring: operations that complete when they like.

use std::collections::VecDeque;

use io_uring::squeue;
use proptest::prelude::RngExt;

use super::entry::{Entry, What};
use super::provided::Provided;
use super::{FIRST_DESCRIPTOR, Fate, Stop};
use crate::sys::Errno;
use crate::sys::buf_ring::BufRing;
use crate::sys::queues::{Cqe, Queues};
use crate::sys::ring::Ring;
use crate::token::{Op, Token};
use crate::units::Nanos;

const F_BUFFER: u32 = 1 << 0;
const F_MORE: u32 = 1 << 1;
const F_SOCK_NONEMPTY: u32 = 1 << 2;
const BUFFER_SHIFT: u32 = 16;

/// Errors after which the same may be tried again.
const PASSING: [i32; 4] = [libc::EINTR, libc::EAGAIN, libc::ENOMEM, libc::ENOBUFS];

/// Queues with a kernel of their own at the other end.
pub(crate) struct FakeQueues {
    /// Chance, and the peers.
    pub(crate) fate: Fate,
    sq_entries: usize,
    cq_entries: usize,
    direct: bool,
    provided: Provided,
    queued: Vec<Entry>,
    pending: Vec<Entry>,
    completed: VecDeque<Cqe>,
    overflowed: VecDeque<Cqe>,
    /// User data of receives whose connections are closed.
    dead: Vec<u64>,
    /// How many more connections are accepted before the next enter: at most a backlog.
    accepts_left: usize,
    /// Everything is to be cancelled, which takes no time.
    cancelled: bool,
}

/// A ring with `buffers` and queues of `sq_entries` and `cq_entries`, over a fake kernel.
pub(crate) fn ring(
    fate: Fate,
    (sq_entries, cq_entries): (usize, usize),
    direct: bool,
    buffers: BufRing,
) -> Ring<FakeQueues> {
    let queues = FakeQueues {
        fate,
        sq_entries,
        cq_entries,
        direct,
        provided: Provided::of(&buffers),
        queued: Vec::new(),
        pending: Vec::new(),
        completed: VecDeque::new(),
        overflowed: VecDeque::new(),
        dead: Vec::new(),
        accepts_left: 0,
        cancelled: false,
    };
    Ring::over(queues, buffers, direct)
}

/// `count` bytes as a completion tells it.
fn result_of(count: usize) -> i32 {
    i32::try_from(count).expect("buffers are small")
}

impl Ring<FakeQueues> {
    /// The queues underneath.
    pub(crate) fn queues(&self) -> &FakeQueues {
        &self.queues
    }
}

impl FakeQueues {
    fn post(&mut self, cqe: Cqe) {
        let full = self.completed.len() >= self.cq_entries || !self.overflowed.is_empty();
        let queue = if full { &mut self.overflowed } else { &mut self.completed };
        queue.push_back(cqe);
    }

    /// Completes the pending operation at `index`, for good.
    fn finish(&mut self, index: usize, result: i32, flags: u32) -> bool {
        let entry = self.pending.swap_remove(index);
        self.post(Cqe { user_data: entry.user_data, result, flags });
        self.pending.extend(entry.then.map(|next| *next));
        true
    }

    fn fail(&mut self, index: usize, errno: Errno) -> bool {
        self.finish(index, -errno.0, 0)
    }

    fn fail_passing(&mut self, index: usize) -> bool {
        let errno = self.fate.any_of(&PASSING);
        self.fail(index, errno)
    }

    fn fail_fatally(&mut self, index: usize, errnos: &[i32]) -> bool {
        let errno = self.fate.fatal(errnos);
        self.fail(index, errno)
    }

    fn submit(&mut self) {
        let mut chain: Option<Entry> = None;
        for mut entry in self.queued.drain(..).rev() {
            if entry.linked {
                entry.then = chain.take().map(Box::new);
            }
            self.pending.extend(chain.replace(entry));
        }
        self.pending.extend(chain);
        // Linux cancels on submission, before anything else gets to run.
        let cancels = |entry: &Entry| matches!(entry.what, What::Cancel { .. } | What::CancelAll);
        while let Some(index) = self.pending.iter().position(cancels) {
            self.attempt(index);
        }
    }

    /// Lets a peer act or an operation go on. Returns whether there was anything to do.
    fn step(&mut self) -> bool {
        let peers_first = self.fate.random.random();
        (peers_first && self.fate.step()) || self.attempt_any() || (!peers_first && self.fate.step())
    }

    fn attempt_any(&mut self) -> bool {
        let first = self.fate.random.random_range(0..=self.pending.len());
        let count = self.pending.len();
        (0..count).any(|step| self.attempt((first + step) % count))
    }

    /// Does what can be done now of the operation at `index`. Returns whether anything was.
    fn attempt(&mut self, index: usize) -> bool {
        match self.pending[index].what {
            What::Accept { multishot } => self.accept(index, multishot),
            What::Recv { bytes_max, poll_first } => self.recv(index, bytes_max, poll_first),
            What::Send { addr, len, wait_all } => self.send(index, addr, len, wait_all),
            What::Shutdown => self.finish(index, 0, 0),
            What::Close => self.close(index),
            What::Poll => self.fate.stop == Stop::Raised && self.finish(index, i32::from(libc::POLLIN), 0),
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
        let ends = !multishot || self.completed.len() >= self.cq_entries || self.fate.errs();
        if ends {
            return self.finish(index, number, 0);
        }
        let user_data = self.pending[index].user_data;
        self.post(Cqe { user_data, result: number, flags: F_MORE });
        true
    }

    fn recv(&mut self, index: usize, bytes_max: usize, poll_first: bool) -> bool {
        let peer = self.fate.world.at(self.pending[index].file);
        let arrived_bytes = peer.arrived_bytes();
        if peer.reset {
            peer.broken = true;
            return self.fail_fatally(index, &[libc::ECONNRESET, libc::ETIMEDOUT]);
        }
        if arrived_bytes == 0 && !peer.finished {
            // A receive picks its buffer before it looks at the socket, unless it is to wait first.
            let looks = !poll_first && !std::mem::replace(&mut self.pending[index].waits, true);
            return looks && self.provided.is_empty() && self.finish(index, -libc::ENOBUFS, 0);
        }
        if self.fate.errs() {
            return self.fail_passing(index);
        }
        if arrived_bytes == 0 {
            let flags = if self.fate.random.random() { self.fill(&[]) } else { None };
            return self.finish(index, 0, flags.unwrap_or(0));
        }
        let most = arrived_bytes.min(bytes_max);
        self.receive(index, most)
    }

    /// Receives up to `most` bytes into a provided buffer.
    fn receive(&mut self, index: usize, most: usize) -> bool {
        let Some(buffer) = self.provided.take() else {
            return self.finish(index, -libc::ENOBUFS, 0);
        };
        let most = most.min(buffer.len());
        let count = if self.fate.errs() { self.fate.random.random_range(1..=most) } else { most };
        let peer = self.fate.world.at(self.pending[index].file);
        buffer.fill(peer.receive(count));
        let more = peer.arrived_bytes() > 0;
        // A hint: data may have come or gone since.
        let hint = if more != self.fate.errs() { F_SOCK_NONEMPTY } else { 0 };
        let flags = F_BUFFER | u32::from(buffer.bid.0) << BUFFER_SHIFT | hint;
        self.finish(index, result_of(count), flags)
    }

    /// Puts `bytes` into the next buffer and returns the flags that say so.
    fn fill(&mut self, bytes: &[u8]) -> Option<u32> {
        let buffer = self.provided.take()?;
        buffer.fill(bytes);
        Some(F_BUFFER | u32::from(buffer.bid.0) << BUFFER_SHIFT)
    }

    fn send(&mut self, index: usize, addr: u64, len: usize, wait_all: bool) -> bool {
        let sent_bytes = self.pending[index].sent_bytes;
        let peer = self.fate.world.at(self.pending[index].file);
        let room = peer.window_bytes().min(len - sent_bytes);
        if peer.reset && sent_bytes > 0 {
            return self.finish(index, result_of(sent_bytes), 0);
        }
        if peer.reset {
            peer.broken = true;
            return self.fail_fatally(index, &[libc::ECONNRESET, libc::EPIPE]);
        }
        if room == 0 {
            return false;
        }
        if sent_bytes == 0 && self.fate.errs() {
            return self.fail_passing(index);
        }
        let count = if self.fate.errs() { self.fate.random.random_range(1..=room) } else { room };
        let bytes = self.provided.read(addr + sent_bytes as u64, count);
        self.fate.world.at(self.pending[index].file).echo(&bytes);
        let sent_bytes = sent_bytes + count;
        self.pending[index].sent_bytes = sent_bytes;
        if sent_bytes == len || !wait_all || self.fate.errs() {
            return self.finish(index, result_of(sent_bytes), 0);
        }
        true
    }

    fn close(&mut self, index: usize) -> bool {
        let file = self.pending[index].file;
        let in_use = self.pending.iter().any(|entry| entry.file == file && entry.transfers());
        assert!(!in_use, "file {file} is closed with an operation outstanding");
        self.fate.world.close(file);
        self.finish(index, 0, 0)
    }

    fn cancel(&mut self, index: usize, target: u64) -> bool {
        let canceller = self.pending.swap_remove(index);
        let found = self.pending.iter().position(|entry| entry.user_data == target);
        let result = match found {
            None => -libc::ENOENT,
            // A worker has it. None ever has an accept, which waits by a poll.
            Some(found) if self.pending[found].transfers() && self.fate.errs() => -libc::EALREADY,
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
        while !self.pending.is_empty() {
            self.abort(0);
            count += 1;
        }
        self.post(Cqe { user_data: canceller.user_data, result: count, flags: 0 });
        true
    }

    fn abort(&mut self, index: usize) {
        let sent_bytes = self.pending[index].sent_bytes;
        self.finish(index, if sent_bytes > 0 { result_of(sent_bytes) } else { -libc::ECANCELED }, 0);
    }

    /// Completes something once more for a connection that is closed and whose slot may be another one's.
    fn complete_late(&mut self) {
        if self.dead.is_empty() || !self.fate.errs() {
            return;
        }
        let user_data = self.dead[self.fate.random.random_range(0..self.dead.len())];
        let bytes = [0xdd; 3];
        let filled = if self.fate.random.random() { self.fill(&bytes) } else { None };
        let result = filled.map_or(-libc::ECONNRESET, |_| result_of(bytes.len()));
        // With more to come, so that nobody counts it as the end of an operation.
        self.post(Cqe { user_data, result, flags: filled.unwrap_or(0) | F_MORE });
        self.fate.late += 1;
    }
}

impl Queues for FakeQueues {
    fn room(&mut self) -> usize {
        self.sq_entries - self.queued.len()
    }

    unsafe fn push(&mut self, entry: squeue::Entry) {
        assert!(self.room() > 0, "the submission queue is full");
        let entry = Entry::read(&entry, self.direct);
        self.cancelled |= entry.what == What::CancelAll;
        self.queued.push(entry);
    }

    fn overflowed(&mut self) -> bool {
        !self.overflowed.is_empty()
    }

    fn enter(&mut self, min_complete: u32, timeout: Option<Nanos>) -> Result<(), Errno> {
        self.fate.begin_wait()?;
        self.submit();
        self.accepts_left = self.fate.world.backlog_max;
        while self.completed.len() < self.cq_entries
            && let Some(cqe) = self.overflowed.pop_front()
        {
            self.completed.push_back(cqe);
        }
        self.complete_late();
        for _ in 0..self.fate.random.random_range(0..12) {
            self.step();
        }
        while self.completed.len() < min_complete as usize {
            let moved = self.step();
            if !(moved && self.cancelled) && self.fate.times_out(moved, timeout) {
                return Ok(());
            }
            if !moved {
                self.fate.on_exhausted();
            }
        }
        Ok(())
    }

    fn ready(&mut self) -> usize {
        self.completed.len()
    }

    fn pop(&mut self) -> Option<Cqe> {
        let cqe = self.completed.pop_front()?;
        let token = Token::from_bits(cqe.user_data);
        match token.op {
            Op::Close => self.dead.push(Token { op: Op::Recv, ..token }.to_bits()),
            Op::Signal if self.fate.stop == Stop::Raised => self.fate.tell_stop(),
            _ => {}
        }
        Some(cqe)
    }
}
