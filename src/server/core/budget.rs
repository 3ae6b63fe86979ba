//! How much one connection may receive before it is another one's turn.
//!
//! The budget is in bytes, not operations: with 64 KiB buffers four operations are a quantum of 256 KiB, and peers
//! with small messages wait behind it.

use crate::units::Bytes;

/// After how many bytes, or connections, an iteration that receives by itself ends and the kernel is asked what else is
/// ready: seldom enough that one busy connection is not charged a wait for each receive, often enough that neither a
/// connection that becomes ready nor a signal has to sit out a pass over ten thousand busy ones.
pub const ITERATION_BYTES: u64 = 256 << 10;
/// See [`ITERATION_BYTES`].
pub const ITERATION_CONNECTIONS: usize = if cfg!(test) { 3 } else { 256 }; // Few in tests, so that the simulation meets it.

/// Bytes a connection may receive in one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(usize);

impl Budget {
    /// A budget of `bytes`, at least 1.
    pub const fn new(bytes: Bytes) -> Self {
        assert!(bytes.0 > 0, "a budget of 0 bytes serves nobody");
        Self(bytes.0)
    }

    /// A fresh turn.
    pub const fn turn(self) -> Turn {
        Turn { left_bytes: self.0 }
    }

    /// Bytes received in `turn` so far, or the whole budget if it was overspent.
    pub const fn spent_bytes(self, turn: Turn) -> usize {
        self.0 - turn.left_bytes
    }
}

/// What is left of one connection's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    left_bytes: usize,
}

impl Turn {
    /// How many bytes to ask for, given a buffer of `buffer_bytes`.
    pub fn ask(self, buffer_bytes: usize) -> usize {
        self.left_bytes.min(buffer_bytes)
    }

    /// Takes note of `received_bytes`.
    pub const fn spend(&mut self, received_bytes: usize) {
        self.left_bytes = self.left_bytes.saturating_sub(received_bytes);
    }

    /// Whether the connection has to yield.
    pub const fn is_over(self) -> bool {
        self.left_bytes == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_never_asks_for_more_than_is_left() {
        let mut turn = Budget::new(Bytes(100)).turn();
        assert_eq!(turn.ask(64), 64);
        turn.spend(64);
        assert_eq!(turn.ask(64), 36);
        assert_eq!(Budget::new(Bytes(100)).spent_bytes(turn), 64);
        assert!(!turn.is_over());
        turn.spend(36);
        assert!(turn.is_over());
    }
}
