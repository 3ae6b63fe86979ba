//! Where the epoll engine keeps what a peer that does not read is still owed.
//!
//! Everyone shares one hot receive buffer; only a blocked send moves its rest here. Spill buffers are handed out
//! last-freed-first, so that memory in use is that of the most connections ever blocked at once.

use std::io;
use std::ops::Range;

use crate::sys::map::Map;
use crate::units::Bytes;

/// A spill buffer in use, and which of its bytes are still owed.
#[derive(Debug)]
pub(super) struct Spill {
    index: u32,
    owed: Range<usize>,
}

/// Spill buffers, one for every connection there can be, mapped at start and touched on first use.
pub(super) struct SpillPool {
    map: Map,
    buffer_bytes: usize,
    free: Vec<u32>,
}

impl SpillPool {
    /// `count` buffers of `buffer_bytes`.
    ///
    /// # Errors
    /// ENOMEM when the address space is exhausted.
    pub(super) fn new(count: usize, buffer_bytes: Bytes) -> io::Result<Self> {
        let map = Map::new(count * buffer_bytes.0)?;
        let free = (0..u32::try_from(count).map_err(io::Error::other)?).rev().collect();
        Ok(Self { map, buffer_bytes: buffer_bytes.0, free })
    }

    /// Copies `owed` into a free buffer.
    ///
    /// # Panics
    /// If none is free: there is one for each connection, so one was leaked.
    pub(super) fn keep(&mut self, owed: &[u8]) -> Spill {
        let index = self.free.pop().expect("there is a spill buffer for every connection");
        let start = index as usize * self.buffer_bytes;
        self.map.bytes_mut(start..start + self.buffer_bytes)[..owed.len()].copy_from_slice(owed);
        Spill { index, owed: start..start + owed.len() }
    }

    /// The bytes still owed.
    pub(super) fn owed(&self, spill: &Spill) -> &[u8] {
        self.map.bytes(spill.owed.clone())
    }

    /// Takes note that the kernel took the first `count` bytes.
    pub(super) const fn advance(spill: &mut Spill, count: usize) {
        spill.owed.start += count;
        assert!(spill.owed.start <= spill.owed.end, "more was sent than was kept");
    }

    /// How many buffers are free.
    #[cfg(test)]
    pub(super) fn unused(&self) -> usize {
        self.free.len()
    }

    /// Takes the buffer back.
    pub(super) fn release(&mut self, spill: Spill) {
        let Spill { index, .. } = spill;
        self.free.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_bytes_come_back_in_order_and_the_buffer_is_used_again() {
        let mut pool = SpillPool::new(2, Bytes(8)).unwrap();
        let mut first = pool.keep(b"abcdef");
        let second = pool.keep(b"12345678");
        SpillPool::advance(&mut first, 4);
        assert_eq!(pool.owed(&first), b"ef");
        assert_eq!(pool.owed(&second), b"12345678");
        let index = first.index;
        pool.release(first);
        assert_eq!(pool.keep(b"x").index, index);
    }
}
