//! What the kernel is doing for a connection.

use std::fmt;

use crate::token::Op;

/// The operations of one connection that have not completed for good: at most one of a kind.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct InFlight(u16);

impl InFlight {
    const fn bit(op: Op) -> u16 {
        1 << op as u16
    }

    /// Takes note that `op` was asked for.
    ///
    /// # Panics
    /// If one is under way: two receives would race for the next bytes, two sends for their place in the stream.
    pub(super) fn begin(&mut self, op: Op) {
        assert!(!self.has(op), "{op:?} is asked for twice");
        self.0 |= Self::bit(op);
    }

    /// Takes note of the last completion of `op`.
    ///
    /// # Panics
    /// If none was under way.
    pub(super) fn end(&mut self, op: Op) {
        assert!(self.has(op), "{op:?} ends and was not asked for");
        self.0 &= !Self::bit(op);
    }

    /// Takes note that `op` is over, if it was under way.
    pub(super) const fn forget(&mut self, op: Op) {
        self.0 &= !Self::bit(op);
    }

    /// Whether `op` is under way.
    pub(super) const fn has(self, op: Op) -> bool {
        self.0 & Self::bit(op) != 0
    }

    /// Whether nothing is.
    pub(super) const fn is_nothing(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ops =
            [Op::Recv, Op::Send, Op::Poll, Op::Shutdown, Op::Close].into_iter().filter(|op| self.has(*op));
        f.debug_set().entries(ops).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_different_kinds_are_told_apart() {
        let mut in_flight = InFlight::default();
        in_flight.begin(Op::Recv);
        in_flight.begin(Op::Send);
        in_flight.end(Op::Recv);
        assert!(in_flight.has(Op::Send) && !in_flight.has(Op::Recv) && !in_flight.is_nothing());
        assert_eq!(format!("{in_flight:?}"), "{Send}");
    }

    #[test]
    #[should_panic(expected = "Recv is asked for twice")]
    fn a_second_receive_is_a_bug() {
        let mut in_flight = InFlight::default();
        in_flight.begin(Op::Recv);
        in_flight.begin(Op::Recv);
    }

    #[test]
    #[should_panic(expected = "Send ends and was not asked for")]
    fn an_end_without_a_beginning_is_a_bug() {
        InFlight::default().end(Op::Send);
    }
}
