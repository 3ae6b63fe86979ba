//! Bundles (IORING_RECVSEND_BUNDLE, Linux 6.10): one completion for several buffers, which follow each other in the ring.
//!
//! Source: io_uring_prep_recv(3). The completion names the first buffer and counts all bytes. The others are those published
//! next, so the order of publishing is kept here. All are full but the last.
//!
//! A buffer is full when the length in its entry is reached, not when its memory is: a bundle that wants less than what is
//! left of its first buffer cuts that length, and Linux (6.18 does so) leaves the entry cut when nothing comes of the
//! receive. So the length is read from the entry, which the kernel leaves alone once it has consumed it.

use io_uring::types::BufRingEntry;

use super::{Bid, BufRing, Consumption, Lease};

/// In which order buffers were published.
#[derive(Debug)]
pub(super) struct Order {
    /// The buffer at each position of the ring.
    bids: Box<[Bid]>,
    /// Position of the buffer that the kernel fills next, as far as completions have told.
    head: u16,
    /// What the last bundle holds beyond the buffers that have been leased.
    rest_bytes: usize,
}

impl Order {
    pub(super) fn of(entries: usize) -> Self {
        Self { bids: vec![Bid(0); entries].into(), head: 0, rest_bytes: 0 }
    }

    pub(super) fn on_published(&mut self, position: usize, bid: Bid) {
        self.bids[position] = bid;
    }
}

impl BufRing {
    /// The same buffers, of which a receive may fill several.
    #[must_use]
    pub fn in_bundles(self) -> Self {
        Self { consumption: Consumption::InBundles(Order::of(self.capacity())), ..self }
    }

    /// Takes over the first buffer of a bundle of `len` bytes. [`next_of_bundle`](Self::next_of_bundle) has the others.
    ///
    /// # Panics
    /// If `bid` is not the one whose turn it was: the others could not be told, and two peers' bytes could mix.
    pub(super) fn lease_first(&mut self, bid: Bid, len: usize) -> Lease {
        let order = self.order().expect("bundles come where they are asked for");
        assert!(order.rest_bytes == 0, "{} bytes of the bundle before it were left", order.rest_bytes);
        let due = order.bids[usize::from(order.head) & (order.bids.len() - 1)];
        assert!(due == bid, "buffer {} was filled, and {} was next in the ring", bid.0, due.0);
        order.rest_bytes = len;
        self.lease_due()
    }

    /// The next buffer of the bundle that the last completion brought. They have to be taken, or the first one recycled,
    /// before the next completion is.
    pub fn next_of_bundle(&mut self) -> Option<Lease> {
        let rest_bytes = self.order()?.rest_bytes;
        (rest_bytes > 0).then(|| self.lease_due())
    }

    fn lease_due(&mut self) -> Lease {
        let mask = self.mask;
        let order = self.order().expect("bundles come where they are asked for");
        let (position, rest_bytes) = (usize::from(order.head & mask), order.rest_bytes);
        let bid = order.bids[position];
        order.head = order.head.wrapping_add(1);
        let len = rest_bytes.min(self.entry_len(position));
        let lease = self.lease(bid, len);
        self.order().expect("as above").rest_bytes = rest_bytes - len;
        lease
    }

    fn order(&mut self) -> Option<&mut Order> {
        match &mut self.consumption {
            Consumption::InBundles(order) => Some(order),
            _ => None,
        }
    }

    /// The length that the kernel went by, of a consumed entry.
    fn entry_len(&self, position: usize) -> usize {
        assert!(position <= usize::from(self.mask), "position {position} of a ring with mask {}", self.mask);
        // SAFETY: the mapping has `mask + 1` entries. This thread writes an entry only when it publishes, and the kernel is
        // done with one that it has consumed, which a completion told.
        let entry = unsafe { &*self.ring.base().cast::<BufRingEntry>().as_ptr().add(position) };
        entry.len() as usize
    }
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
