//! A poll tells of input; the server receives and sends by calls of its own, as the epoll engine does.
//!
//! A receive that falls short proves that the socket is drained, but for an urgent mark, at which it stops as well. A poll
//! cannot tell of one: what wakes it names urgent data whenever bytes of any kind arrive. So a signal does, and from the first
//! on this server receives until nothing comes.

use super::Strategy;
use crate::kernel_version::KernelVersion;
use crate::server::core::connection::{Event, Next};
use crate::server::shell::config::{Files, UringConfig};
use crate::server::shell::error::StartError;
use crate::server::uring::{UringServer, calls};
use crate::slab::Slot;
use crate::sys::Errno;
use crate::sys::queues::Queues;
use crate::sys::ring::Completion;
use crate::token::Op;

/// One multishot poll a connection, and calls.
pub(in crate::server::uring) struct Inline;

/// What the last poll left behind.
#[derive(Debug, Default)]
pub(in crate::server::uring) struct Polled {
    /// A receive that falls short does not prove that the socket is drained.
    until_eagain: bool,
    /// Nobody would tell of urgent data.
    deaf: bool,
    /// The poll was taken back to see whether the connection is quiet.
    asked_if_quiet: bool,
}

impl Strategy for Inline {
    const NAME: &'static str = "inline";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "a multishot poll tells of input; the server makes the calls itself";
    const OPERATIONS_PER_CONNECTION: usize = 2;
    const FILES: Files = Files::Plain;
    const COPIES: Option<&'static str> = Some(calls::COPIES);

    type Own = Polled;

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn check(config: &UringConfig) -> Result<(), StartError> {
        calls::check(Self::NAME, config)
    }

    fn begin<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let peer = server.peers.at(slot);
        // Nobody told of what had come before.
        peer.own.until_eagain = true;
        peer.own.deaf = server.ring.hear_of_urgent_data(peer.file).is_err();
        server.arm_poll(slot);
    }

    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.serve_ready();
    }

    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        !server.admission.waiting.is_empty()
    }

    fn reads_until_eagain<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) -> bool {
        let own = &server.peers.at(slot).own;
        own.until_eagain || own.deaf || server.lifecycle.has_heard_of_urgent_data()
    }

    fn on_poll<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot, completion: Completion) {
        let peer = server.peers.at(slot);
        peer.own.until_eagain |= completion.read_until_eagain();
        peer.own.asked_if_quiet |= completion.result() == Err(Errno(libc::ECANCELED));
        server.look_again(slot);
    }

    /// Its poll may have been heeded before this was heard, with a receive that stopped at the mark.
    fn on_urgent_data<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.look_again(slot);
    }

    /// With something left to receive, behind all that are ready. Without, when the poll tells.
    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        let peer = server.peers.at(slot);
        if peer.backlogged {
            server.counters.yields += u64::from(peer.turn.is_over());
            return server.admission.waiting.push(slot);
        }
        peer.own.until_eagain = false;
        if peer.in_flight.has(Op::Poll) {
            return;
        }
        if std::mem::take(&mut peer.own.asked_if_quiet)
            && server.on_taken_back(slot) == Event::Tick
            && server.peers.at(slot).connection.on(Event::Tick) == Next::Close
        {
            return server.close(slot);
        }
        server.arm_poll(slot);
    }
}

impl<Q: Queues> UringServer<Inline, Q> {
    /// Has a connection receive when its turn comes, and when what it owes is sent.
    fn look_again(&mut self, slot: Slot) {
        let peer = self.peers.at(slot);
        peer.backlogged = true;
        if !peer.in_flight.has(Op::Send) && !peer.connection.is_given_up() {
            self.admission.waiting.push(slot);
        }
    }

    fn arm_poll(&mut self, slot: Slot) {
        let token = self.token(Op::Poll, slot);
        let peer = self.peers.at(slot);
        peer.in_flight.begin(Op::Poll);
        self.ring.poll_input(peer.file, token);
    }
}
