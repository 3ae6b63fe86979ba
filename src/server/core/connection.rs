//! One connection's phases and byte ledger: the decisions that both engines share. Pure, no I/O.
//!
//! An engine reports what happened as an [`Event`] and does what [`Next`] says. How bytes are held meanwhile
//! (epoll's hot buffer and spill, io_uring's leases) is the engine's own affair: that is what is compared.
//!
//! A connection either alternates or receives ahead. One that alternates is received from only while nothing is owed: what
//! it can hold back is one receive. One that receives ahead is, as long as it owes less than a bound. Either way a peer
//! that does not read is at last not read from.

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A receive brought this many bytes, at least one.
    Received(usize),
    /// A receive found nothing queued.
    Idle,
    /// A receive that waited for a send was cancelled unseen, for the send fell short.
    Severed,
    /// A receive found the peer's end of stream.
    PeerClosed,
    /// A receive found data but no memory to put it in.
    Starved,
    /// The kernel took this many of the owed bytes, perhaps not all.
    Sent(usize),
    /// The kernel took none: the peer does not read.
    SendBlocked,
    /// The server is stopping: serve what still arrives, and close when that has ceased.
    Stop,
    /// A while has passed since the server began to stop, or since the last tick.
    Tick,
    /// The peer or the network failed.
    Failed,
}

/// What the engine does next for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Receive, at most one budget.
    Recv,
    /// Send what is owed.
    Send,
    /// Nothing, until the kernel or a free buffer wakes it.
    Park,
    /// Close it. No event may follow.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Echoing.
    Open,
    /// The server is stopping: echoing what still arrives, to be closed when nothing did for a tick.
    Draining { received_bytes_at_tick: u64 },
    /// Given up, or complete.
    Closing,
}

/// The phase and the ledger of one connection. Invariant: `received == sent + owed`.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    /// A receive is asked for only while fewer bytes than this are owed. One: it alternates.
    owed_bytes_max: usize,
    /// The peer's end of stream has been received.
    ended: bool,
    received_bytes: u64,
    sent_bytes: u64,
    owed_bytes: usize,
}

impl Connection {
    /// A connection just accepted, which alternates: open, owing nothing.
    pub const fn alternating() -> Self {
        Self::ahead(1)
    }

    /// A connection just accepted, to be received from as long as it owes less than `owed_bytes_max`.
    pub const fn ahead(owed_bytes_max: usize) -> Self {
        assert!(owed_bytes_max > 0, "a connection that may owe nothing is never received from");
        Self {
            phase: Phase::Open,
            owed_bytes_max,
            ended: false,
            received_bytes: 0,
            sent_bytes: 0,
            owed_bytes: 0,
        }
    }

    /// Whether to ask for a receive.
    pub const fn may_receive(&self) -> bool {
        !self.ended && !self.is_given_up() && self.owed_bytes < self.owed_bytes_max
    }

    /// Whether it is to be closed: no event may follow.
    pub const fn is_given_up(&self) -> bool {
        matches!(self.phase, Phase::Closing)
    }

    /// Bytes received and not yet taken back by the kernel.
    pub const fn owed_bytes(&self) -> usize {
        self.owed_bytes
    }

    /// Whether the server is stopping, and since the last tick nothing arrived and nothing is owed.
    ///
    /// One look at the socket would not do: a peer whose send buffer is full has more on its way than what has
    /// arrived, and closing then would reset it.
    pub fn is_quiet(&self) -> bool {
        self.owed_bytes == 0 && self.phase == Phase::Draining { received_bytes_at_tick: self.received_bytes }
    }

    /// Takes note of `event` and says what to do next.
    ///
    /// # Panics
    /// When the engine breaks the protocol: an event after `Close`, a receive of one that alternates while bytes are owed,
    /// more bytes sent than owed, bytes after the end. Going on would lose or invent bytes of a peer.
    pub fn on(&mut self, event: Event) -> Next {
        assert!(self.phase != Phase::Closing, "{event:?} after the connection was given up");
        let next = match event {
            Event::Received(count) => self.on_received(count),
            Event::Sent(count) => self.on_sent(count),
            Event::SendBlocked => self.parked_owing(event),
            Event::Starved | Event::Idle => self.parked_clear(event),
            Event::Severed => Next::Park,
            Event::PeerClosed => self.on_peer_closed(event),
            Event::Tick if self.is_quiet() => self.close(),
            Event::Stop | Event::Tick => {
                self.phase = Phase::Draining { received_bytes_at_tick: self.received_bytes };
                Next::Park
            }
            Event::Failed => self.close(),
        };
        assert!(self.received_bytes == self.sent_bytes + self.owed_bytes as u64, "{self:?} does not balance");
        next
    }

    fn on_received(&mut self, count: usize) -> Next {
        assert!(count > 0, "an empty receive is an end of stream");
        assert!(!self.ended, "{count} bytes came after the end of the stream");
        self.assert_ahead_or_clear(Event::Received(count));
        self.received_bytes += count as u64;
        self.owed_bytes += count;
        Next::Send
    }

    fn on_sent(&mut self, count: usize) -> Next {
        assert!(count <= self.owed_bytes, "sent {count} of {} owed bytes", self.owed_bytes);
        self.sent_bytes += count as u64;
        self.owed_bytes -= count;
        match (self.owed_bytes, self.ended) {
            (0, true) => self.close(),
            (0, false) => Next::Recv,
            _ => Next::Send,
        }
    }

    /// An end of stream while bytes are owed means: finish, then close.
    fn on_peer_closed(&mut self, event: Event) -> Next {
        self.assert_ahead_or_clear(event);
        self.ended = true;
        if self.owed_bytes == 0 { self.close() } else { Next::Send }
    }

    fn parked_owing(&self, event: Event) -> Next {
        assert!(self.owed_bytes > 0, "{event:?} with nothing owed");
        Next::Park
    }

    fn parked_clear(&self, event: Event) -> Next {
        self.assert_ahead_or_clear(event);
        Next::Park
    }

    fn assert_ahead_or_clear(&self, event: Event) {
        let alternates = self.owed_bytes_max == 1;
        assert!(!alternates || self.owed_bytes == 0, "{event:?} while {} bytes are owed", self.owed_bytes);
    }

    fn close(&mut self) -> Next {
        self.phase = Phase::Closing;
        Next::Close
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
