//! A ring-mapped provided-buffer ring: memory lent to the kernel, which picks a buffer when data is there.
//!
//! Source: io_uring_register_buf_ring(3), io_uring_buf_ring_add(3). The kernel consumes the ring as a queue; the
//! address of a buffer follows from its id alone, never from its place in the ring.

mod bundle;
mod pieces;

use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use self::bundle::Order;
use self::pieces::Pieces;
use super::map::Map;
use crate::slab::Slot;
use crate::units::Bytes;

/// Number of a group of provided buffers: a receive names the group that the kernel is to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group(pub(super) u16);

impl Group {
    /// The group that all connections share.
    pub const SHARED: Self = Self(0);
}

/// Most bytes that the kernel registers in one piece.
const REGISTERED_BYTES_MAX: usize = 1 << 30;

const CACHE_LINE: usize = 64;

/// Distance between buffers beyond their size. Buffers a power of two apart begin in the same set of every cache level,
/// where small messages, which only use the beginning, would evict each other.
const COLOUR_BYTES: usize = 4 * CACHE_LINE;

/// Id of a provided buffer, one of its own among all groups of an io_uring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid(pub u16);

/// Where a filled buffer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// Among the provided buffers.
    Provided(Bid),
    /// It is the own buffer of the connection in this slot.
    Private(Slot),
}

/// A filled buffer that the kernel has handed over, or that a call fills, or a piece of one: owned by whoever holds this, until
/// it is recycled.
#[derive(Debug)]
#[must_use = "a lease that is dropped and not recycled loses its buffer"]
pub struct Lease {
    pub(super) home: Home,
    /// Where in the buffer it begins.
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Lease {
    /// How many bytes the kernel put in.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The same buffer, of whose bytes only the first `len` were filled.
    ///
    /// # Panics
    /// If more were filled than it has room for.
    pub(super) fn cut(self, len: usize) -> Self {
        assert!(len <= self.len, "{len} bytes in a buffer of {}", self.len);
        Self { len, ..self }
    }

    /// Whether it put in none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Which provided buffer it is.
    ///
    /// # Panics
    /// If it is none.
    pub(super) fn provided(&self) -> Bid {
        match self.home {
            Home::Provided(bid) => bid,
            Home::Private(slot) => panic!("the own buffer of slot {slot} is taken for a provided one"),
        }
    }
}

#[cfg(test)]
impl Lease {
    /// A lease of no ring.
    pub(crate) const fn for_test(bid: u16, len: usize) -> Self {
        Self { home: Home::Provided(Bid(bid)), start: 0, len }
    }

    /// Which buffer it is.
    pub(crate) fn bid_for_test(&self) -> u16 {
        self.provided().0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Waiting to be published.
    Pool,
    /// In the ring, the kernel's to fill.
    Kernel,
    /// A lease's.
    Lease,
}

/// How the kernel uses up what is published.
#[derive(Debug)]
enum Consumption {
    /// One receive, one buffer.
    Whole,
    /// Many receives share a buffer.
    InPieces(Pieces),
    /// One receive may fill several.
    InBundles(Order),
}

/// The ring and its buffers. Every buffer is in the pool, published or leased.
///
/// The pool is a stack: the buffer recycled last, whose bytes are still in cache, is published first.
#[derive(Debug)]
pub struct BufRing {
    group: Group,
    /// Its buffers are numbered from here on: a completion names a buffer and not its group.
    first: u16,
    ring: Map,
    memory: Map,
    stride: usize,
    buffer_bytes: usize,
    mask: u16,
    tail: u16,
    published: usize,
    pool: Vec<Bid>,
    owner: Box<[Owner]>,
    consumption: Consumption,
}

impl BufRing {
    /// `count` buffers of `buffer_bytes` each, of which at most `published_max` are in the ring at once.
    ///
    /// # Errors
    /// EINVAL for a count past 65,536 or a ring past 32,768 entries; ENOMEM.
    pub fn new(published_max: u16, count: usize, buffer_bytes: Bytes) -> io::Result<Self> {
        Self::of_group(Group::SHARED, published_max, 0..count, buffer_bytes)
    }

    /// The buffers numbered `ids`, of `buffer_bytes` each, as a group of their own.
    ///
    /// # Errors
    /// As [`new`](Self::new), of which the highest number is the count.
    pub(super) fn of_group(
        group: Group,
        published_max: u16,
        ids: Range<usize>,
        buffer_bytes: Bytes,
    ) -> io::Result<Self> {
        let entries = published_max.max(1).checked_next_power_of_two().unwrap_or(u16::MAX);
        if ids.end > 1 << 16 || entries > 1 << 15 || u32::try_from(buffer_bytes.0).is_err() {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let count = ids.len();
        let stride = buffer_bytes.0.next_multiple_of(CACHE_LINE) + COLOUR_BYTES;
        Ok(Self {
            group,
            first: ids.start as u16,
            ring: Map::new(usize::from(entries) * size_of::<BufRingEntry>())?,
            memory: Map::new(count * stride)?,
            stride,
            buffer_bytes: buffer_bytes.0,
            mask: entries - 1,
            tail: 0,
            published: 0,
            pool: ids.rev().map(|id| Bid(id as u16)).collect(),
            owner: vec![Owner::Pool; count].into(),
            consumption: Consumption::Whole,
        })
    }

    /// Address of the ring, its number of entries and of its group, for registration.
    pub(super) fn registration(&self) -> (u64, u16, u16) {
        (self.ring.base().as_ptr() as u64, self.mask + 1, self.group.0)
    }

    /// Whether every buffer is leased: there is none to publish, and none for the kernel to choose.
    pub const fn is_exhausted(&self) -> bool {
        self.published == 0 && self.pool.is_empty()
    }

    /// The memory of all buffers, in chunks that can be registered, no buffer across two of them.
    pub(super) fn chunks(&self) -> Vec<libc::iovec> {
        let (chunk_bytes, all_bytes) = (self.chunk_bytes(), self.owner.len() * self.stride);
        let chunk = |start: usize| libc::iovec {
            // SAFETY: `start` is below the length of the mapping.
            iov_base: unsafe { self.memory.base().add(start) }.as_ptr().cast(),
            iov_len: chunk_bytes.min(all_bytes - start),
        };
        (0..all_bytes).step_by(chunk_bytes).map(chunk).collect()
    }

    /// Which of the [`chunks`](Self::chunks) `lease` is in.
    pub(super) fn chunk_of(&self, lease: &Lease) -> u16 {
        let chunk = self.index(lease.provided()) * self.stride / self.chunk_bytes();
        u16::try_from(chunk).expect("there are fewer chunks than buffers")
    }

    /// As many buffers as the kernel registers in one piece.
    const fn chunk_bytes(&self) -> usize {
        REGISTERED_BYTES_MAX / self.stride * self.stride
    }

    /// Whether it is registered as one whose buffers the kernel fills piece by piece.
    pub(super) const fn is_incremental(&self) -> bool {
        matches!(self.consumption, Consumption::InPieces(_))
    }

    /// How many buffers the kernel can choose from.
    pub const fn published(&self) -> usize {
        self.published
    }

    /// How many buffers are published, or could be.
    pub const fn spare(&self) -> usize {
        self.published + self.pool.len()
    }

    /// How many buffers the ring can hold.
    pub fn capacity(&self) -> usize {
        usize::from(self.mask) + 1
    }

    /// Publishes buffers until the kernel can choose from `target` of them or the pool is empty.
    pub fn top_up(&mut self, target: usize) {
        let target = target.min(self.capacity());
        if self.published >= target {
            return;
        }
        while self.published < target {
            let Some(bid) = self.pool.pop() else { break };
            self.write_entry(bid);
        }
        self.publish_tail();
    }

    fn write_entry(&mut self, bid: Bid) {
        let index = self.index(bid);
        let owner = &mut self.owner[index];
        assert!(*owner == Owner::Pool, "buffer {} is published while {owner:?} owns it", bid.0);
        *owner = Owner::Kernel;
        let position = usize::from(self.tail & self.mask);
        let addr = self.addr(bid).as_ptr() as u64;
        let len = self.buffer_bytes as u32;
        // SAFETY: `position <= mask` and the mapping has `mask + 1` entries, so the pointer is in bounds and aligned.
        // `top_up` publishes only while fewer than `mask + 1` buffers are, so this entry is outside the window that
        // the kernel reads until `publish_tail`. The setters write addr, len and bid and leave the last two bytes of
        // the entry alone: in entry 0 they are the shared tail, which the kernel reads concurrently.
        unsafe {
            let entry = &mut *self.ring.base().cast::<BufRingEntry>().as_ptr().add(position);
            entry.set_addr(addr);
            entry.set_len(len);
            entry.set_bid(bid.0);
        }
        match &mut self.consumption {
            Consumption::Whole => {}
            Consumption::InPieces(pieces) => pieces.on_published(bid, self.buffer_bytes),
            Consumption::InBundles(order) => order.on_published(position, bid),
        }
        self.tail = self.tail.wrapping_add(1);
        self.published += 1;
    }

    fn publish_tail(&self) {
        let base = self.ring.base().cast::<BufRingEntry>().as_ptr();
        // SAFETY: `tail` gives the address of the last two bytes of entry 0, inside the mapping and aligned for a
        // u16. Only this thread writes it, and only through this atomic. The release store makes the entries written
        // before it visible to the kernel, which loads the tail with acquire.
        unsafe {
            AtomicU16::from_ptr(BufRingEntry::tail(base).cast_mut()).store(self.tail, Ordering::Release);
        };
    }

    /// Takes over what a completion says it brought: `len` bytes, in `bid` and perhaps in those after it. The kernel goes on
    /// with the buffer if there is `more` of it.
    ///
    /// # Panics
    /// As [`lease`](Self::lease).
    pub(super) fn receive(&mut self, bid: Bid, len: usize, more: bool) -> Lease {
        match self.consumption {
            Consumption::Whole => self.lease(bid, len),
            Consumption::InPieces(_) => self.lease_piece(bid, len, more),
            Consumption::InBundles(_) => self.lease_first(bid, len),
        }
    }

    /// Takes over buffer `bid`, which a completion says the kernel put `len` bytes into.
    ///
    /// # Panics
    /// If that buffer was not published, or is smaller: the accounting is broken and two peers' bytes could mix.
    pub fn lease(&mut self, bid: Bid, len: usize) -> Lease {
        let index = self.index(bid);
        let owner = &mut self.owner[index];
        assert!(*owner == Owner::Kernel, "buffer {} was filled while {owner:?} owns it", bid.0);
        assert!(len <= self.buffer_bytes, "{len} bytes in a buffer of {}", self.buffer_bytes);
        *owner = Owner::Lease;
        self.published -= 1;
        Lease { home: Home::Provided(bid), start: 0, len }
    }

    /// Hands out the buffer recycled last, with room for `bytes_max`, to be filled without the kernel's choosing.
    pub(super) fn take(&mut self, bytes_max: usize) -> Option<(Lease, NonNull<u8>)> {
        let bid = self.pool.pop()?;
        let index = self.index(bid);
        let owner = &mut self.owner[index];
        assert!(*owner == Owner::Pool, "buffer {} is handed out while {owner:?} owns it", bid.0);
        *owner = Owner::Lease;
        let lease = Lease { home: Home::Provided(bid), start: 0, len: bytes_max.min(self.buffer_bytes) };
        Some((lease, self.addr(bid)))
    }

    /// Takes a buffer, if there is one to give, back into the pool, and with it what nobody took of its bundle.
    pub(super) fn recycle(&mut self, lease: impl Into<Option<Lease>>) {
        let Some(lease) = lease.into() else { return };
        let bid = lease.provided();
        match self.consumption {
            Consumption::Whole => {}
            Consumption::InPieces(_) => return self.recycle_piece(bid),
            Consumption::InBundles(_) => {
                while let Some(rest) = self.next_of_bundle() {
                    self.recycle_whole(rest.provided());
                }
            }
        }
        self.recycle_whole(bid);
    }

    fn recycle_whole(&mut self, bid: Bid) {
        let index = self.index(bid);
        let owner = &mut self.owner[index];
        assert!(*owner == Owner::Lease, "buffer {} was recycled while {owner:?} owns it", bid.0);
        *owner = Owner::Pool;
        self.pool.push(bid);
    }

    /// Address of the bytes of `lease` from `offset` on.
    ///
    /// # Panics
    /// If `offset` is past them.
    pub(super) fn leased(&self, lease: &Lease, offset: usize) -> (NonNull<u8>, usize) {
        assert!(offset <= lease.len, "offset {offset} in a lease of {} bytes", lease.len);
        // SAFETY: `offset <= len` and `start + len <= buffer_bytes <= stride`, so this stays inside the buffer, which `addr`
        // places inside the mapping.
        (unsafe { self.addr(lease.provided()).add(lease.start + offset) }, lease.len - offset)
    }

    fn addr(&self, bid: Bid) -> NonNull<u8> {
        let index = self.index(bid);
        assert!(index < self.owner.len(), "there is no buffer {}", bid.0);
        // SAFETY: the mapping is `count * stride` bytes and `index < count`.
        unsafe { self.memory.base().add(index * self.stride) }
    }

    /// Place of buffer `bid` in this memory; past the end if it is another ring's.
    fn index(&self, bid: Bid) -> usize {
        usize::from(bid.0.wrapping_sub(self.first))
    }

    /// Keeps the memory mapped for ever. For a ring that ends with operations outstanding: the kernel may still write.
    pub(super) fn leak(&mut self) {
        for map in [&mut self.ring, &mut self.memory] {
            if let Ok(empty) = Map::new(1) {
                std::mem::forget(std::mem::replace(map, empty));
            }
        }
    }
}

#[cfg(test)]
#[path = "buf_ring_tests.rs"]
mod tests;
