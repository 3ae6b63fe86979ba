//! io_uring echo server. Twin of [`server::epoll`](crate::server::epoll): same functions, in the
//! order in which a byte travels.
//!
//! Path of a byte: recv CQE -> [`Lease`] -> [`Connection::on`] -> send SQE -> send CQE -> recycle -> recv SQE. Its
//! buffer is never copied and belongs to exactly one of pool, kernel, and connection.
//!
//! The ring is small and hot: buffers are published as turns need them, the one recycled last first, and no more than
//! stay in cache ([`HotSet`]). Turns are taken in order, so a small ring starves nobody. Behind it stands one buffer for
//! each connection, touched only when a peer that does not read holds one back.
//!
//! Requires Linux 6.1. A missing feature fails [`UringServer::start`]; nothing is downgraded.

mod hot_set;
mod setup;
#[cfg(test)]
mod simulation;
mod stop;
#[cfg(test)]
mod tests;

use std::os::fd::AsFd;

use self::hot_set::HotSet;
use crate::measure::counters::Counters;
use crate::server::core::budget::{Budget, Turn};
use crate::server::core::connection::{Connection, Event, Next};
use crate::server::core::queue::SlotQueue;
use crate::server::shell::config::{AcceptMode, Publish, RecvMode, SendMode, UringConfig};
use crate::server::shell::error::{ServeError, StartError};
use crate::server::shell::fit::Fitted;
use crate::server::shell::lifecycle::Lifecycle;
use crate::server::shell::listener::{AcceptFault, Gate, Listener};
use crate::slab::{Slab, Slot};
use crate::sys::buf_ring::Lease;
use crate::sys::queues::{KernelQueues, Queues};
use crate::sys::ring::{Completion, File, RecvHow, Ring};
use crate::sys::{Errno, clock};
use crate::token::{Op, Token};

/// Most entries that one completion leads to.
const SQES_PER_CQE: usize = 3;

/// What the kernel is doing for a connection: one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InFlight {
    Nothing,
    Recv,
    Send,
    Close,
}

struct Peer {
    file: File,
    connection: Connection,
    /// Holds the owed bytes, from `sent_bytes` on.
    lease: Option<Lease>,
    sent_bytes: usize,
    in_flight: InFlight,
    turn: Turn,
    /// The last receive left data behind.
    backlogged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    Not,
    Multishot,
    One,
    Cancelling,
}

/// The io_uring engine, listening.
pub struct UringServer<Q: Queues = KernelQueues> {
    ring: Ring<Q>,
    listener: Listener,
    gate: Gate,
    accepting: Accepting,
    peers: Slab<Peer>,
    waiting: SlotQueue,
    hot_set: HotSet,
    /// Receives outstanding.
    receiving: usize,
    /// Connections admitted to a buffer since the last enter: their receives will take one for certain.
    admitted: usize,
    budget: Budget,
    shutdown_first: bool,
    config: UringConfig,
    lifecycle: Lifecycle,
    counters: Counters,
}

impl UringServer {
    /// Binds, allocates everything the server will ever use, and says that it listens.
    ///
    /// # Errors
    /// With cause and remedy; see [`StartError`].
    pub fn start(config: &UringConfig) -> Result<Self, StartError> {
        let Fitted { config: common, notes } = Fitted::of(&config.common, config.common.buffer_bytes)?;
        let config = UringConfig { common, ..config.clone() };
        let lifecycle = Lifecycle::start(&config.common)?;
        let listener = Listener::bind(&config.common)?;
        let ring = setup::set_up(&config)?;
        let mut server = Self::over(ring, listener, lifecycle, &config);
        server.lifecycle.announce(server.listener.addr(), config.settings(), &notes);
        Ok(server)
    }
}

impl<Q: Queues> UringServer<Q> {
    fn over(ring: Ring<Q>, listener: Listener, lifecycle: Lifecycle, config: &UringConfig) -> Self {
        let common = &config.common;
        let mut server = Self {
            ring,
            listener,
            gate: Gate::new(common.connections_max),
            accepting: Accepting::Not,
            peers: Slab::new(common.connections_max),
            waiting: SlotQueue::new(common.connections_max),
            hot_set: HotSet::new(config.hot_bytes, usize::from(config.buffers), common.buffer_bytes),
            receiving: 0,
            admitted: 0,
            budget: Budget::new(common.budget_bytes),
            shutdown_first: setup::needs_shutdown_before_close(config),
            config: config.clone(),
            lifecycle,
            counters: Counters::default(),
        };
        server.ring.poll_readable(server.lifecycle.as_fd(), Token::global(Op::Signal));
        server
    }

    /// Address the server listens on.
    pub fn addr(&self) -> std::net::SocketAddr {
        self.listener.addr()
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    pub fn run(mut self) -> Result<Counters, ServeError> {
        while !self.is_finished() {
            self.iterate()?;
        }
        self.cancel_everything();
        self.for_each_peer(|server, slot| {
            server.counters.cut_off += u64::from(server.peers.at(slot).in_flight != InFlight::Close);
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
    pub fn iterate(&mut self) -> Result<(), ServeError> {
        self.counters.iterations += 1;
        self.arm_accept();
        self.publish();
        self.admit();
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
        if !self.may_accept() || self.ring.room() <= SQES_PER_CQE {
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
            connection: Connection::new(),
            lease: None,
            sent_bytes: 0,
            in_flight: InFlight::Nothing,
            turn: self.budget.turn(),
            backlogged: false,
        };
        self.counters.accepted += 1;
        match self.peers.insert(peer) {
            Ok((slot, _)) if self.lifecycle.is_stopping() => {
                self.peers.at(slot).connection.on(Event::Stop);
                self.arm_recv(slot);
            }
            Ok((slot, _)) => self.arm_recv(slot),
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

    fn publish(&mut self) {
        let target = match self.config.publish {
            Publish::Demand => self.hot_set.target(self.receiving + self.waiting.len()),
            Publish::Full => usize::from(self.config.buffers),
        };
        self.ring.buffers.top_up(target);
    }

    /// Admits connections that wait for a buffer to one, longest wait first, one for each buffer published.
    fn admit(&mut self) {
        while self.admitted < self.ring.buffers.published() && self.ring.room() > SQES_PER_CQE {
            let Some(slot) = self.waiting.pop() else { return };
            self.admitted += 1;
            self.arm_recv(slot);
        }
    }

    fn arm_recv(&mut self, slot: Slot) {
        let token = self.token(Op::Recv, slot);
        let peer = self.peers.at(slot);
        let how = RecvHow {
            bytes_max: peer.turn.ask(self.config.common.buffer_bytes.0),
            poll_first: self.config.recv == RecvMode::PollFirst && !peer.backlogged,
        };
        peer.in_flight = InFlight::Recv;
        self.receiving += 1;
        self.ring.recv(peer.file, how, token);
    }

    /// Submits and waits, not at all if there is work, and handles what completed.
    fn reap(&mut self) -> Result<(), ServeError> {
        let blocked = self.waiting.is_empty() || self.ring.buffers.published() == 0;
        let idle = blocked && !self.may_accept();
        let timeout = if idle { self.lifecycle.patience(self.gate.resting_until()) } else { None };
        let result = self.ring.enter(u32::from(idle), timeout);
        self.lifecycle.on_wait(result).map_err(|errno: Errno| ServeError::new("io_uring_enter", errno))?;
        self.admitted = 0;
        while self.ring.room() > SQES_PER_CQE
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
        if self.peers.get_mut(slot, generation).is_none() {
            self.counters.stale += 1;
            self.ring.buffers.recycle(lease);
            return;
        }
        let event = match op {
            Op::Recv => self.on_recv(slot, completion, lease),
            Op::Send => self.on_send(slot, completion),
            _ => {
                self.counters.closed += 1;
                self.peers.remove(slot);
                return;
            }
        };
        let next = self.peers.at(slot).connection.on(event);
        self.act(slot, next);
    }

    fn on_recv(&mut self, slot: Slot, completion: Completion, lease: Option<Lease>) -> Event {
        self.receiving -= 1;
        let peer = self.peers.at(slot);
        peer.in_flight = InFlight::Nothing;
        peer.backlogged = completion.sock_nonempty();
        match (completion.result(), lease) {
            (Ok(count), Some(lease)) if count > 0 => {
                peer.turn.spend(count);
                (peer.lease, peer.sent_bytes) = (Some(lease), 0);
                self.counters.receives += 1;
                self.counters.received_bytes += count as u64;
                Event::Received(count)
            }
            (result, lease) => {
                self.ring.buffers.recycle(lease);
                match result {
                    Ok(_) => Event::PeerClosed,
                    Err(Errno(libc::ECANCELED)) => Event::Tick,
                    Err(errno) if errno.passing() => self.on_starved(slot),
                    Err(_) => self.on_fault(),
                }
            }
        }
    }

    /// The kernel had data and no buffer to put it in: to the tail of those that wait for one.
    fn on_starved(&mut self, slot: Slot) -> Event {
        self.counters.starved += 1;
        self.waiting.push(slot);
        Event::Starved
    }

    fn act(&mut self, slot: Slot, next: Next) {
        match next {
            Next::Recv => self.rearm(slot),
            Next::Send => self.arm_send(slot),
            Next::Park => {}
            Next::Close => self.close(slot),
        }
    }

    fn arm_send(&mut self, slot: Slot) {
        let token = self.token(Op::Send, slot);
        let peer = self.peers.at(slot);
        let lease = peer.lease.as_ref().expect("a connection that owes holds its bytes");
        peer.in_flight = InFlight::Send;
        let wait_all = self.config.send == SendMode::WaitAll;
        self.ring.send(peer.file, lease, peer.sent_bytes, wait_all, token);
    }

    fn on_send(&mut self, slot: Slot, completion: Completion) -> Event {
        let peer = self.peers.at(slot);
        peer.in_flight = InFlight::Nothing;
        match completion.result() {
            Ok(count) => {
                self.counters.short_sends += u64::from(count < peer.connection.owed_bytes());
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
        let peer = self.peers.at(slot);
        peer.sent_bytes += count;
        if count == peer.connection.owed_bytes() {
            self.ring.buffers.recycle(peer.lease.take());
        }
        Event::Sent(count)
    }

    fn on_fault(&mut self) -> Event {
        self.counters.peer_faults += 1;
        Event::Failed
    }

    /// Receives again. With data left, before all that wait until the turn is over, and then behind them. Without, at
    /// once if nobody waits, for then it takes no buffer; a peer that answers at once would else overtake them all.
    fn rearm(&mut self, slot: Slot) {
        let free = self.waiting.is_empty() && self.admitted < self.ring.buffers.published();
        let peer = self.peers.at(slot);
        let (backlogged, over) = (peer.backlogged, peer.turn.is_over());
        if !backlogged || over {
            self.hot_set.note(self.budget.spent_bytes(peer.turn));
            peer.turn = self.budget.turn();
        }
        self.counters.yields += u64::from(backlogged && over);
        match (backlogged, over) {
            (true, false) if !free => return self.waiting.push_front(slot),
            (true, true) => return self.waiting.push(slot),
            (false, _) if !self.waiting.is_empty() => return self.waiting.push(slot),
            _ => self.admitted += usize::from(backlogged),
        }
        self.arm_recv(slot);
    }

    fn close(&mut self, slot: Slot) {
        let token = self.token(Op::Close, slot);
        let peer = self.peers.at(slot);
        assert!(peer.in_flight == InFlight::Nothing, "slot {slot} is closed during a {:?}", peer.in_flight);
        peer.in_flight = InFlight::Close;
        self.ring.buffers.recycle(peer.lease.take());
        if self.shutdown_first {
            self.ring.shutdown_before_close(peer.file, Token::global(Op::Discard));
        }
        self.ring.close(peer.file, token);
    }

    fn token(&self, op: Op, slot: Slot) -> Token {
        Token { op, generation: self.peers.generation(slot), slot }
    }

    fn counters(&self) -> Counters {
        self.counters.with_ring(self.ring.counts())
    }
}
