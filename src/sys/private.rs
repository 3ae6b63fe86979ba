//! Buffers of which each belongs to one connection: the kernel receives into it, and sends from it.
//!
//! Nothing is chosen and nothing is published. A buffer is asked for by the slot of its connection. While it is sent, a
//! receive into it may be queued only behind that send, linked to it: the kernel then begins it when all has been sent.

use std::io;
use std::ptr::NonNull;

use super::buf_ring::{Home, Lease};
use super::map::Map;
use crate::slab::Slot;
use crate::units::Bytes;

const CACHE_LINE: usize = 64;

/// Distance between buffers beyond their size, so that the beginnings of all do not compete for the same cache lines.
const COLOUR_BYTES: usize = 4 * CACHE_LINE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Nobody's but its connection's: no operation names it.
    Connection,
    /// A receive may write to it.
    Kernel,
    /// A lease's: what it holds is owed.
    Lease,
    /// A lease's, until all of it has been sent. Then it is the kernel's.
    LeaseThenKernel,
}

/// The buffers, one a slot. A page of them costs nothing until it is received into.
#[derive(Debug)]
pub struct PrivateBuffers {
    memory: Map,
    stride: usize,
    buffer_bytes: usize,
    owner: Box<[Owner]>,
}

impl PrivateBuffers {
    /// A buffer of `buffer_bytes` for each of `count` slots.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn new(count: usize, buffer_bytes: Bytes) -> io::Result<Self> {
        let stride = buffer_bytes.0.next_multiple_of(CACHE_LINE) + COLOUR_BYTES;
        Ok(Self {
            memory: Map::new(count * stride)?,
            stride,
            buffer_bytes: buffer_bytes.0,
            owner: vec![Owner::Connection; count].into(),
        })
    }

    /// Size of each in bytes.
    pub(super) const fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    /// Lends the buffer of `slot` to a receive, and says where it begins. With `after_send` the receive waits for the
    /// send of what the buffer holds.
    ///
    /// # Panics
    /// If it is not free for that: the receive would overwrite bytes that are owed.
    pub(super) fn lend(&mut self, slot: Slot, after_send: bool) -> NonNull<u8> {
        let (from, to) = if after_send {
            (Owner::Lease, Owner::LeaseThenKernel)
        } else {
            (Owner::Connection, Owner::Kernel)
        };
        let owner = &mut self.owner[slot.index()];
        assert!(*owner == from, "the buffer of slot {slot} is received into while {owner:?} owns it");
        *owner = to;
        self.addr(slot)
    }

    /// Takes over the buffer of `slot` from a receive that has ended with `len` bytes. None if that is none.
    ///
    /// # Panics
    /// If it was not lent or is smaller, or was filled before what it held had been sent.
    pub(super) fn end(&mut self, slot: Slot, len: usize) -> Option<Lease> {
        assert!(len <= self.buffer_bytes, "{len} bytes in a buffer of {}", self.buffer_bytes);
        let owner = &mut self.owner[slot.index()];
        *owner = match (*owner, len) {
            (Owner::Kernel, 0) => Owner::Connection,
            (Owner::LeaseThenKernel, 0) => Owner::Lease,
            (Owner::Kernel, _) => Owner::Lease,
            (owner, _) => panic!("the buffer of slot {slot} was filled while {owner:?} owns it"),
        };
        (len > 0).then_some(Lease { home: Home::Private(slot), start: 0, len })
    }

    /// The bytes of the buffer of `slot` are done with.
    ///
    /// # Panics
    /// If no lease owns it.
    pub(super) fn recycle(&mut self, slot: Slot) {
        let owner = &mut self.owner[slot.index()];
        *owner = match *owner {
            Owner::Lease => Owner::Connection,
            Owner::LeaseThenKernel => Owner::Kernel,
            owner => panic!("the buffer of slot {slot} was recycled while {owner:?} owns it"),
        };
    }

    /// Address of the first `len` bytes of the buffer of `slot`, from `offset` on.
    ///
    /// # Panics
    /// If `offset` is past them, or no lease owns the buffer.
    pub(super) fn leased(&self, slot: Slot, len: usize, offset: usize) -> (NonNull<u8>, usize) {
        let owner = self.owner[slot.index()];
        assert!(
            matches!(owner, Owner::Lease | Owner::LeaseThenKernel),
            "the buffer of slot {slot} is sent while {owner:?} owns it"
        );
        assert!(offset <= len && len <= self.buffer_bytes, "offset {offset} in a lease of {len} bytes");
        // SAFETY: `offset <= len <= buffer_bytes <= stride`, so this stays inside the buffer, which `addr` places
        // inside the mapping.
        (unsafe { self.addr(slot).add(offset) }, len - offset)
    }

    fn addr(&self, slot: Slot) -> NonNull<u8> {
        assert!(slot.index() < self.owner.len(), "there is no buffer for slot {slot}");
        // SAFETY: the mapping is `count * stride` bytes and the slot is below `count`.
        unsafe { self.memory.base().add(slot.index() * self.stride) }
    }

    /// Keeps the memory mapped for ever. For a ring that ends with operations outstanding: the kernel may still write.
    pub(super) fn leak(&mut self) {
        if let Ok(empty) = Map::new(1) {
            std::mem::forget(std::mem::replace(&mut self.memory, empty));
        }
    }
}

#[cfg(test)]
impl PrivateBuffers {
    /// Whether the buffer of `slot` belongs to whom it should: to a lease if `owes`, to the kernel if `receives`.
    pub(crate) fn is_with(&self, slot: Slot, owes: bool, receives: bool) -> bool {
        let owner = match (owes, receives) {
            (false, false) => Owner::Connection,
            (false, true) => Owner::Kernel,
            (true, false) => Owner::Lease,
            (true, true) => Owner::LeaseThenKernel,
        };
        self.owner[slot.index()] == owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffers() -> PrivateBuffers {
        PrivateBuffers::new(3, Bytes(100)).unwrap()
    }

    #[test]
    fn a_buffer_is_received_into_sent_and_received_into_again() {
        let mut buffers = buffers();
        let base = buffers.lend(Slot(1), false);
        let lease = buffers.end(Slot(1), 60).unwrap();
        assert_eq!((lease.home, lease.len), (Home::Private(Slot(1)), 60));
        let (addr, len) = buffers.leased(Slot(1), lease.len, 20);
        assert_eq!((addr.as_ptr() as usize - base.as_ptr() as usize, len), (20, 40));
        assert_eq!(buffers.lend(Slot(1), true), base);
        buffers.recycle(Slot(1));
        assert!(buffers.is_with(Slot(1), false, true));
        assert!(buffers.end(Slot(1), 0).is_none());
        assert!(buffers.is_with(Slot(1), false, false));
    }

    #[test]
    fn buffers_do_not_overlap_and_lie_inside_of_their_memory() {
        let mut buffers = buffers();
        let at = [0, 1, 2].map(|slot| buffers.lend(Slot(slot), false).as_ptr() as usize);
        assert!(at[1] - at[0] >= 100 && at[2] - at[1] >= 100, "{at:?}");
        let memory = buffers.memory.bytes(0..3 * buffers.stride);
        assert!(at[0] == memory.as_ptr() as usize && at[2] + 100 <= at[0] + memory.len());
    }

    #[test]
    fn a_receive_that_is_cancelled_before_its_turn_leaves_the_bytes_owed() {
        let mut buffers = buffers();
        buffers.lend(Slot(0), false);
        let _lease = buffers.end(Slot(0), 5).unwrap();
        buffers.lend(Slot(0), true);
        assert!(buffers.end(Slot(0), 0).is_none());
        assert!(buffers.is_with(Slot(0), true, false));
        buffers.recycle(Slot(0));
        buffers.lend(Slot(0), false);
    }

    #[test]
    #[should_panic(expected = "received into while Lease owns it")]
    fn bytes_that_are_owed_are_not_received_over() {
        let mut buffers = buffers();
        buffers.lend(Slot(0), false);
        let _lease = buffers.end(Slot(0), 5);
        buffers.lend(Slot(0), false);
    }

    #[test]
    #[should_panic(expected = "filled while LeaseThenKernel owns it")]
    fn a_buffer_that_is_filled_before_it_was_sent_is_a_bug() {
        let mut buffers = buffers();
        buffers.lend(Slot(0), false);
        let _lease = buffers.end(Slot(0), 5);
        buffers.lend(Slot(0), true);
        let _second = buffers.end(Slot(0), 5);
    }

    #[test]
    #[should_panic(expected = "recycled while Kernel owns it")]
    fn a_buffer_that_the_kernel_has_is_not_given_back() {
        let mut buffers = buffers();
        buffers.lend(Slot(0), false);
        buffers.recycle(Slot(0));
    }

    #[test]
    #[should_panic(expected = "sent while Kernel owns it")]
    fn a_buffer_that_the_kernel_may_write_to_is_not_sent() {
        let mut buffers = buffers();
        buffers.lend(Slot(0), false);
        buffers.leased(Slot(0), 5, 0);
    }
}
