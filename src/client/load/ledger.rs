//! How far a flow's stream has got in either direction.

/// Positions in one flow's byte stream. What comes back is what was sent, so both count the same stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Bytes the kernel took.
    pub(crate) sent: u64,
    /// Bytes that came back.
    pub(crate) received: u64,
}

impl Ledger {
    /// Bytes that have not come back yet.
    pub(crate) const fn in_flight(self) -> u64 {
        self.sent - self.received
    }

    /// Notes that the kernel took `count` more bytes.
    pub(crate) const fn send(&mut self, count: usize) {
        self.sent += count as u64;
    }

    /// Notes that `count` more bytes came back; whether that many were outstanding.
    #[must_use]
    pub(crate) const fn receive(&mut self, count: usize) -> bool {
        let outstanding = count as u64 <= self.in_flight();
        if outstanding {
            self.received += count as u64;
        }
        outstanding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_than_were_sent_are_not_accepted() {
        let mut ledger = Ledger::default();
        ledger.send(10);
        assert!(ledger.receive(4));
        assert_eq!(ledger.in_flight(), 6);
        assert!(!ledger.receive(7));
        assert_eq!(ledger, Ledger { sent: 10, received: 4 });
    }
}
