//! Who may receive next, and how many buffers the kernel can choose from.
//!
//! The ring of buffers that connections share is small and hot. Those that want a buffer wait in one line. As many are
//! published as stay in cache, and each is promised to whoever is admitted to it, so that a small ring starves nobody.

use super::UringServer;
use super::hot_set::HotSet;
use super::strategy::Strategy;
use crate::server::core::queue::SlotQueue;
use crate::server::shell::config::{Publish, UringConfig};
use crate::slab::Slot;
use crate::sys::queues::Queues;

/// The line, and the set of buffers that it waits for.
pub(super) struct Admission {
    pub(super) waiting: SlotQueue,
    hot_set: HotSet,
    /// Receives outstanding.
    pub(super) receiving: usize,
    /// Connections admitted to a buffer since the last enter: their receives will take one for certain.
    pub(super) admitted: usize,
    /// Connections at the head of the line that were admitted in this iteration and found no buffer.
    pub(super) returned: usize,
    /// How many bytes have to be received in all until those in line go first, while they find no place in the queue.
    first_from_bytes: Option<u64>,
    publish: Publish,
    buffers_max: usize,
}

impl Admission {
    /// An empty line for the connections that `config` allows.
    pub(super) fn new(config: &UringConfig, publish: Publish) -> Self {
        let buffers_max = usize::from(config.buffers);
        Self {
            waiting: SlotQueue::new(config.common.connections_max),
            hot_set: HotSet::new(config.hot_bytes, buffers_max, config.common.buffer_bytes),
            receiving: 0,
            admitted: 0,
            returned: 0,
            first_from_bytes: None,
            publish,
            buffers_max,
        }
    }

    /// How many buffers the kernel should be able to choose from.
    pub(super) fn target(&self) -> usize {
        match self.publish {
            Publish::Demand => self.hot_set.target(self.receiving + self.waiting.len()),
            Publish::Full => self.buffers_max,
        }
    }

    /// How many bytes a turn is expected to receive, at least one.
    pub(super) fn expected_bytes(&self) -> usize {
        self.hot_set.expected_bytes()
    }
}

impl<S: Strategy, Q: Queues> UringServer<S, Q> {
    /// Publishes what is wanted, and lets as many receive as there are buffers, the longest wait first.
    pub(super) fn admit(&mut self) {
        self.publish();
        while self.admission.admitted < S::places(self) && self.has_room() {
            let Some(slot) = self.admission.waiting.pop() else { return };
            self.admission.admitted += 1;
            self.peers.at(slot).admitted = true;
            self.arm_recv(slot);
        }
    }

    /// Publishes what is wanted for receives that wait for data.
    pub(super) fn publish(&mut self) {
        self.ring.buffers.top_up(S::target(self));
    }

    /// Begins a turn of a connection whose last one is over, or whose receive goes on, and takes note of what that brought.
    pub(super) fn renew_turn(&mut self, slot: Slot) {
        let peer = self.peers.at(slot);
        self.admission.hot_set.note(self.budget.spent_bytes(peer.turn));
        peer.turn = self.budget.turn();
        peer.admitted = false;
    }

    /// Whether somebody waits for nothing but the next iteration.
    pub(super) fn may_admit(&self) -> bool {
        !self.admission.waiting.is_empty() && self.ring.buffers.published() > 0
    }

    /// Lets everybody who waits receive, as those do that need none of the shared buffers.
    pub(super) fn admit_all(&mut self) {
        while self.has_room()
            && let Some(slot) = self.admission.waiting.pop()
        {
            self.arm_recv(slot);
        }
    }

    /// Whether those in line have to be let in before completions are looked at. What these lead to may fill the submission
    /// queue, in one iteration after the other, and then there is no place for anybody in line. A turn of everybody else may
    /// pass: to let the line in at once costs busy streams a tenth, since they leave the cache between two receives.
    pub(super) fn line_goes_first(&mut self) -> bool {
        if self.admission.waiting.is_empty() || self.has_room() {
            self.admission.first_from_bytes = None;
            return false;
        }
        let (received_bytes, turn_each) = (self.counters.received_bytes, self.turn_of_each_bytes());
        received_bytes >= *self.admission.first_from_bytes.get_or_insert(received_bytes + turn_each)
    }

    fn turn_of_each_bytes(&self) -> u64 {
        (self.config.common.budget_bytes.0 * self.peers.len()) as u64
    }

    /// Whether somebody waits who needs none of the shared buffers.
    pub(super) fn somebody_waits(&self) -> bool {
        !self.admission.waiting.is_empty()
    }

    /// Whether `slot`, which has just received, may receive again when that is sent, without a look at who waits then.
    /// Takes note that it will.
    pub(super) fn may_receive_next(&mut self, slot: Slot) -> bool {
        let published = self.ring.buffers.published();
        let admission = &mut self.admission;
        let peer = self.peers.at(slot);
        if !admission.waiting.is_empty() || peer.backlogged && admission.admitted >= published {
            return false;
        }
        let turn_bytes = self.budget.spent_bytes(peer.turn);
        if !self.may_receive_on(slot) {
            return false;
        }
        let admission = &mut self.admission;
        if self.peers.at(slot).backlogged {
            admission.admitted += 1;
        } else {
            admission.hot_set.note(turn_bytes);
        }
        true
    }

    /// Whether the turn of `slot` goes on, or a new one begins as it has nothing left to receive.
    pub(super) fn may_receive_on(&mut self, slot: Slot) -> bool {
        let peer = self.peers.at(slot);
        if !peer.backlogged {
            peer.turn = self.budget.turn();
        }
        !peer.turn.is_over()
    }

    /// Receives again without a shared buffer: at once, or with data left and the turn over behind all that are served
    /// in this iteration.
    pub(super) fn rearm_without_line(&mut self, slot: Slot) {
        if self.may_receive_on(slot) {
            return self.arm_recv(slot);
        }
        self.counters.yields += 1;
        self.peers.at(slot).turn = self.budget.turn();
        self.admission.waiting.push(slot);
    }

    /// Receives again. With data left, before all that wait until the turn is over, and then behind them. Without, at
    /// once if nobody waits, for then it takes no buffer; a peer that answers at once would else overtake them all.
    pub(super) fn rearm_in_turn(&mut self, slot: Slot) {
        let places = S::places(self);
        let admission = &mut self.admission;
        let free = admission.waiting.is_empty() && admission.admitted < places;
        let peer = self.peers.at(slot);
        let (backlogged, over) = (peer.backlogged, peer.turn.is_over());
        if !backlogged || over {
            admission.hot_set.note(self.budget.spent_bytes(peer.turn));
            peer.turn = self.budget.turn();
        }
        self.counters.yields += u64::from(backlogged && over);
        match (backlogged, over) {
            (true, false) if !free => return admission.waiting.push_front(slot),
            (true, true) => return admission.waiting.push(slot),
            (false, _) if !admission.waiting.is_empty() => return admission.waiting.push(slot),
            _ => admission.admitted += usize::from(backlogged),
        }
        self.arm_recv(slot);
    }
}
