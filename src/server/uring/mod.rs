//! io_uring echo server. Twin of [`server::epoll`](crate::server::epoll): same functions, in the
//! order in which a byte travels.
//!
//! Path of a byte: recv CQE -> [`Lease`] -> outbox -> [`Connection::on`] -> send SQE -> send CQE -> recycle -> recv SQE. Its
//! buffer is never copied and belongs to exactly one of pool, kernel, and connection.
//!
//! The engine accepts, submits, reaps, keeps the ledger, closes and stops. What is asked of the kernel for a connection, and
//! when, is up to its strategy; the [`catalog`] names them.
//!
//! Requires Linux 6.1. A missing feature fails [`catalog::start`]; nothing is downgraded.

mod admission;
mod calls;
pub mod catalog;
mod hot_set;
mod in_flight;
mod outbox;
mod reserve;
mod setup;
#[cfg(test)]
mod simulation;
mod stop;
mod strategy;
#[cfg(test)]
mod tests;

use std::os::fd::AsFd;

use self::admission::Admission;
use self::in_flight::InFlight;
use self::outbox::{Nodes, Outbox};
use self::strategy::Strategy;
use crate::measure::counters::Counters;
use crate::server::core::budget::{Budget, Turn};
use crate::server::core::connection::{Connection, Event, Next};
use crate::server::shell::config::{AcceptMode, UringConfig};
use crate::server::shell::error::{ServeError, StartError};
use crate::server::shell::fit::Fitted;
use crate::server::shell::lifecycle::Lifecycle;
use crate::server::shell::listener::{AcceptFault, Gate, Listener};
use crate::slab::{Slab, Slot};
use crate::sys::buf_ring::Lease;
use crate::sys::queues::{KernelQueues, Queues};
use crate::sys::ring::{Completion, File, Ring, SendHow};
use crate::sys::{Errno, clock};
use crate::token::{Op, Token};

struct Peer<O> {
    file: File,
    connection: Connection,
    /// What it is owed.
    outbox: Outbox,
    /// How many of these bytes the send under way was asked for.
    asked_bytes: usize,
    /// Sent, and still the kernel's to read: until it says so, after a send without a copy.
    pinned: Option<Lease>,
    in_flight: InFlight,
    /// Those that have been taken back since they were asked for.
    taken_back: InFlight,
    /// Its receive or poll was taken back for no other reason than to see whether it is quiet.
    asked_if_quiet: bool,
    turn: Turn,
    /// It was let out of the line and has not received since.
    admitted: bool,
    /// The last receive left data behind.
    backlogged: bool,
    /// What the strategy keeps of it.
    own: O,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    Not,
    Multishot,
    One,
    Cancelling,
}

/// The io_uring engine, listening.
struct UringServer<S: Strategy, Q: Queues = KernelQueues> {
    ring: Ring<Q>,
    listener: Listener,
    gate: Gate,
    accepting: Accepting,
    peers: Slab<Peer<S::Own>>,
    admission: Admission,
    nodes: Nodes,
    strategy: S,
    budget: Budget,
    shutdown_first: bool,
    config: UringConfig,
    lifecycle: Lifecycle,
    counters: Counters,
}

impl<S: Strategy> UringServer<S> {
    /// Binds, allocates everything the server will ever use, and says that it listens.
    ///
    /// # Errors
    /// With cause and remedy; see [`StartError`].
    fn start(config: &UringConfig) -> Result<Self, StartError> {
        setup::check::<S>(config)?;
        let Fitted { config: common, notes } = Fitted::of(&config.common, S::connection_bytes(config))?;
        let files = Some(config.files.unwrap_or(S::FILES));
        let config = UringConfig { common, files, ..config.clone() };
        let lifecycle = Lifecycle::start(&config.common)?;
        let listener = Listener::bind(&config.common)?;
        let ring = setup::set_up::<S>(&config)?;
        let mut server = Self::over(ring, listener, lifecycle, &config);
        server.lifecycle.announce(server.listener.addr(), config.settings(), &notes);
        Ok(server)
    }
}

impl<S: Strategy, Q: Queues> UringServer<S, Q> {
    fn over(ring: Ring<Q>, listener: Listener, lifecycle: Lifecycle, config: &UringConfig) -> Self {
        let common = &config.common;
        let mut server = Self {
            ring,
            listener,
            gate: Gate::new(common.connections_max),
            accepting: Accepting::Not,
            peers: Slab::new(common.connections_max),
            admission: Admission::new(config, config.publish.unwrap_or(S::PUBLISH)),
            nodes: Nodes::new(S::queued_max(config)),
            strategy: S::new(config),
            budget: Budget::new(common.budget_bytes),
            shutdown_first: setup::needs_shutdown_before_close(config),
            config: config.clone(),
            lifecycle,
            counters: Counters::default(),
        };
        server.ring.poll_readable(server.lifecycle.as_fd(), Token::global(Op::Signal));
        server
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    fn run(mut self) -> Result<Counters, ServeError> {
        while !self.is_finished() {
            self.iterate()?;
        }
        self.cancel_everything();
        self.for_each_peer(|server, slot| {
            server.counters.cut_off += u64::from(!server.peers.at(slot).in_flight.has(Op::Close));
            server.counters.closed += 1;
        });
        let counters = self.counters();
        self.lifecycle.finish(&counters);
        Ok(counters)
    }

    /// One iteration: accept, let waiting connections receive, submit and wait, handle completions.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    fn iterate(&mut self) -> Result<(), ServeError> {
        self.counters.iterations += 1;
        self.arm_accept();
        S::prepare(self);
        self.reap()?;
        if self.lifecycle.has_ticked() {
            self.on_tick();
        }
        Ok(())
    }

    fn arm_accept(&mut self) {
        self.gate.wake(clock::monotonic);
        let many = self.may_accept_many();
        if self.accepting == Accepting::Multishot && !many {
            self.ring.cancel(Token::global(Op::Accept), Token::global(Op::Cancel));
            self.accepting = Accepting::Cancelling;
        }
        if !self.may_accept() || !self.has_room() {
            return;
        }
        self.accepting = if many { Accepting::Multishot } else { Accepting::One };
        self.ring.accept(self.listener.as_fd(), many, Token::global(Op::Accept));
    }

    fn may_accept(&self) -> bool {
        let stopping = self.lifecycle.is_stopping();
        self.accepting == Accepting::Not && !stopping && self.gate.room(self.peers.len()) > 0
    }

    /// Near the limit, no: a multishot accept takes a whole backlog at each enter, the one that cancels it included, and the
    /// kernel drops what finds no place. Whatever waits to be reaped may be such a connection.
    fn may_accept_many(&mut self) -> bool {
        let margin = 2 * self.config.common.backlog as usize + self.ring.unreaped();
        self.config.accept == AcceptMode::Multishot && self.gate.room(self.peers.len()) > margin
    }

    fn on_accept(&mut self, completion: Completion) {
        if !completion.has_more() {
            self.accepting = Accepting::Not;
        }
        match completion.result() {
            Ok(number) => self.accept(self.ring.accepted(number)),
            Err(_) if self.lifecycle.is_stopping() => {}
            Err(errno) => match AcceptFault::of(errno) {
                AcceptFault::Empty => {}
                AcceptFault::Aborted => self.counters.accept_aborts += 1,
                AcceptFault::Exhausted => self.pause_accepting(),
            },
        }
    }

    fn accept(&mut self, file: File) {
        let peer = Peer {
            file,
            connection: S::connection(&self.config),
            outbox: Outbox::default(),
            pinned: None,
            asked_bytes: 0,
            in_flight: InFlight::default(),
            taken_back: InFlight::default(),
            asked_if_quiet: false,
            turn: self.budget.turn(),
            admitted: false,
            backlogged: false,
            own: S::Own::default(),
        };
        self.counters.accepted += 1;
        match self.peers.insert(peer) {
            Ok((slot, _)) => {
                if self.lifecycle.is_stopping() {
                    self.peers.at(slot).connection.on(Event::Stop);
                }
                S::begin(self, slot);
            }
            Err(peer) => {
                self.counters.closed += 1;
                self.ring.close(peer.file, Token::global(Op::Discard));
            }
        }
    }

    fn pause_accepting(&mut self) {
        self.counters.accept_pauses += 1;
        self.gate.rest(clock::monotonic());
    }

    /// Whether what one more completion leads to finds a place in the submission queue.
    fn has_room(&mut self) -> bool {
        self.ring.room() > S::ENTRIES_PER_COMPLETION
    }

    fn arm_recv(&mut self, slot: Slot) {
        let token = self.token(Op::Recv, slot);
        let peer = self.peers.at(slot);
        let how = S::recv_how(&self.config, peer);
        peer.in_flight.begin(Op::Recv);
        self.admission.receiving += 1;
        if S::PRIVATE {
            self.ring.recv_private(peer.file, how, token);
        } else {
            self.ring.recv(peer.file, how, token);
        }
    }

    /// Submits and waits, not at all if there is work, and handles what completed.
    fn reap(&mut self) -> Result<(), ServeError> {
        let idle = !S::is_busy(self) && !self.may_accept();
        let timeout = if idle { self.lifecycle.patience(self.gate.resting_until()) } else { None };
        let first = self.line_goes_first();
        let result = self.ring.enter(u32::from(idle), timeout);
        self.lifecycle.on_wait(result).map_err(|errno: Errno| ServeError::new("io_uring_enter", errno))?;
        self.admission.admitted = 0;
        self.admission.returned = 0;
        if first {
            S::prepare(self);
        }
        while self.has_room()
            && let Some((completion, lease)) = self.ring.pop()
        {
            match completion.token.op {
                Op::Accept => self.on_accept(completion),
                Op::Signal => self.on_signal(),
                Op::Cancel | Op::Discard => {}
                _ => self.on_completion(completion, lease),
            }
        }
        Ok(())
    }

    fn on_completion(&mut self, completion: Completion, lease: Option<Lease>) {
        let Token { op, generation, slot } = completion.token;
        self.on_half(completion);
        let Some(peer) = self.peers.get_mut(slot, generation) else {
            self.counters.stale += 1;
            self.ring.recycle(lease);
            return;
        };
        let taken_back = peer.taken_back.has(op);
        if !completion.has_more() {
            peer.in_flight.end(op);
            peer.taken_back.forget(op);
            self.admission.receiving -= usize::from(op == Op::Recv);
        }
        let lease =
            if S::PRIVATE && op == Op::Recv { self.ring.received_privately(completion) } else { lease };
        if op == Op::Shutdown {
            return self.ring.close(peer.file, Token { op: Op::Close, ..completion.token });
        }
        if op == Op::Close {
            self.counters.closed += 1;
            self.peers.remove(slot);
            return;
        }
        if completion.is_notification() {
            return self.on_notification(slot);
        }
        if peer.connection.is_given_up() {
            self.count_taken_back(completion);
            self.ring.recycle(lease);
            return self.close(slot);
        }
        let event = match op {
            Op::Recv => self.on_recv(slot, completion, lease, taken_back),
            Op::Poll => return S::on_poll(self, slot, completion),
            _ => self.on_send(slot, completion),
        };
        let next = self.peers.at(slot).connection.on(event);
        if matches!(event, Event::Received(_)) {
            S::on_received(self, slot);
        }
        self.act(slot, next);
    }

    /// Has the strategy see what a completion tells of another operation, if it may.
    fn on_half(&mut self, completion: Completion) {
        let Token { op, generation, slot } = completion.token;
        let transfers = matches!(op, Op::Recv | Op::Send);
        if S::MAY_SKIP_SUCCESS && transfers && self.peers.get_mut(slot, generation).is_some() {
            S::on_half(self, slot, completion);
        }
    }

    fn on_recv(
        &mut self,
        slot: Slot,
        completion: Completion,
        lease: Option<Lease>,
        taken_back: bool,
    ) -> Event {
        let peer = self.peers.at(slot);
        peer.backlogged = completion.sock_nonempty();
        match (completion.result(), lease) {
            (Ok(count), Some(lease)) if count > 0 => {
                peer.turn.spend(count);
                peer.outbox.push(&mut self.nodes, lease);
                while S::SEGMENTS_MAX > 1
                    && let Some(lease) = self.ring.buffers.next_of_bundle()
                {
                    peer.outbox.push(&mut self.nodes, lease);
                }
                self.counters.receives += 1;
                self.counters.received_bytes += count as u64;
                Event::Received(count)
            }
            (result, lease) => {
                self.ring.recycle(lease);
                match result {
                    Ok(_) => Event::PeerClosed,
                    Err(Errno(libc::ECANCELED)) if taken_back => self.on_taken_back(slot),
                    // It was linked to a send that fell short.
                    Err(Errno(libc::ECANCELED)) => Event::Severed,
                    Err(errno) if errno.passing() => self.on_starved(slot),
                    Err(_) => self.on_fault(),
                }
            }
        }
    }

    fn on_starved(&mut self, slot: Slot) -> Event {
        self.counters.starved += 1;
        S::on_starved(self, slot);
        Event::Starved
    }

    /// Does what follows from the state that a connection is in now.
    fn act(&mut self, slot: Slot, next: Next) {
        if next == Next::Close {
            return self.close(slot);
        }
        let peer = self.peers.at(slot);
        assert!(
            peer.outbox.owed_bytes() == peer.connection.owed_bytes(),
            "slot {slot} does not hold what it owes"
        );
        if peer.connection.owed_bytes() > 0 && !peer.in_flight.has(Op::Send) {
            S::send(self, slot);
        }
        self.rearm(slot);
    }

    fn arm_send(&mut self, slot: Slot, how: SendHow) {
        let token = self.token(Op::Send, slot);
        let peer = self.peers.at(slot);
        let (lease, sent_bytes) = peer.outbox.head().expect("a connection that owes holds its bytes");
        peer.in_flight.begin(Op::Send);
        peer.asked_bytes = lease.len() - sent_bytes;
        self.ring.send(peer.file, lease, sent_bytes, how, token);
    }

    fn on_send(&mut self, slot: Slot, completion: Completion) -> Event {
        let peer = self.peers.at(slot);
        match completion.result() {
            Ok(count) => {
                self.counters.short_sends += u64::from(count < peer.asked_bytes);
                self.counters.sent_bytes += count as u64;
                self.advance(slot, count)
            }
            Err(errno) if errno.passing() => {
                self.counters.short_sends += 1;
                Event::Sent(0)
            }
            Err(_) => self.on_fault(),
        }
    }

    fn advance(&mut self, slot: Slot, count: usize) -> Event {
        let (ring, peer) = (&mut self.ring, self.peers.at(slot));
        let (pins, pinned) = (peer.in_flight.has(Op::Send), &mut peer.pinned);
        peer.outbox.advance(&mut self.nodes, count, |lease| {
            if pins {
                assert!(pinned.replace(lease).is_none(), "slot {slot} pins two buffers");
            } else {
                ring.recycle(lease);
            }
        });
        S::on_sent(self, slot);
        Event::Sent(count)
    }

    /// The kernel has read what a send without a copy was to send.
    fn on_notification(&mut self, slot: Slot) {
        let peer = self.peers.at(slot);
        self.ring.recycle(peer.pinned.take());
        let next = if peer.connection.is_given_up() { Next::Close } else { Next::Park };
        self.act(slot, next);
    }

    fn on_fault(&mut self) -> Event {
        self.counters.peer_faults += 1;
        Event::Failed
    }

    /// Receives again, if the connection owes little enough and nothing has been done about it yet.
    fn rearm(&mut self, slot: Slot) {
        let waits = self.admission.waiting.contains(slot);
        let peer = self.peers.at(slot);
        if !waits && !peer.in_flight.has(Op::Recv) && peer.connection.may_receive() {
            S::rearm(self, slot);
        }
    }

    /// Closes a connection as soon as the kernel is done with it.
    fn close(&mut self, slot: Slot) {
        self.admission.waiting.remove(slot);
        for op in [Op::Recv, Op::Send, Op::Poll] {
            self.take_back(op, slot);
        }
        let token = self.token(Op::Close, slot);
        let peer = self.peers.at(slot);
        if !peer.in_flight.is_nothing() {
            return;
        }
        let ring = &mut self.ring;
        peer.outbox.clear(&mut self.nodes, |lease| ring.recycle(lease));
        peer.in_flight.begin(Op::Close);
        if self.shutdown_first {
            peer.in_flight.begin(Op::Shutdown);
            return self.ring.shutdown(peer.file, Token { op: Op::Shutdown, ..token });
        }
        self.ring.close(peer.file, token);
    }

    /// Takes `op` back, once, if it is under way. Its last completion is still to come.
    fn take_back(&mut self, op: Op, slot: Slot) {
        let token = self.token(op, slot);
        let peer = self.peers.at(slot);
        peer.asked_if_quiet = false;
        if peer.in_flight.has(op) && !peer.taken_back.has(op) {
            peer.taken_back.begin(op);
            self.ring.cancel(token, Token::global(Op::Cancel));
        }
    }

    fn token(&self, op: Op, slot: Slot) -> Token {
        Token { op, generation: self.peers.generation(slot), slot }
    }

    fn counters(&self) -> Counters {
        self.counters.with_ring(self.ring.counts())
    }
}
