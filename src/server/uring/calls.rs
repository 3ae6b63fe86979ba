//! Serving a connection by calls of the server's own, as its twin does: for strategies that ask the ring for no more than to
//! be told when there is something to receive, or that leave to it what has to wait.
//!
//! Path of a byte: recv into the buffer recycled last -> [`Lease`](crate::sys::buf_ring::Lease) -> outbox ->
//! [`Connection::on`](crate::server::core::connection::Connection::on) -> send -> recycle. So everyone is served from one hot
//! buffer. What a send does not take stays in its buffer, and the ring sends the rest.
//!
//! Where nothing goes through the ring but polls, the line of those that wait is the ring of ready connections.

use super::UringServer;
use super::strategy::{Strategy, send_how};
use crate::server::core::budget::{ITERATION_BYTES, ITERATION_CONNECTIONS};
use crate::server::core::connection::{Event, Next};
use crate::server::shell::config::{Files, RecvMode, UringConfig};
use crate::server::shell::error::StartError;
use crate::slab::Slot;
use crate::sys::queues::Queues;

/// Why its sends have to copy.
pub(super) const COPIES: &str = "its calls send a copy";

/// What a strategy that makes calls of its own cannot be combined with.
///
/// # Errors
/// If `config` asks for the ring's own table of files.
pub(super) fn check_files(name: &str, config: &UringConfig) -> Result<(), StartError> {
    if config.files != Some(Files::Direct) {
        return Ok(());
    }
    let why = "its calls name descriptors of the process, and the ring's table has none";
    Err(StartError::contradiction(name, "--files direct", why))
}

/// What a strategy that makes all calls of its own cannot be combined with.
///
/// # Errors
/// If `config` asks for it.
pub(super) fn check(name: &str, config: &UringConfig) -> Result<(), StartError> {
    check_files(name, config)?;
    if config.recv != RecvMode::PollFirst {
        return Ok(());
    }
    let why = "it knows by itself when to wait for readiness";
    Err(StartError::contradiction(name, "--recv poll-first", why))
}

impl<S: Strategy, Q: Queues> UringServer<S, Q> {
    /// Serves the ring of ready connections from its head, as far as one iteration goes.
    pub(super) fn serve_ready(&mut self) {
        let received_bytes_until = self.counters.received_bytes + ITERATION_BYTES;
        for _ in 0..ITERATION_CONNECTIONS {
            if !self.has_room() || self.counters.received_bytes >= received_bytes_until {
                return;
            }
            let Some(slot) = self.admission.waiting.pop() else { return };
            self.peers.at(slot).turn = self.budget.turn();
            self.serve(slot, Next::Recv);
        }
    }

    /// Lets a connection do as much as its turn and its socket allow, from `next` on.
    pub(super) fn serve(&mut self, slot: Slot, mut next: Next) {
        loop {
            let peer = self.peers.at(slot);
            let event = match next {
                Next::Recv if !peer.backlogged || peer.turn.is_over() => return S::rearm(self, slot),
                Next::Recv => match self.recv_now(slot) {
                    Some(event) => event,
                    None => continue,
                },
                Next::Send => self.send_now(slot),
                Next::Park => return,
                Next::Close => return self.close(slot),
            };
            next = self.peers.at(slot).connection.on(event);
        }
    }

    /// Receives by a call. Returns nothing if there was nothing.
    fn recv_now(&mut self, slot: Slot) -> Option<Event> {
        let until_eagain = S::reads_until_eagain(self, slot);
        let peer = self.peers.at(slot);
        let asked = peer.turn.ask(self.config.common.buffer_bytes.0);
        match self.ring.recv_now(peer.file, asked) {
            Ok(lease) if lease.is_empty() => {
                self.ring.recycle(lease);
                Some(Event::PeerClosed)
            }
            Ok(lease) => {
                let count = lease.len();
                // A read shorter than asked has drained a stream socket, but for an end, an error or an urgent mark.
                peer.backlogged = count == asked || until_eagain;
                peer.turn.spend(count);
                peer.outbox.push(&mut self.nodes, lease);
                self.counters.receives += 1;
                self.counters.received_bytes += count as u64;
                Some(Event::Received(count))
            }
            Err(errno) if errno.would_block() => {
                peer.backlogged = false;
                None
            }
            Err(errno) if errno.passing() => Some(self.on_starved(slot)),
            Err(_) => Some(self.on_fault()),
        }
    }

    /// Sends what is owed by a call, and the rest of it through the ring.
    pub(super) fn send_now(&mut self, slot: Slot) -> Event {
        let peer = self.peers.at(slot);
        let owed_bytes = peer.outbox.owed_bytes();
        assert!(owed_bytes == peer.connection.owed_bytes(), "slot {slot} does not hold what it owes");
        let (lease, sent_bytes) = peer.outbox.head().expect("a connection that owes holds its bytes");
        match self.ring.send_now(peer.file, lease, sent_bytes) {
            Ok(count) => {
                self.counters.sent_bytes += count as u64;
                let sent = self.advance(slot, count);
                if count == owed_bytes {
                    return sent;
                }
                self.peers.at(slot).connection.on(sent);
            }
            Err(errno) if errno.passing() => {}
            Err(_) => return self.on_fault(),
        }
        self.counters.short_sends += 1;
        self.send_rest(slot);
        Event::SendBlocked
    }

    /// Leaves to the ring what a call could not send.
    fn send_rest(&mut self, slot: Slot) {
        let how = send_how(&self.config);
        self.arm_send(slot, how);
    }
}
