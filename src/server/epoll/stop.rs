//! How the epoll server stops: told by a signal, ticking while its connections fall silent, over at the deadline.

use super::EpollServer;
use crate::server::core::connection::{Event, Next};
use crate::slab::Slot;
use crate::sys::readiness::Sockets;

impl<K: Sockets> EpollServer<K> {
    pub(super) fn on_signal(&mut self) {
        if !self.lifecycle.on_signals(&self.counters, self.peers.len()) {
            return;
        }
        self.listener.stop();
        self.for_each_peer(|server, slot| {
            server.peers.at(slot).connection.on(Event::Stop);
        });
    }

    /// A while into stopping: closes the connections on which nothing arrives any more. Not those on the ready ring: on them
    /// something has, which nobody has received yet.
    pub(super) fn on_tick(&mut self) {
        self.for_each_peer(|server, slot| {
            let waits = server.ready.contains(slot);
            if !waits && server.peers.at(slot).connection.on(Event::Tick) == Next::Close {
                server.close(slot);
            }
        });
    }

    pub(super) fn for_each_peer(&mut self, act: impl Fn(&mut Self, Slot)) {
        for slot in self.peers.slots().collect::<Vec<_>>() {
            act(self, slot);
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.lifecycle.is_stopping() && (self.peers.is_empty() || self.lifecycle.is_past_deadline())
    }
}
