//! How the io_uring server stops: told by a signal, ticking while its connections fall silent, over at the deadline.

use std::mem;
use std::os::fd::AsFd;

use super::UringServer;
use super::strategy::Strategy;
use crate::server::core::connection::Event;
use crate::slab::Slot;
use crate::sys::clock;
use crate::sys::queues::Queues;
use crate::sys::ring::Completion;
use crate::token::{Op, Token};
use crate::units::Nanos;

/// How long a stopping server waits for cancelled operations.
const CANCEL_PATIENCE: Nanos = Nanos::from_secs(1);

impl<S: Strategy, Q: Queues> UringServer<S, Q> {
    pub(super) fn on_signal(&mut self) {
        self.ring.poll_readable(self.lifecycle.as_fd(), Token::global(Op::Signal));
        let counters = self.counters();
        let heard_before = self.lifecycle.has_heard_of_urgent_data();
        let stops = self.lifecycle.on_signals(&counters, self.peers.len());
        if !heard_before && self.lifecycle.has_heard_of_urgent_data() {
            self.for_each_peer(S::on_urgent_data);
        }
        if !stops {
            return;
        }
        self.listener.stop();
        self.for_each_peer(|server, slot| {
            let peer = server.peers.at(slot);
            if !peer.connection.is_given_up() {
                peer.connection.on(Event::Stop);
            }
        });
    }

    /// A while into stopping: closes quiet connections, their receives or polls taken back first.
    pub(super) fn on_tick(&mut self) {
        self.for_each_peer(|server, slot| {
            let peer = server.peers.at(slot);
            if peer.connection.is_given_up() || peer.in_flight.is_nothing() {
                return;
            }
            if !peer.connection.is_quiet() {
                peer.connection.on(Event::Tick);
            } else {
                server.make_room();
                server.ask_if_quiet(slot);
            }
        });
    }

    /// Takes back the receive or the poll of a quiet connection, once more if need be: no cancellation finds a receive in the
    /// moment in which its send is done. One that was stopped for another reason says nothing of silence when it ends.
    pub(super) fn ask_if_quiet(&mut self, slot: Slot) {
        let peer = self.peers.at(slot);
        let stopped = peer.taken_back.has(Op::Recv) && !peer.asked_if_quiet;
        peer.taken_back.forget(Op::Recv);
        for op in [Op::Recv, Op::Poll] {
            self.take_back(op, slot);
        }
        self.peers.at(slot).asked_if_quiet = !stopped;
    }

    /// A receive that was taken back found nothing. That tells of silence only if it was taken back in silence.
    pub(super) fn on_taken_back(&mut self, slot: Slot) -> Event {
        let peer = self.peers.at(slot);
        let asked_if_quiet = mem::take(&mut peer.asked_if_quiet);
        if asked_if_quiet && self.lifecycle.is_stopping() && peer.connection.is_quiet() {
            Event::Tick
        } else {
            Event::Idle
        }
    }

    pub(super) fn for_each_peer(&mut self, act: impl Fn(&mut Self, Slot)) {
        for slot in self.peers.slots().collect::<Vec<_>>() {
            act(self, slot);
        }
    }

    /// Submits a nearly full queue, outside the serving loop.
    fn make_room(&mut self) {
        while !self.has_room() {
            let result = self.ring.enter(0, None);
            if self.lifecycle.on_wait(result).is_err() {
                return;
            }
        }
    }

    /// Takes back every operation, so that the kernel is done with the buffers before they are freed.
    pub(super) fn cancel_everything(&mut self) {
        let deadline = clock::monotonic() + CANCEL_PATIENCE;
        self.ask_for_the_end();
        let mut answered = false;
        while self.ring.in_flight() > 0 && clock::monotonic() < deadline {
            // All is answered and something is left: no cancellation finds what is about to follow a send.
            if answered && !self.ring.has_overflowed() {
                answered = false;
                self.ask_for_the_end();
            }
            let result = self.ring.enter(1, Some(deadline.saturating_sub(clock::monotonic())));
            if self.lifecycle.on_wait(result).is_err() {
                return;
            }
            while let Some((completion, lease)) = self.ring.pop() {
                answered |= completion.token.op == Op::Cancel;
                self.on_half(completion);
                self.count_taken_back(completion);
                self.ring.recycle(lease);
            }
        }
    }

    fn ask_for_the_end(&mut self) {
        self.make_room();
        self.ring.cancel_all(Token::global(Op::Cancel));
    }

    /// Counts what an operation moved before it was taken back, or in spite of it.
    pub(super) fn count_taken_back(&mut self, completion: Completion) {
        let Token { op, generation, slot } = completion.token;
        let Ok(count) = completion.result() else { return };
        if self.peers.get_mut(slot, generation).is_none() {
            return;
        }
        match op {
            Op::Recv => {
                self.counters.receives += u64::from(count > 0);
                self.counters.received_bytes += count as u64;
            }
            Op::Send => self.counters.sent_bytes += count as u64,
            _ => {}
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.lifecycle.is_stopping() && (self.peers.is_empty() || self.lifecycle.is_past_deadline())
    }
}
