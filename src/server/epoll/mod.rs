//! epoll echo server. Twin of [`server::uring`](crate::server::uring): same functions, in the
//! order in which a byte travels.
//!
//! Path of a byte: readiness -> ready ring -> recv into the hot buffer -> [`Connection::on`] -> send from the hot
//! buffer -> recv. Every connection is served from the one hot buffer, so it stays in cache; a send that the kernel
//! does not take whole moves its rest to a spill buffer of the connection, until the peer reads.
//!
//! Edge-triggered by default: the kernel tells once, the ready ring remembers. A connection leaves the ring when its
//! socket is drained, and goes to the ring's tail when its budget is spent, so that nobody waits longer than one
//! budget of everybody else.

pub(super) mod catalog;
#[cfg(test)]
mod simulation;
mod spill;
mod stop;
#[cfg(test)]
mod tests;
pub(super) mod watch;

use std::os::fd::AsFd;

use self::spill::{Spill, SpillPool};
use crate::measure::counters::Counters;
use crate::server::core::budget::{Budget, ITERATION_BYTES, ITERATION_CONNECTIONS, Turn};
use crate::server::core::connection::{Connection, Event, Next};
use crate::server::core::queue::SlotQueue;
use crate::server::shell::config::{EpollConfig, Readying};
use crate::server::shell::error::{ServeError, StartError};
use crate::server::shell::fit::Fitted;
use crate::server::shell::lifecycle::Lifecycle;
use crate::server::shell::listener::{AcceptFault, Gate, Listener};
use crate::slab::{Slab, Slot};
use crate::sys::epoll::{Epoll, Events, Interest, Readiness};
use crate::sys::readiness::Sockets;
use crate::sys::{Errno, clock};
use crate::token::{Op, Token};
use crate::units::Nanos;

/// Events fetched by one wait. More connections than that are ready only if the server is far behind, and then the
/// next wait, which does not block, fetches the rest.
const EVENTS_MAX: usize = 1024;

/// Connections accepted in one iteration, so that a burst of them does not hold up those being served.
const ACCEPTS_MAX: usize = 64;

/// Where the owed bytes of a connection are.
#[derive(Debug)]
enum Owed {
    Nothing,
    /// At this offset of the hot buffer. Only while its connection is being served: the next one overwrites it.
    Hot(usize),
    Spilled(Spill),
}

/// What the kernel has last said of a socket's receive queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// A receive found its end. What arrives from now on is a new edge.
    Drained,
    /// An edge told of something, and no receive has looked yet.
    Told,
    /// A receive has taken some of it, perhaps not all.
    Begun,
}

struct Peer<S> {
    socket: S,
    connection: Connection,
    owed: Owed,
    /// What the kernel was last asked to tell.
    watched: Interest,
    input: Input,
    /// A send may be taken. Cleared by one that was not, whole or in part.
    writable: bool,
    /// A short read does not prove that the socket is drained.
    until_eagain: bool,
}

/// The epoll engine, listening.
pub struct EpollServer<K: Sockets = Epoll> {
    kernel: K,
    events: Events,
    listener: Listener,
    gate: Gate,
    backlogged: bool,
    peers: Slab<Peer<K::Socket>>,
    ready: SlotQueue,
    hot: Box<[u8]>,
    spills: SpillPool,
    budget: Budget,
    strategy: Readying,
    lifecycle: Lifecycle,
    counters: Counters,
}

impl EpollServer {
    /// Binds, allocates everything the server will ever use, and says that it listens.
    ///
    /// # Errors
    /// With cause and remedy; see [`StartError`].
    pub fn start(config: &EpollConfig) -> Result<Self, StartError> {
        let Fitted { config: common, notes } = Fitted::of(&config.common, config.common.buffer_bytes)?;
        let config = EpollConfig { common, ..config.clone() };
        let lifecycle = Lifecycle::start(&config.common)?;
        let listener = Listener::bind(&config.common)?;
        let epoll = watch::open(&listener, &lifecycle)?;
        catalog::prepare(&epoll, config.strategy)?;
        let mut server = Self::over(epoll, listener, lifecycle, &config)?;
        server.lifecycle.announce(server.listener.addr(), config.settings(), &notes);
        Ok(server)
    }
}

impl<K: Sockets> EpollServer<K> {
    fn over(
        kernel: K,
        listener: Listener,
        lifecycle: Lifecycle,
        config: &EpollConfig,
    ) -> Result<Self, StartError> {
        let common = &config.common;
        let spills = SpillPool::new(common.connections_max, common.buffer_bytes)
            .map_err(|error| StartError::memory("cannot map the spill buffers", &error))?;
        Ok(Self {
            kernel,
            events: Events::with_capacity(EVENTS_MAX),
            listener,
            gate: Gate::new(common.connections_max),
            backlogged: false,
            peers: Slab::new(common.connections_max),
            ready: SlotQueue::new(common.connections_max),
            hot: vec![0; common.buffer_bytes.0].into(),
            spills,
            budget: Budget::new(common.budget_bytes),
            strategy: config.strategy,
            lifecycle,
            counters: Counters::default(),
        })
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
        self.counters.cut_off += self.peers.len() as u64;
        self.for_each_peer(Self::close);
        self.lifecycle.finish(&self.counters);
        Ok(self.counters)
    }

    /// One iteration: wait for readiness, accept, serve the ready ring from its head. A tick comes right after the wait, so
    /// that what arrived before it is on the ring.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    pub fn iterate(&mut self) -> Result<(), ServeError> {
        self.counters.iterations += 1;
        self.reap()?;
        if self.lifecycle.has_ticked() {
            self.on_tick();
        }
        if self.may_accept() {
            self.on_accept();
        }
        let received_bytes_until = self.counters.received_bytes + ITERATION_BYTES;
        for _ in 0..ITERATION_CONNECTIONS {
            let Some(slot) = self.ready.pop() else { break };
            self.serve(slot);
            if self.counters.received_bytes >= received_bytes_until {
                break;
            }
        }
        Ok(())
    }

    fn may_accept(&mut self) -> bool {
        self.gate.wake(clock::monotonic);
        self.backlogged && !self.lifecycle.is_stopping() && self.gate.room(self.peers.len()) > 0
    }

    /// Accepts what waits in the backlog, up to a bound.
    fn on_accept(&mut self) {
        for _ in 0..ACCEPTS_MAX.min(self.gate.room(self.peers.len())) {
            self.counters.syscalls += 1;
            match self.kernel.accept(self.listener.as_fd()) {
                Ok(socket) => self.accept(socket),
                Err(errno) => match AcceptFault::of(errno) {
                    AcceptFault::Empty => return self.rearm_listener(),
                    AcceptFault::Aborted => self.counters.accept_aborts += 1,
                    AcceptFault::Exhausted => return self.pause_accepting(),
                },
            }
        }
    }

    /// Begins to serve an accepted connection.
    fn accept(&mut self, socket: K::Socket) {
        let peer = Peer {
            socket,
            connection: Connection::alternating(),
            owed: Owed::Nothing,
            watched: Interest::NOTHING,
            input: Input::Drained,
            writable: true,
            until_eagain: false,
        };
        let (slot, generation) = self
            .peers
            .insert(peer)
            .unwrap_or_else(|_| unreachable!("the gate has room only if the table has"));
        self.counters.accepted += 1;
        self.counters.syscalls += 1;
        let token = Token { op: Op::Connection, generation, slot };
        let interest = self.interest(slot);
        let peer = self.peers.at(slot);
        peer.watched = interest;
        if self.kernel.watch(&peer.socket, token.to_bits(), interest).is_err() {
            self.close(slot);
            self.pause_accepting();
        }
    }

    fn pause_accepting(&mut self) {
        self.counters.accept_pauses += 1;
        self.gate.rest(clock::monotonic());
    }

    /// As [`rearm`](Self::rearm), for the listener.
    fn rearm_listener(&mut self) {
        let token = Token::global(Op::Listener);
        self.counters.syscalls += 1;
        let watched =
            self.kernel.rewatch_listener(self.listener.as_fd(), token.to_bits(), Interest::READ_EDGE);
        // Without the watch nothing would tell of the next connection, so go on asking.
        self.backlogged = watched.is_err();
    }

    /// Waits for readiness, not at all if there is work, and puts who is ready on the ring.
    fn reap(&mut self) -> Result<(), ServeError> {
        let timeout = if !self.ready.is_empty() || self.may_accept() {
            Some(Nanos(0))
        } else {
            self.lifecycle.patience(self.gate.resting_until())
        };
        self.counters.syscalls += 1;
        let result = self.kernel.wait(&mut self.events, timeout);
        self.lifecycle.on_wait(result).map_err(|errno: Errno| ServeError::new("epoll_wait", errno))?;
        for index in 0..self.events.len() {
            let (user_data, readiness) = self.events.get(index);
            let token = Token::from_bits(user_data);
            match token.op {
                Op::Listener => self.backlogged = true,
                Op::Signal => self.on_signal(),
                _ => self.on_ready(token, readiness),
            }
        }
        Ok(())
    }

    fn on_ready(&mut self, token: Token, readiness: Readiness) {
        let Some(peer) = self.peers.get_mut(token.slot, token.generation) else {
            self.counters.stale += 1;
            return;
        };
        if readiness.readable() {
            peer.input = Input::Told;
        }
        peer.writable |= readiness.writable();
        peer.until_eagain |= readiness.read_until_eagain();
        let owes = peer.connection.owed_bytes() > 0;
        if (owes && readiness.writable()) || (!owes && readiness.readable()) {
            self.ready.push(token.slot);
        }
    }

    /// Lets a connection do as much as its budget and its socket allow.
    fn serve(&mut self, slot: Slot) {
        let mut turn = self.budget.turn();
        let owes = self.peers.at(slot).connection.owed_bytes() > 0;
        let mut next = if owes { Next::Send } else { Next::Recv };
        loop {
            let event = match next {
                Next::Recv if turn.is_over() => return self.yield_turn(slot),
                Next::Recv => self.on_recv(slot, &mut turn),
                Next::Send => self.on_send(slot),
                Next::Park => return self.follow(slot),
                Next::Close => return self.close(slot),
            };
            next = self.peers.at(slot).connection.on(event);
        }
    }

    fn on_recv(&mut self, slot: Slot, turn: &mut Turn) -> Event {
        let peer = self.peers.at(slot);
        if peer.input == Input::Drained {
            return Event::Idle;
        }
        let asked = turn.ask(self.hot.len());
        self.counters.syscalls += 1;
        match self.kernel.recv(&peer.socket, &mut self.hot[..asked]) {
            Ok(0) => Event::PeerClosed,
            Ok(count) => {
                // A read shorter than asked has drained a stream socket (epoll(7)); a later arrival is a new edge.
                let drained = count < asked && !peer.until_eagain;
                peer.input = if drained { Input::Drained } else { Input::Begun };
                peer.owed = Owed::Hot(0);
                turn.spend(count);
                self.counters.receives += 1;
                self.counters.received_bytes += count as u64;
                Event::Received(count)
            }
            Err(errno) if errno.would_block() => self.on_drained(slot),
            Err(errno) if errno.passing() => self.on_starved(slot),
            Err(_) => self.on_fault(),
        }
    }

    /// After bytes, an end to be believed. Of what an edge told and no receive has seen, a denial: then the kernel is
    /// asked again, since the edge that told is spent.
    fn on_drained(&mut self, slot: Slot) -> Event {
        let peer = self.peers.at(slot);
        let denied = peer.input == Input::Told || peer.until_eagain;
        (peer.input, peer.until_eagain) = (Input::Drained, false);
        if denied { self.rearm(slot) } else { Event::Idle }
    }

    /// The kernel had data and no memory to hand it over: back to the tail of the ready ring.
    fn on_starved(&mut self, slot: Slot) -> Event {
        self.counters.starved += 1;
        self.ready.push(slot);
        Event::Starved
    }

    /// Keeps what is owed out of the hot buffer, which the next connection needs.
    fn on_blocked(&mut self, slot: Slot) -> Event {
        let peer = self.peers.at(slot);
        if let Owed::Hot(start) = peer.owed {
            let owed = &self.hot[start..start + peer.connection.owed_bytes()];
            peer.owed = Owed::Spilled(self.spills.keep(owed));
        }
        Event::SendBlocked
    }

    fn on_send(&mut self, slot: Slot) -> Event {
        let peer = self.peers.at(slot);
        let owed = match &peer.owed {
            Owed::Nothing => unreachable!("a connection that owes holds its bytes"),
            Owed::Hot(start) => &self.hot[*start..*start + peer.connection.owed_bytes()],
            Owed::Spilled(spill) => self.spills.owed(spill),
        };
        if !peer.writable {
            return self.on_blocked(slot);
        }
        let owed_bytes = owed.len();
        self.counters.syscalls += 1;
        match self.kernel.send(&peer.socket, owed) {
            Ok(count) => {
                // A send taken in part has filled the send buffer (epoll(7)); room in it is a new edge.
                peer.writable = count == owed_bytes;
                self.counters.short_sends += u64::from(count < owed_bytes);
                self.counters.sent_bytes += count as u64;
                self.advance(slot, count, owed_bytes)
            }
            Err(errno) if errno.would_block() => {
                peer.writable = false;
                self.counters.short_sends += 1;
                self.rearm(slot);
                self.on_blocked(slot)
            }
            Err(errno) if errno.passing() => {
                self.ready.push(slot);
                self.on_blocked(slot)
            }
            Err(_) => self.on_fault(),
        }
    }

    /// Takes note of sent bytes where the bytes are held.
    fn advance(&mut self, slot: Slot, count: usize, owed_bytes: usize) -> Event {
        let peer = self.peers.at(slot);
        match &mut peer.owed {
            Owed::Nothing => unreachable!("a connection that owes holds its bytes"),
            Owed::Hot(start) => *start += count,
            Owed::Spilled(spill) => SpillPool::advance(spill, count),
        }
        if count == owed_bytes
            && let Owed::Spilled(spill) = std::mem::replace(&mut peer.owed, Owed::Nothing)
        {
            self.spills.release(spill);
        }
        Event::Sent(count)
    }

    fn on_fault(&mut self) -> Event {
        self.counters.peer_faults += 1;
        Event::Failed
    }

    /// Ends a turn with work left.
    fn yield_turn(&mut self, slot: Slot) {
        self.counters.yields += 1;
        match self.strategy {
            Readying::Edge | Readying::Busy => self.ready.push(slot),
            Readying::Level => self.follow(slot),
        }
    }

    /// Asks to be told of what can be acted on now, if that is not what the kernel was last asked.
    fn follow(&mut self, slot: Slot) {
        let wanted = self.interest(slot);
        if self.peers.at(slot).watched != wanted {
            self.watch(slot);
        }
    }

    /// Asks the kernel again whether the socket is ready: it has just denied what it told before.
    fn rearm(&mut self, slot: Slot) -> Event {
        self.watch(slot);
        Event::Idle
    }

    fn watch(&mut self, slot: Slot) {
        let token = Token { op: Op::Connection, generation: self.peers.generation(slot), slot };
        let interest = self.interest(slot);
        self.counters.syscalls += 1;
        let peer = self.peers.at(slot);
        if self.kernel.rewatch(&peer.socket, token.to_bits(), interest).is_ok() {
            peer.watched = interest;
        } else {
            // Without the watch nothing would wake the connection; the ready ring does, and the socket is asked again.
            (peer.input, peer.writable, peer.until_eagain) = (Input::Told, true, true);
            self.ready.push(slot);
        }
    }

    /// What to be told of. Edge-triggered, everything; level-triggered, what can be acted on, since all else is told for ever.
    fn interest(&mut self, slot: Slot) -> Interest {
        match (self.strategy, &self.peers.at(slot).owed) {
            (Readying::Edge | Readying::Busy, _) => Interest::STREAM_EDGE,
            (Readying::Level, Owed::Nothing) => Interest::READ,
            (Readying::Level, Owed::Hot(_) | Owed::Spilled(_)) => Interest::WRITE,
        }
    }

    fn close(&mut self, slot: Slot) {
        self.ready.remove(slot);
        let peer = self.peers.remove(slot);
        if let Owed::Spilled(spill) = peer.owed {
            self.spills.release(spill);
        }
        self.counters.syscalls += 1;
        self.counters.closed += 1;
        self.kernel.close(peer.socket);
    }
}
