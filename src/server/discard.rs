//! A server that reads and answers nothing (RFC 863): what a client can offer is measured against it.
//!
//! Bytes are dropped in the kernel without a copy, so that next to the echo servers it costs nothing. It is no twin of
//! theirs: level-triggered, one receive a connection and iteration, no ledger.

use std::os::fd::{AsFd, OwnedFd};

use crate::measure::counters::{Counters, Settings};
use crate::server::epoll::watch;
use crate::server::shell::config::Config;
use crate::server::shell::error::{ServeError, StartError};
use crate::server::shell::fit::Fitted;
use crate::server::shell::lifecycle::Lifecycle;
use crate::server::shell::listener::{AcceptFault, Gate, Listener};
use crate::slab::{Slab, Slot};
use crate::sys::epoll::{Epoll, Events, Interest};
use crate::sys::{clock, socket};
use crate::token::{Op, Token};
use crate::units::{Bytes, Nanos};

/// Events fetched by one wait.
const EVENTS_MAX: usize = 1024;

/// Connections accepted in one iteration.
const ACCEPTS_MAX: usize = 64;

/// A discarding server, listening.
pub struct DiscardServer {
    epoll: Epoll,
    events: Events,
    listener: Listener,
    gate: Gate,
    /// Whether the backlog may hold a connection. Edge-triggered: the kernel says so once.
    is_backlogged: bool,
    peers: Slab<OwnedFd>,
    /// Most bytes dropped by one call.
    receive_bytes: usize,
    lifecycle: Lifecycle,
    counters: Counters,
}

impl DiscardServer {
    /// Binds, allocates everything the server will use, and says that it listens. Of `config` the budget, the preset and
    /// the drain mean nothing here.
    ///
    /// # Errors
    /// With cause and remedy; see [`StartError`].
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let Fitted { config, notes } = Fitted::of(config, Bytes(0))?;
        let config = &config;
        let mut lifecycle = Lifecycle::start(config)?;
        let listener = Listener::bind(config)?;
        let epoll = watch::open(&listener, &lifecycle)?;
        lifecycle.announce(listener.addr(), settings(config), &notes);
        Ok(Self {
            epoll,
            events: Events::with_capacity(EVENTS_MAX),
            listener,
            gate: Gate::new(config.connections_max),
            is_backlogged: false,
            peers: Slab::new(config.connections_max),
            receive_bytes: config.buffer_bytes.0,
            lifecycle,
            counters: Counters::default(),
        })
    }

    /// Serves until told to stop, which it does at once: it owes nobody anything.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    pub fn run(mut self) -> Result<Counters, ServeError> {
        while !self.lifecycle.is_stopping() {
            self.iterate()?;
        }
        self.counters.cut_off += self.peers.len() as u64;
        self.lifecycle.finish(&self.counters);
        Ok(self.counters)
    }

    fn iterate(&mut self) -> Result<(), ServeError> {
        self.counters.iterations += 1;
        self.wait()?;
        for index in 0..self.events.len() {
            let token = Token::from_bits(self.events.get(index).0);
            match token.op {
                Op::Listener => self.is_backlogged = true,
                Op::Signal => drop(self.lifecycle.on_signals(&self.counters, self.peers.len())),
                _ if self.peers.get_mut(token.slot, token.generation).is_none() => self.counters.stale += 1,
                _ => self.discard(token.slot),
            }
        }
        if self.may_accept() {
            self.on_accept();
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), ServeError> {
        let timeout = if self.may_accept() {
            Some(Nanos(0))
        } else {
            self.lifecycle.patience(self.gate.resting_until())
        };
        self.counters.syscalls += 1;
        let result = self.epoll.wait(&mut self.events, timeout).map(drop);
        self.lifecycle.on_wait(result).map_err(|errno| ServeError::new("epoll_wait", errno))
    }

    fn may_accept(&mut self) -> bool {
        self.gate.wake(clock::monotonic);
        self.is_backlogged && self.gate.room(self.peers.len()) > 0
    }

    fn on_accept(&mut self) {
        for _ in 0..ACCEPTS_MAX.min(self.gate.room(self.peers.len())) {
            self.counters.syscalls += 1;
            match socket::accept(self.listener.as_fd()) {
                Ok(fd) => self.accept(fd),
                Err(errno) => match AcceptFault::of(errno) {
                    AcceptFault::Empty => {
                        self.is_backlogged = false;
                        return;
                    }
                    AcceptFault::Aborted => self.counters.accept_aborts += 1,
                    AcceptFault::Exhausted => return self.pause_accepting(),
                },
            }
        }
    }

    fn accept(&mut self, fd: OwnedFd) {
        let (slot, generation) =
            self.peers.insert(fd).unwrap_or_else(|_| unreachable!("the gate has room only if the table has"));
        let token = Token { op: Op::Connection, generation, slot };
        self.counters.accepted += 1;
        self.counters.syscalls += 1;
        if self.epoll.add(self.peers.at(slot).as_fd(), token.to_bits(), Interest::READ).is_err() {
            self.close(slot);
            self.pause_accepting();
        }
    }

    fn pause_accepting(&mut self) {
        self.counters.accept_pauses += 1;
        self.gate.rest(clock::monotonic());
    }

    fn discard(&mut self, slot: Slot) {
        self.counters.syscalls += 1;
        match socket::discard(self.peers.at(slot).as_fd(), self.receive_bytes) {
            Ok(0) => self.close(slot),
            Ok(count) => {
                self.counters.receives += 1;
                self.counters.received_bytes += count as u64;
            }
            Err(errno) if errno.would_block() || errno.interrupted() => {}
            Err(_) => {
                self.counters.peer_faults += 1;
                self.close(slot);
            }
        }
    }

    fn close(&mut self, slot: Slot) {
        self.counters.syscalls += 1;
        self.counters.closed += 1;
        drop(self.peers.remove(slot));
    }
}

/// The settings in force, as `key=value`.
fn settings(config: &Config) -> Settings {
    let cpu = config.cpu.map_or("any".into(), |cpu| cpu.to_string());
    let pairs = [
        ("engine", "discard".to_owned()),
        ("cpu", cpu),
        ("max_connections", config.connections_max.to_string()),
        ("backlog", config.backlog.to_string()),
        ("buffer_bytes", config.buffer_bytes.to_string()),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}
