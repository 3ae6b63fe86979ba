//! The kernel's end of the rings of provided buffers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use crate::sys::buf_ring::Bid;

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

/// The rings, by the number of their group.
#[derive(Default)]
pub(super) struct Provided(BTreeMap<u16, Group>);

/// What the kernel knows of a ring: where it is, and how far it has been consumed.
pub(super) struct Group {
    base: *const BufRingEntry,
    mask: u16,
    head: u16,
    /// Whether buffers are filled piece by piece (IOU_PBUF_RING_INC).
    pub(super) incremental: bool,
}

impl Provided {
    /// # Panics
    /// If the group is known already, or the ring cannot be one.
    pub(super) fn register(&mut self, addr: u64, entries: u16, group: u16, incremental: bool) {
        assert!(
            entries.is_power_of_two() && addr.is_multiple_of(4096),
            "a ring of buffers that Linux refuses"
        );
        let ring = Group { base: addr as *const BufRingEntry, mask: entries - 1, head: 0, incremental };
        assert!(self.0.insert(group, ring).is_none(), "group {group} is registered twice");
    }

    /// Whether there is nothing to choose from in `group`.
    ///
    /// # Panics
    /// If nobody registered it: the receive could only ever fail.
    pub(super) fn is_empty(&self, group: u16) -> bool {
        self.of(group).published() == 0
    }

    /// # Panics
    /// As [`is_empty`](Self::is_empty).
    pub(super) fn of(&self, group: u16) -> &Group {
        self.0.get(&group).unwrap_or_else(|| panic!("no group {group}"))
    }

    /// # Panics
    /// As [`is_empty`](Self::is_empty).
    pub(super) fn of_mut(&mut self, group: u16) -> &mut Group {
        self.0.get_mut(&group).unwrap_or_else(|| panic!("no group {group}"))
    }

    /// The buffer at the head of the ring of `group`. It stays there if buffers are filled piece by piece.
    pub(super) fn take(&mut self, group: u16) -> Option<Taken> {
        if self.is_empty(group) {
            return None;
        }
        let ring = self.of_mut(group);
        let taken = ring.entry(ring.head);
        if !ring.incremental {
            ring.head = ring.head.wrapping_add(1);
        }
        Some(taken)
    }

    /// `len` bytes at `addr`, which a send names.
    ///
    /// # Panics
    /// If a receive could write there meanwhile.
    pub(super) fn read(&self, addr: u64, len: usize) -> Vec<u8> {
        self.0.values().for_each(|ring| ring.assert_not_published(addr, len));
        // SAFETY: a send's bytes lie in a leased buffer, which stays mapped as long as the kernel it is lent to.
        unsafe { std::slice::from_raw_parts(addr as *const u8, len) }.to_vec()
    }

    /// `len` bytes of `segments`, each an address and a length, from byte `from` on.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub(super) fn gather(&self, segments: &[(u64, usize)], from: usize, len: usize) -> Vec<u8> {
        let whole = segments.iter().flat_map(|&(addr, len)| self.read(addr, len));
        whole.skip(from).take(len).collect()
    }
}

impl Group {
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

    /// Whether there is room for `len` bytes in the buffer at the head.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.published() > 0 && self.entry(self.head).len >= len
    }

    /// How many bytes all buffers have room for.
    pub(super) fn room_bytes(&self) -> usize {
        (0..self.published()).map(|step| self.entry(self.head.wrapping_add(step)).len).sum()
    }

    /// Moves the beginning of the buffer at the head past `count` bytes, in its entry as Linux does, and leaves the buffer if
    /// that `ends` it.
    pub(super) fn advance(&mut self, count: usize, ends: bool) {
        self.rewrite_head(count, |len| len - count as u32);
        self.head = self.head.wrapping_add(u16::from(ends));
    }

    /// Cuts the length of the buffer at the head to `len_max`.
    pub(super) fn cut(&mut self, len_max: u32) {
        if self.published() > 0 {
            self.rewrite_head(0, |len| len.min(len_max));
        }
    }

    fn rewrite_head(&mut self, skip: usize, len: impl FnOnce(u32) -> u32) {
        // SAFETY: the masked position lies in the ring; its owner does not touch a published entry.
        let entry = unsafe { &mut *self.base.cast_mut().add(usize::from(self.head & self.mask)) };
        entry.set_addr(entry.addr() + skip as u64);
        entry.set_len(len(entry.len()));
    }

    fn assert_not_published(&self, addr: u64, len: usize) {
        for step in 0..self.published() {
            let buffer = self.entry(self.head.wrapping_add(step));
            let (start, end) = (buffer.addr as u64, buffer.addr as u64 + buffer.len as u64);
            assert!(
                addr >= end || addr + len as u64 <= start,
                "buffer {} is sent and published",
                buffer.bid.0
            );
        }
    }
}
