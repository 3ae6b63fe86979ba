//! What the kernel says became of an operation.

use io_uring::cqueue;

use super::Errno;
use super::buf_ring::Bid;
use super::queues::Cqe;
use crate::token::Token;

/// A completion queue entry.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// What was asked.
    pub token: Token,
    result: i32,
    flags: u32,
}

impl Completion {
    pub(crate) const fn of(cqe: Cqe) -> Self {
        Self { token: Token::from_bits(cqe.user_data), result: cqe.result, flags: cqe.flags }
    }

    /// How it ended: a count, a descriptor, or an errno.
    ///
    /// # Errors
    /// The negated result.
    pub fn result(self) -> Result<usize, Errno> {
        usize::try_from(self.result).map_err(|_| Errno(-self.result))
    }

    /// More completions of this operation follow (IORING_CQE_F_MORE).
    pub fn has_more(self) -> bool {
        cqueue::more(self.flags)
    }

    /// It tells nothing but that the buffer of a zero-copy send is free again (IORING_CQE_F_NOTIF).
    pub fn is_notification(self) -> bool {
        cqueue::notif(self.flags)
    }

    /// More data was queued when this receive completed (IORING_CQE_F_SOCK_NONEMPTY).
    pub fn sock_nonempty(self) -> bool {
        cqueue::sock_nonempty(self.flags)
    }

    /// The kernel goes on with the buffer that came with it (IORING_CQE_F_BUF_MORE).
    pub(super) fn has_more_of_buffer(self) -> bool {
        cqueue::buffer_more(self.flags)
    }

    /// The buffer that came with it.
    pub(super) fn bid(self) -> Option<Bid> {
        cqueue::buffer_select(self.flags).map(Bid)
    }
}
