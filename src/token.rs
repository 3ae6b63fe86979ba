//! What a completion or a readiness event is about, packed into the kernel's 64 bits of user data.

use crate::slab::{Generation, Slot};

/// The operation a completion belongs to.
///
/// epoll only ever sees `Listener`, `Signal` and `Connection`; io_uring sees the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// Readiness of the listening socket.
    Listener = 1,
    /// Readiness of the signal descriptor.
    Signal = 2,
    /// Readiness of a connection.
    Connection = 3,
    /// An accept, multishot or single.
    Accept = 4,
    /// A receive into a provided buffer.
    Recv = 5,
    /// A send from a leased buffer.
    Send = 6,
    /// The close of a direct or plain descriptor.
    Close = 7,
    /// A request to cancel other operations.
    Cancel = 8,
    /// Whatever needs no answer: the close of a connection that no slot was free for.
    Discard = 9,
    /// A poll that tells when a connection is ready.
    Poll = 10,
    /// The shutdown of a connection that is about to be closed.
    Shutdown = 11,
}

impl Op {
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            1 => Self::Listener,
            2 => Self::Signal,
            3 => Self::Connection,
            4 => Self::Accept,
            5 => Self::Recv,
            6 => Self::Send,
            7 => Self::Close,
            8 => Self::Cancel,
            9 => Self::Discard,
            10 => Self::Poll,
            11 => Self::Shutdown,
            _ => return None,
        })
    }
}

/// `op` in bits 56–63, `generation` in 32–55, `slot` in 0–31.
///
/// The generation is what makes a late completion of a closed connection recognisable after its slot was
/// given to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What was asked of the kernel.
    pub op: Op,
    /// The slot's generation when it was asked.
    pub generation: Generation,
    /// The connection it was asked for; zero where there is none.
    pub slot: Slot,
}

impl Token {
    /// A token of an operation that belongs to no connection.
    pub const fn global(op: Op) -> Self {
        Self { op, generation: Generation::FIRST, slot: Slot(0) }
    }

    /// The 64 bits handed to the kernel.
    pub const fn to_bits(self) -> u64 {
        (self.op as u64) << 56 | (self.generation.get() as u64) << 32 | self.slot.0 as u64
    }

    /// The token the kernel handed back.
    ///
    /// # Panics
    /// On bits that no token of this process has: user data is returned unchanged, so that is a bug here.
    pub const fn from_bits(bits: u64) -> Self {
        let Some(op) = Op::from_bits((bits >> 56) as u8) else {
            panic!("user data names no operation");
        };
        Self { op, generation: Generation::from_bits((bits >> 32) as u32), slot: Slot(bits as u32) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_survives_the_kernel(op in 1u8..=11, generation in 0u32..1 << 24, slot: u32) {
            let token = Token {
                op: Op::from_bits(op).unwrap(),
                generation: Generation::from_bits(generation),
                slot: Slot(slot),
            };
            prop_assert_eq!(Token::from_bits(token.to_bits()), token);
        }
    }

    #[test]
    #[should_panic(expected = "names no operation")]
    fn foreign_user_data_is_a_bug() {
        Token::from_bits(0);
    }
}
