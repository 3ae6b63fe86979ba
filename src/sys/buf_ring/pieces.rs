//! Buffers that the kernel fills piece by piece (IOU_PBUF_RING_INC, Linux 6.12): what each receive brings is a piece of one.
//!
//! Source: io_uring_setup_buf_ring(3). The kernel moves the address and the length in the ring's entry as it goes. They are
//! never read back: a piece begins where the one before it ended. A buffer comes back to the pool when the kernel has said
//! that it is done with it and no piece of it is leased.

use super::{Bid, BufRing, Consumption, Home, Lease, Owner};

/// How far one buffer is used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    filled_bytes: usize,
    /// Pieces leased.
    pieces: usize,
}

/// How far all are.
#[derive(Debug)]
pub(super) struct Pieces {
    used: Box<[Used]>,
    /// What the published buffers have room for.
    free_bytes: usize,
}

impl Pieces {
    pub(super) fn of(buffers: usize) -> Self {
        Self { used: vec![Used::default(); buffers].into(), free_bytes: 0 }
    }

    /// A buffer of `bytes` is published, empty.
    ///
    /// # Panics
    /// If a piece of it is leased: it would be filled while it is sent.
    pub(super) fn on_published(&mut self, bid: Bid, bytes: usize) {
        let used = &mut self.used[usize::from(bid.0)];
        assert!(used.pieces == 0, "buffer {} is published with {} pieces leased", bid.0, used.pieces);
        used.filled_bytes = 0;
        self.free_bytes += bytes;
    }

    /// The next `len` bytes of a buffer of `bytes` are leased. Returns where they begin, and how many are left behind them.
    fn take(&mut self, bid: Bid, len: usize, bytes: usize) -> (usize, usize) {
        let used = &mut self.used[usize::from(bid.0)];
        let start = used.filled_bytes;
        assert!(len <= bytes - start, "{len} bytes from {start} on in a buffer of {bytes}");
        used.filled_bytes += len;
        used.pieces += 1;
        self.free_bytes -= len;
        (start, bytes - used.filled_bytes)
    }
}

impl BufRing {
    /// The same buffers, to be registered with IOU_PBUF_RING_INC.
    ///
    /// # Panics
    /// If they are not numbered from zero, as those of a group beside the shared one are not.
    #[must_use]
    pub fn in_pieces(self) -> Self {
        assert!(self.first == 0, "buffers from {} on are filled piece by piece", self.first);
        Self { consumption: Consumption::InPieces(Pieces::of(self.owner.len())), ..self }
    }

    /// How many more bytes the published buffers have room for.
    pub fn free_bytes(&self) -> usize {
        match &self.consumption {
            Consumption::InPieces(pieces) => pieces.free_bytes,
            _ => self.published * self.buffer_bytes,
        }
    }

    /// Takes over the next `len` bytes of buffer `bid`. The kernel goes on with the buffer if there is `more` of it.
    ///
    /// A completion without bytes never ends a buffer: Linux can leave out the flag then, though it goes on with the buffer.
    ///
    /// # Panics
    /// If that buffer was not published, or has less room: two peers' bytes could mix.
    pub(super) fn lease_piece(&mut self, bid: Bid, len: usize, more: bool) -> Lease {
        let owner = &mut self.owner[usize::from(bid.0)];
        assert!(*owner == Owner::Kernel, "a piece of buffer {} came while {owner:?} owns it", bid.0);
        let Consumption::InPieces(pieces) = &mut self.consumption else {
            unreachable!("buffers that are filled as a whole have no pieces")
        };
        let (start, left_bytes) = pieces.take(bid, len, self.buffer_bytes);
        if len > 0 && !more {
            pieces.free_bytes -= left_bytes;
            *owner = Owner::Lease;
            self.published -= 1;
        }
        Lease { home: Home::Provided(bid), start, len }
    }

    /// Takes back a piece, and its buffer if that was the last and the kernel is done.
    ///
    /// # Panics
    /// If none is leased.
    pub(super) fn recycle_piece(&mut self, bid: Bid) {
        let Consumption::InPieces(pieces) = &mut self.consumption else {
            unreachable!("buffers that are filled as a whole have no pieces")
        };
        let left = &mut pieces.used[usize::from(bid.0)].pieces;
        assert!(*left > 0, "a piece of buffer {} is recycled, and none is leased", bid.0);
        *left -= 1;
        let owner = &mut self.owner[usize::from(bid.0)];
        if *left == 0 && *owner == Owner::Lease {
            *owner = Owner::Pool;
            self.pool.push(bid);
        }
    }
}

#[cfg(test)]
impl BufRing {
    /// Whether no buffer is lost, none is there twice, and `leased` pieces are.
    pub(super) fn pieces_are_conserved(&self, leased: usize) -> bool {
        let Consumption::InPieces(pieces) = &self.consumption else { return false };
        let of = |owner: Owner| {
            let all = self.owner.iter().zip(&pieces.used);
            all.filter(move |(one, _)| **one == owner).map(|(_, used)| *used)
        };
        let left_bytes = |used: Used| self.buffer_bytes - used.filled_bytes;
        pieces.used.iter().map(|used| used.pieces).sum::<usize>() == leased
            && of(Owner::Pool).count() == self.pool.len()
            && of(Owner::Pool).all(|used| used.pieces == 0)
            && of(Owner::Lease).all(|used| used.pieces > 0)
            && of(Owner::Kernel).count() == self.published
            && of(Owner::Kernel).map(left_bytes).sum::<usize>() == pieces.free_bytes
    }
}

#[cfg(test)]
#[path = "pieces_tests.rs"]
mod tests;
