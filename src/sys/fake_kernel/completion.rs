//! What a completion says, in the kernel's numbers.

pub(super) const F_BUFFER: u32 = 1 << 0;
pub(super) const F_MORE: u32 = 1 << 1;
pub(super) const F_NOTIF: u32 = 1 << 3;
pub(super) const F_SOCK_NONEMPTY: u32 = 1 << 2;
pub(super) const F_BUF_MORE: u32 = 1 << 4;
pub(super) const BUFFER_SHIFT: u32 = 16;

/// Errors after which the same may be tried again.
pub(super) const PASSING: [i32; 4] = [libc::EINTR, libc::EAGAIN, libc::ENOMEM, libc::ENOBUFS];

/// `count` bytes as a completion tells it.
pub(super) fn result_of(count: usize) -> i32 {
    i32::try_from(count).expect("buffers are small")
}
