//! Message headers with their segments, for sends of several buffers (IORING_OP_SENDMSG).
//!
//! The kernel copies a header and its segments when it takes an entry from the submission queue (IORING_FEAT_SUBMIT_STABLE,
//! Linux 5.5). So there is one place for each entry that the queue can hold, and a place is written again only after the
//! queue has turned over.

use std::io;
use std::ptr::{self, NonNull};

use super::map::Map;

/// A place in memory for the header and the segments of each queued send.
#[derive(Debug)]
pub(super) struct Vectors {
    memory: Map,
    places: usize,
    segments_max: usize,
    next: usize,
}

impl Vectors {
    /// Places for `places` sends of at most `segments_max` segments each.
    ///
    /// # Errors
    /// ENOMEM.
    pub(super) fn new(places: usize, segments_max: usize) -> io::Result<Self> {
        let memory = Map::new(places * place_bytes(segments_max))?;
        Ok(Self { memory, places, segments_max, next: 0 })
    }

    /// Writes a message of the first `segments`, as far as they find room. Returns its header and how many bytes it has.
    pub(super) fn write(
        &mut self,
        segments: impl Iterator<Item = (NonNull<u8>, usize)>,
    ) -> (*const libc::msghdr, usize) {
        let place = self.next * place_bytes(self.segments_max);
        self.next = (self.next + 1) % self.places;
        let (mut count, mut bytes) = (0, 0);
        // SAFETY: `next < places`, so the place lies in the mapping, which is zeroed, page-aligned and has room in each place
        // for one header and `segments_max` segments; a place's size is a multiple of their alignment. A header of zeros is
        // valid. Nobody else refers to the place: the kernel reads it only while it takes entries from the queue.
        unsafe {
            let header = self.memory.base().as_ptr().add(place).cast::<libc::msghdr>();
            let first = header.add(1).cast::<libc::iovec>();
            for (addr, len) in segments.take(self.segments_max) {
                ptr::write(first.add(count), libc::iovec { iov_base: addr.as_ptr().cast(), iov_len: len });
                count += 1;
                bytes += len;
            }
            (*header).msg_iov = first;
            (*header).msg_iovlen = count as _;
            (header, bytes)
        }
    }
}

const fn place_bytes(segments_max: usize) -> usize {
    const { assert!(align_of::<libc::msghdr>() == align_of::<libc::iovec>()) };
    size_of::<libc::msghdr>() + segments_max * size_of::<libc::iovec>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would read.
    fn segments_of(header: *const libc::msghdr) -> Vec<(usize, usize)> {
        // SAFETY: `write` has just filled the header in, and the segments behind it.
        let segments = unsafe { std::slice::from_raw_parts((*header).msg_iov, (*header).msg_iovlen) };
        segments.iter().map(|one| (one.iov_base.addr(), one.iov_len)).collect()
    }

    #[test]
    fn a_message_stays_as_it_was_written_until_the_queue_has_turned_over() {
        let mut vectors = Vectors::new(3, 2).unwrap();
        let segment = |at: usize| (NonNull::without_provenance(at.try_into().unwrap()), at + 1);
        let write = |vectors: &mut Vectors, at| vectors.write((at..at + 3).map(segment));
        let queued = [10, 20, 30].map(|at| (at, write(&mut vectors, at)));
        for (at, (header, bytes)) in queued {
            assert_eq!(segments_of(header), [(at, at + 1), (at + 1, at + 2)]);
            assert_eq!(bytes, 2 * at + 3);
        }
        assert_eq!(write(&mut vectors, 40).0, queued[0].1.0);
    }
}
