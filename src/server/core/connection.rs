//! One connection's phases and byte ledger: the decisions that both engines share. Pure, no I/O.
//!
//! An engine reports what happened as an [`Event`] and does what [`Next`] says. How bytes are held meanwhile
//! (epoll's hot buffer and spill, io_uring's leases) is the engine's own affair: that is what is compared.
//!
//! The machine alternates: a receive is asked for only while nothing is owed. So a peer that does not read is
//! not read from, and what a connection can hold back is bounded by one receive.

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A receive brought this many bytes, at least one.
    Received(usize),
    /// A receive found nothing queued.
    Idle,
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
    received_bytes: u64,
    sent_bytes: u64,
    owed_bytes: usize,
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection {
    /// A connection just accepted: open, owing nothing.
    pub const fn new() -> Self {
        Self { phase: Phase::Open, received_bytes: 0, sent_bytes: 0, owed_bytes: 0 }
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
    /// When the engine breaks the protocol: an event after `Close`, a receive while bytes are owed, more bytes
    /// sent than owed. Going on would lose or invent bytes of a peer.
    pub fn on(&mut self, event: Event) -> Next {
        assert!(self.phase != Phase::Closing, "{event:?} after the connection was given up");
        let next = match event {
            Event::Received(count) => self.on_received(count),
            Event::Sent(count) => self.on_sent(count),
            Event::SendBlocked => self.parked_owing(event),
            Event::Starved => self.parked_clear(event),
            Event::Idle => self.parked_clear(event),
            Event::PeerClosed => {
                assert!(self.owed_bytes == 0, "a receive ran while {} bytes were owed", self.owed_bytes);
                self.close()
            }
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
        assert!(self.owed_bytes == 0, "a receive ran while {} bytes were owed", self.owed_bytes);
        self.received_bytes += count as u64;
        self.owed_bytes = count;
        Next::Send
    }

    fn on_sent(&mut self, count: usize) -> Next {
        assert!(count <= self.owed_bytes, "sent {count} of {} owed bytes", self.owed_bytes);
        self.sent_bytes += count as u64;
        self.owed_bytes -= count;
        if self.owed_bytes > 0 { Next::Send } else { Next::Recv }
    }

    fn parked_owing(&self, event: Event) -> Next {
        assert!(self.owed_bytes > 0, "{event:?} with nothing owed");
        Next::Park
    }

    fn parked_clear(&self, event: Event) -> Next {
        assert!(self.owed_bytes == 0, "{event:?} while {} bytes were owed", self.owed_bytes);
        Next::Park
    }

    fn close(&mut self) -> Next {
        self.phase = Phase::Closing;
        Next::Close
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
