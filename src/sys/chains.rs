//! Pairs of entries of which the second waits for the first, and what becomes of one that the kernel takes half of.
//!
//! The kernel ends a chain where a submission ends. Short of memory, it may take the first entry of a pair and leave the
//! second in the queue. Submitted later on its own, that one would run beside the first, and a receive would write over
//! bytes that are being sent. So a second entry that was left behind is taken out of the queue again, which the kernel
//! has not looked at, and completes as if it had been cancelled.

use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::{io, ptr};

use io_uring::IoUring;

use super::Errno;
use super::map::Map;

// From linux/io_uring.h; the crate keeps its copies private.
const OFF_SQES: i64 = 0x1000_0000;
const OP_NOP: u8 = 0;
const CQE_SKIP_SUCCESS: u8 = 1 << 6;

/// struct io_uring_sqe of linux/io_uring.h, as far as it matters here.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawEntry {
    opcode: u8,
    flags: u8,
    ioprio: u16,
    fd: i32,
    before_user_data: [u64; 3],
    user_data: u64,
    after_user_data: [u64; 3],
}

/// The first entry of a pair that is queued.
#[derive(Clone, Copy, Debug)]
struct First {
    /// How many entries were queued before it since the beginning.
    position: u32,
    /// It completes only if it falls short.
    quiet: bool,
}

/// The pairs in the submission queue of an io_uring.
pub(super) struct Chains {
    /// The entries of the submission queue, once more.
    entries: Map,
    mask: u32,
    /// How many entries the kernel has taken since the beginning. Wraps.
    taken: u32,
    queued: Vec<First>,
    /// User data of entries that were taken out again, and have not completed.
    severed: VecDeque<u64>,
}

impl Chains {
    /// No pairs in the submission queue of `uring`, of which nothing has been used yet.
    ///
    /// # Errors
    /// ENOMEM, when the queue cannot be mapped.
    pub(super) fn of(uring: &IoUring) -> io::Result<Self> {
        const { assert!(size_of::<RawEntry>() == 64) };
        let count = uring.params().sq_entries();
        let bytes = count as usize * size_of::<RawEntry>();
        Ok(Self {
            entries: Map::of_file(uring.as_raw_fd(), OFF_SQES, bytes)?,
            mask: count - 1,
            taken: 0,
            queued: Vec::with_capacity(count as usize),
            severed: VecDeque::with_capacity(8),
        })
    }

    /// Takes note of a first entry, which is pushed behind `ahead` others.
    pub(super) fn note(&mut self, ahead: usize, quiet: bool) {
        self.queued.push(First { position: self.taken.wrapping_add(ahead as u32), quiet });
    }

    /// # Panics
    /// If the last of `queued` entries waits for one that was not pushed.
    pub(super) fn assert_complete(&self, queued: u32) {
        let last = self.taken.wrapping_add(queued).wrapping_sub(1);
        let complete = self.queued.last().is_none_or(|first| first.position != last);
        assert!(complete, "the second entry of a pair was not pushed");
    }

    /// Takes note that the kernel has taken `count` of `queued` entries.
    ///
    /// # Errors
    /// ENOTRECOVERABLE when it took half of a pair whose first entry is quiet: what becomes of that one, nobody would
    /// ever learn.
    pub(super) fn on_taken(&mut self, count: u32, queued: u32) -> Result<(), Errno> {
        self.taken = self.taken.wrapping_add(count);
        if count == queued {
            self.queued.clear();
            return Ok(());
        }
        let last = self.taken.wrapping_sub(1);
        let cut = self.queued.iter().find(|first| first.position == last).copied();
        let taken = self.taken;
        self.queued.retain(|first| first.position.wrapping_sub(taken) < u32::MAX / 2);
        match cut {
            Some(First { quiet: true, .. }) => Err(Errno(libc::ENOTRECOVERABLE)),
            Some(_) => {
                self.sever();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Makes the entry at the head of the queue one that does nothing and says nothing.
    fn sever(&mut self) {
        let at = (self.taken & self.mask) as usize;
        let entry = self.entries.base().cast::<RawEntry>();
        // SAFETY: the mapping has `mask + 1` entries and outlives the call. The kernel reads an entry only in a submission
        // that gets to it, and this thread, which alone submits, is not in one. The queue holds an entry here, as the
        // last one taken was followed by its second. An entry is plain numbers, in which all zero is a NOP.
        let user_data = unsafe {
            let entry = entry.as_ptr().add(at);
            let user_data = (*entry).user_data;
            ptr::write_bytes(entry, 0, 1);
            (*entry).opcode = OP_NOP;
            (*entry).flags = CQE_SKIP_SUCCESS;
            user_data
        };
        self.severed.push_back(user_data);
    }

    /// How many entries were taken out again and have to complete.
    pub(super) fn severed(&self) -> usize {
        self.severed.len()
    }

    /// User data of the next of them.
    pub(super) fn pop_severed(&mut self) -> Option<u64> {
        self.severed.pop_front()
    }
}
