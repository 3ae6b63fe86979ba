//! Receives that go on after their first completion: what they have in their entry that the `io-uring` crate has no name for. Source: io_uring_prep_recv(3).

use io_uring::squeue;

const RECV_MULTISHOT: u16 = 1 << 1; // From linux/io_uring.h; the crate keeps its copy private.

/// How often one receive receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shots {
    /// Once.
    One,
    /// Until a completion has no more (IORING_RECV_MULTISHOT, 6.0). Each receives what fits in its buffer, whatever `bytes_max`.
    Many,
    /// As [`Many`](Self::Many), at most `bytes_max` each, and no more once it has received this many bytes (6.17).
    Until {
        /// The limit. The last completion may go beyond it.
        total_bytes: u32,
    },
}

/// The flag that makes a receive go on after its first completion.
pub(super) fn ioprio(shots: Shots) -> u16 {
    if shots == Shots::One { 0 } else { RECV_MULTISHOT }
}

/// `entry` with the total that it may receive (`sqe.optlen`).
pub(super) fn limited(mut entry: squeue::Entry, shots: Shots) -> squeue::Entry {
    if let Shots::Until { total_bytes } = shots {
        set_optlen(&mut entry, total_bytes);
    }
    entry
}

/// Sets `sqe.optlen`.
pub(super) fn set_optlen(entry: &mut squeue::Entry, bytes: u32) {
    const OPTLEN_AT: usize = 44;
    const { assert!(size_of::<squeue::Entry>() == 64) };
    let sqe = (&raw mut *entry).cast::<u8>();
    // SAFETY: an `Entry` is the kernel's 64-byte struct io_uring_sqe (`repr(C)`, its size is asserted), so bytes 44 to
    // 47 are inside of it, and any bits are valid there.
    unsafe { sqe.add(OPTLEN_AT).cast::<u32>().write_unaligned(bytes) };
}
