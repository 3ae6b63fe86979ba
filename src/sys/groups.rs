//! Groups of provided buffers beside the one that all connections share, so that who holds the buffers of one group takes none
//! of another's.

use std::io;

use super::Errno;
use super::buf_ring::{Bid, BufRing, Group, Lease};
use super::queues::Queues;
use crate::units::Bytes;

/// Buffer groups of one size, numbered on from the shared one, as are their buffers.
///
/// All of their memory is mapped when they are made, and none of it touched. The kernel learns of a group when it is opened.
#[derive(Debug)]
pub struct Groups {
    /// Number of the first buffer.
    first: usize,
    each: usize,
    rings: Box<[BufRing]>,
    opened: Box<[bool]>,
}

impl Groups {
    /// `count` groups of `each` buffers of `buffer_bytes`, whose numbers begin at `first`.
    ///
    /// # Errors
    /// EINVAL for more than 65,536 buffers in all, groups included, or 32,768 in a group; ENOMEM.
    pub fn new(first: usize, count: usize, each: usize, buffer_bytes: Bytes) -> io::Result<Self> {
        let most = u16::try_from(each).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        if first + count * each > 1 << 16 {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let ring = |index: usize| {
            let ids = first + index * each..first + (index + 1) * each;
            BufRing::of_group(Self::group(index), most, ids, buffer_bytes)
        };
        let rings = (0..count).map(ring).collect::<io::Result<_>>()?;
        Ok(Self { first, each, rings, opened: vec![false; count].into() })
    }

    /// No group beside the shared one.
    pub fn none() -> Self {
        Self { first: 1 << 16, each: 1, rings: [].into(), opened: [].into() }
    }

    /// The group at `index`.
    ///
    /// # Panics
    /// If the kernel has no number for it.
    pub fn group(index: usize) -> Group {
        Group(u16::try_from(index + 1).expect("groups are numbered in 16 bits"))
    }

    /// Buffers of each group, a count.
    pub const fn each(&self) -> usize {
        self.each
    }

    /// The buffers of the group at `index`.
    pub fn at(&mut self, index: usize) -> &mut BufRing {
        &mut self.rings[index]
    }

    /// Whether `bid` is a buffer of one of these groups.
    pub(super) fn have(&self, bid: Bid) -> bool {
        usize::from(bid.0) >= self.first
    }

    /// The group that buffer `bid` is of.
    pub(super) fn of(&mut self, bid: Bid) -> &mut BufRing {
        &mut self.rings[(usize::from(bid.0) - self.first) / self.each]
    }

    /// Makes the group at `index` known to the kernel, unless it is.
    pub(super) fn open(&mut self, index: usize, queues: &mut impl Queues) -> Result<(), Errno> {
        if self.opened[index] {
            return Ok(());
        }
        let (addr, entries, group) = self.rings[index].registration();
        let incremental = self.rings[index].is_incremental();
        // SAFETY: the address is that of a page-aligned mapping with room for `entries` entries. The ring that owns both
        // drops its queues before its buffers, or leaks these.
        let result = unsafe { queues.register_buffers(addr, entries, group, incremental) };
        result.map_err(|error| Errno::of(&error))?;
        self.opened[index] = true;
        Ok(())
    }

    /// Where the bytes of `lease` from `offset` on are, and how many.
    pub(super) fn leased(&self, lease: &Lease, offset: usize) -> (std::ptr::NonNull<u8>, usize) {
        let index = (usize::from(lease.provided().0) - self.first) / self.each;
        self.rings[index].leased(lease, offset)
    }

    /// Keeps the memory mapped for ever.
    pub(super) fn leak(&mut self) {
        self.rings.iter_mut().for_each(BufRing::leak);
    }
}

#[cfg(test)]
#[path = "groups_tests.rs"]
mod tests;
