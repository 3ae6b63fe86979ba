//! The kernel's end of a ring of provided buffers.

use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use crate::sys::buf_ring::{Bid, BufRing};

/// A buffer taken from the ring.
pub(super) struct Taken {
    pub(super) bid: Bid,
    addr: *mut u8,
    len: usize,
}

impl Taken {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// # Panics
    /// If `bytes` do not fit.
    pub(super) fn fill(&self, bytes: &[u8]) {
        assert!(bytes.len() <= self.len, "{} bytes for a buffer of {}", bytes.len(), self.len);
        fill(self.addr as u64, bytes);
    }
}

/// Writes `bytes` to `addr`, where a receive may put at least so many.
pub(super) fn fill(addr: u64, bytes: &[u8]) {
    // SAFETY: whoever asked for the receive lent or published these bytes at `addr`, and does not touch them until the
    // completion.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), addr as *mut u8, bytes.len()) };
}

/// What the kernel knows of a ring: where it is, and how far it has been consumed.
pub(super) struct Provided {
    base: *const BufRingEntry,
    mask: u16,
    head: u16,
}

impl Provided {
    /// The ring that `buffers` would register.
    pub(super) fn of(buffers: &BufRing) -> Self {
        let (addr, entries) = buffers.registration();
        Self { base: addr as *const BufRingEntry, mask: entries - 1, head: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.published() == 0
    }

    fn published(&self) -> u16 {
        // SAFETY: the tail lies in the ring, which outlives the kernel that it is registered with; it is only
        // accessed as an atomic.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.base).cast_mut()) };
        tail.load(Ordering::Acquire).wrapping_sub(self.head)
    }

    fn entry(&self, position: u16) -> Taken {
        // SAFETY: the masked position lies in the ring; its owner writes an entry before the tail passes it.
        let entry = unsafe { &*self.base.add(usize::from(position & self.mask)) };
        Taken { bid: Bid(entry.bid()), addr: entry.addr() as *mut u8, len: entry.len() as usize }
    }

    /// The buffer at the head.
    pub(super) fn take(&mut self) -> Option<Taken> {
        if self.is_empty() {
            return None;
        }
        self.head = self.head.wrapping_add(1);
        Some(self.entry(self.head.wrapping_sub(1)))
    }

    /// `len` bytes at `addr`, which a send names.
    ///
    /// # Panics
    /// If a receive could write there meanwhile.
    pub(super) fn read(&self, addr: u64, len: usize) -> Vec<u8> {
        for step in 0..self.published() {
            let buffer = self.entry(self.head.wrapping_add(step));
            let (start, end) = (buffer.addr as u64, buffer.addr as u64 + buffer.len as u64);
            assert!(
                addr >= end || addr + len as u64 <= start,
                "buffer {} is sent and published",
                buffer.bid.0
            );
        }
        // SAFETY: a send's bytes lie in a leased buffer, which stays mapped as long as the kernel it is lent to.
        unsafe { std::slice::from_raw_parts(addr as *const u8, len) }.to_vec()
    }
}
