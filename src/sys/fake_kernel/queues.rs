//! The half behind the queues of an io_uring: operations that complete when they like.

use std::collections::VecDeque;
use std::io;

use io_uring::squeue;
use proptest::prelude::RngExt;

use super::completion::{F_MORE, PASSING, result_of};
use super::entry::{Entry, What};
use super::provided::Provided;
use super::{Fate, Stop};
use crate::sys::Errno;
use crate::sys::buf_ring::BufRing;
use crate::sys::private::PrivateBuffers;
use crate::sys::queues::{Cqe, Queues};
use crate::sys::ring::Ring;
use crate::token::{Op, Token};
use crate::units::Nanos;

/// The group that all connections share.
const SHARED: u16 = 0;

/// Queues with a kernel of their own at the other end.
pub(crate) struct FakeQueues {
    /// Chance, and the peers.
    pub(crate) fate: Fate,
    sq_entries: usize,
    pub(super) cq_entries: usize,
    pub(super) direct: bool,
    pub(super) provided: Provided,
    queued: Vec<Entry>,
    /// Entries whose predecessors are done. Linux begins them a little later, and until then no cancellation finds them.
    pub(super) following: Vec<Entry>,
    /// User data of entries whose predecessors fell short. Linux says so a little later.
    severed: Vec<u64>,
    pub(super) pending: Vec<Entry>,
    pub(super) completed: VecDeque<Cqe>,
    overflowed: VecDeque<Cqe>,
    /// User data of receives whose connections are closed.
    dead: Vec<u64>,
    /// How many more connections are accepted before the next enter: at most a backlog.
    pub(super) accepts_left: usize,
    /// Groups of buffers that there was no memory for: each may cost a connection.
    pub(super) refusals: usize,
    /// Everything is to be cancelled, which takes no time.
    cancelled: bool,
}

/// A ring with `buffers` and queues of `sq_entries` and `cq_entries`, over a fake kernel.
pub(crate) fn ring(
    fate: Fate,
    (sq_entries, cq_entries): (usize, usize),
    direct: bool,
    (buffers, private): (BufRing, PrivateBuffers),
) -> Ring<FakeQueues> {
    let (addr, entries, group) = buffers.registration();
    let mut provided = Provided::default();
    provided.register(addr, entries, group, buffers.is_incremental());
    let queues = FakeQueues {
        fate,
        sq_entries,
        cq_entries,
        direct,
        provided,
        queued: Vec::new(),
        following: Vec::new(),
        severed: Vec::new(),
        pending: Vec::new(),
        completed: VecDeque::new(),
        overflowed: VecDeque::new(),
        dead: Vec::new(),
        accepts_left: 0,
        refusals: 0,
        cancelled: false,
    };
    Ring::over(queues, buffers, private, direct)
}

impl Ring<FakeQueues> {
    /// The queues underneath.
    pub(crate) fn queues(&self) -> &FakeQueues {
        &self.queues
    }
}

impl FakeQueues {
    pub(super) fn post(&mut self, cqe: Cqe) {
        let full = self.completed.len() >= self.cq_entries || !self.overflowed.is_empty();
        let queue = if full { &mut self.overflowed } else { &mut self.completed };
        queue.push_back(cqe);
    }

    /// Completes the pending operation at `index`, for good.
    pub(super) fn finish(&mut self, index: usize, result: i32, flags: u32) -> bool {
        let entry = self.pending.swap_remove(index);
        let breaks = entry.linked && entry.falls_short(result);
        if breaks || !entry.quiet {
            self.post(Cqe { user_data: entry.user_data, result, flags });
        }
        match entry.then {
            // It is cancelled, and of a quiet entry only the first is heard of.
            Some(_) if breaks && entry.quiet => {}
            Some(next) if breaks => self.severed.push(next.user_data),
            Some(next) => self.following.push(*next),
            None => {}
        }
        true
    }

    pub(super) fn fail(&mut self, index: usize, errno: Errno) -> bool {
        self.finish(index, -errno.0, 0)
    }

    pub(super) fn fail_passing(&mut self, index: usize) -> bool {
        let errno = self.fate.any_of(&PASSING);
        self.fail(index, errno)
    }

    /// Fails with an error that is the end of the connection. Both its receive and its send may be told of that.
    pub(super) fn fail_fatally(&mut self, index: usize, errnos: &[i32]) -> bool {
        let peer = self.fate.world.at(self.pending[index].file);
        let known = std::mem::replace(&mut peer.broken, true);
        let errno = if known { self.fate.any_of(errnos) } else { self.fate.fatal(errnos) };
        self.fail(index, errno)
    }

    /// Takes what is queued, or now and then, short of memory, only the first of it. Returns whether it took all.
    fn submit(&mut self) -> Result<bool, Errno> {
        let count = self.count_to_take();
        let all = count == self.queued.len();
        let cuts = !all && self.queued[count - 1].linked;
        let mut taken = self.queued.drain(..count);
        while let Some(mut entry) = taken.next() {
            entry.import();
            if entry.linked {
                entry.then = taken.next().map(Box::new);
            }
            self.pending.push(entry);
        }
        drop(taken);
        self.assert_one_receive_a_file();
        if cuts && self.pending.last().is_some_and(|first| first.quiet) {
            self.fate.is_lost = true;
            return Err(Errno(libc::ENOTRECOVERABLE));
        }
        if cuts {
            let user_data = self.queued.remove(0).user_data;
            self.completed.push_front(Cqe { user_data, result: -libc::ECANCELED, flags: 0 });
        }
        self.cancel_first();
        Ok(all)
    }

    /// How many of the queued entries are taken. A quiet pair is rarely cut, as that is the end of its server.
    fn count_to_take(&mut self) -> usize {
        let all = self.queued.len();
        if all == 0 || !self.fate.errs() {
            return all;
        }
        let count = self.fate.random.random_range(1..=all);
        let spared = self.queued[count - 1].quiet && !self.fate.random.random_ratio(1, 500);
        count + usize::from(spared)
    }

    /// Linux cancels on submission, before anything else gets to run.
    fn cancel_first(&mut self) {
        let cancels = |entry: &Entry| matches!(entry.what, What::Cancel { .. } | What::CancelAll);
        while let Some(index) = self.pending.iter().position(cancels) {
            self.attempt(index);
        }
    }

    /// Two receives would race for the next bytes of their file.
    fn assert_one_receive_a_file(&self) {
        let mut files: Vec<_> = self
            .pending
            .iter()
            .filter(|entry| matches!(entry.what, What::Recv(_) | What::RecvInto { .. }))
            .map(|one| one.file)
            .collect();
        let receives = files.len();
        files.sort_unstable();
        files.dedup();
        assert_eq!(files.len(), receives, "two receives of a file");
    }

    /// Lets a peer act or an operation go on. Returns whether there was anything to do.
    fn step(&mut self) -> bool {
        let waits = !self.following.is_empty() || !self.severed.is_empty();
        if waits && self.fate.random.random_ratio(1, 6) {
            self.go_on();
            return true;
        }
        self.step_any() || waits
    }

    /// Has the second entries of pairs follow, or be cancelled.
    fn go_on(&mut self) {
        self.pending.append(&mut self.following);
        for user_data in std::mem::take(&mut self.severed) {
            self.post(Cqe { user_data, result: -libc::ECANCELED, flags: 0 });
        }
    }

    fn step_any(&mut self) -> bool {
        let peers_first = self.fate.random.random();
        (peers_first && self.fate.step()) || self.attempt_any() || (!peers_first && self.fate.step())
    }

    fn attempt_any(&mut self) -> bool {
        let first = self.fate.random.random_range(0..=self.pending.len());
        let count = self.pending.len();
        (0..count).any(|step| self.attempt((first + step) % count))
    }

    /// Completes something once more for a connection that is closed and whose slot may be another one's.
    fn complete_late(&mut self) {
        if self.cancelled || self.dead.is_empty() || !self.fate.errs() {
            return;
        }
        let user_data = self.dead[self.fate.random.random_range(0..self.dead.len())];
        let bytes = [0xdd; 3];
        let filled = if self.fate.random.random() { self.fill(SHARED, &bytes) } else { None };
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

    unsafe fn push_linked(&mut self, entry: squeue::Entry, quiet: bool) {
        // SAFETY: the caller promises what the call asks for.
        unsafe { self.push(entry) };
        let last = self.queued.last().expect("it was just pushed");
        assert!(last.linked && last.quiet == quiet, "a pair is not what it is said to be");
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
        if !self.submit()? {
            return Ok(());
        }
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

    unsafe fn register_buffers(
        &mut self,
        addr: u64,
        entries: u16,
        group: u16,
        incremental: bool,
    ) -> io::Result<()> {
        // Refused at the start, there would be no server.
        if self.fate.world.connects > 0 && self.fate.errs() && self.fate.errs() {
            self.refusals += 1;
            self.fate.fatal_errors += 1;
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        }
        self.provided.register(addr, entries, group, incremental);
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
