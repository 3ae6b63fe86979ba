//! A first-in-first-out queue of connections: epoll's ready ring, io_uring's starved.

use std::collections::VecDeque;

use crate::slab::Slot;

/// Slots in the order they joined. Holds each slot at most once, so it never grows past the table it serves.
#[derive(Debug)]
pub struct SlotQueue {
    slots: VecDeque<Slot>,
    queued: Box<[bool]>,
    /// How often each slot has joined.
    #[cfg(test)]
    joins: Vec<u32>,
}

impl SlotQueue {
    /// An empty queue for a table of `capacity` slots.
    pub fn new(capacity: usize) -> Self {
        Self {
            slots: VecDeque::with_capacity(capacity),
            queued: vec![false; capacity].into(),
            #[cfg(test)]
            joins: vec![0; capacity],
        }
    }

    /// Appends `slot`, unless it is queued already.
    pub fn push(&mut self, slot: Slot) {
        if !self.queued[slot.index()] {
            self.queued[slot.index()] = true;
            self.slots.push_back(slot);
            #[cfg(test)]
            self.note(slot);
        }
    }

    /// Puts `slot` at the head, unless it is queued already: its turn goes on.
    pub fn push_front(&mut self, slot: Slot) {
        if !self.queued[slot.index()] {
            self.queued[slot.index()] = true;
            self.slots.push_front(slot);
            #[cfg(test)]
            self.note(slot);
        }
    }

    /// Puts `slot` back behind the first `ahead`, unless it is queued already: it left and was not served, so it waits on.
    pub fn put_back(&mut self, slot: Slot, ahead: usize) {
        if !std::mem::replace(&mut self.queued[slot.index()], true) {
            self.slots.insert(ahead.min(self.slots.len()), slot);
        }
    }

    /// Takes the slot at the head.
    pub fn pop(&mut self) -> Option<Slot> {
        let slot = self.slots.pop_front()?;
        self.queued[slot.index()] = false;
        Some(slot)
    }

    /// Takes `slot` out, wherever it stands, if it is queued.
    pub fn remove(&mut self, slot: Slot) {
        if std::mem::take(&mut self.queued[slot.index()]) {
            self.slots.retain(|&queued| queued != slot);
        }
    }

    /// Whether `slot` waits.
    pub fn contains(&self, slot: Slot) -> bool {
        self.queued[slot.index()]
    }

    /// How many slots wait.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
impl SlotQueue {
    fn note(&mut self, slot: Slot) {
        self.joins[slot.index()] += 1;
    }

    /// Who waits, and how often he has joined: who leaves and joins again waits anew.
    pub(in crate::server) fn line(&self) -> impl Iterator<Item = (Slot, u32)> + '_ {
        self.slots.iter().map(|slot| (*slot, self.joins[slot.index()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_leave_in_the_order_they_joined_and_once_only() {
        let mut queue = SlotQueue::new(3);
        for slot in [2, 0, 2, 1, 0] {
            queue.push(Slot(slot));
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|slot| slot.0).collect();
        assert_eq!(order, [2, 0, 1]);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_slot_whose_turn_goes_on_leaves_first() {
        let mut queue = SlotQueue::new(3);
        queue.push(Slot(0));
        queue.push(Slot(1));
        queue.push_front(Slot(2));
        queue.push_front(Slot(1));
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|slot| slot.0).collect();
        assert_eq!(order, [2, 0, 1]);
    }

    #[test]
    fn a_slot_put_back_stands_behind_those_put_back_before_it() {
        let mut queue = SlotQueue::new(5);
        for (ahead, slot) in [(0, 3), (0, 4)] {
            queue.push(Slot(ahead));
            queue.put_back(Slot(slot), ahead as usize);
        }
        queue.put_back(Slot(2), 1);
        queue.put_back(Slot(3), 9);
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|slot| slot.0).collect();
        assert_eq!(order, [4, 2, 3, 0]);
    }

    #[test]
    fn a_slot_taken_out_leaves_the_order_of_the_others() {
        let mut queue = SlotQueue::new(4);
        for slot in [3, 1, 2] {
            queue.push(Slot(slot));
        }
        queue.remove(Slot(1));
        queue.remove(Slot(0));
        queue.push(Slot(1));
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|slot| slot.0).collect();
        assert_eq!(order, [3, 2, 1]);
    }

    #[test]
    fn a_slot_may_join_again_after_it_left() {
        let mut queue = SlotQueue::new(1);
        queue.push(Slot(0));
        assert!(queue.contains(Slot(0)));
        queue.pop();
        assert!(!queue.contains(Slot(0)));
        queue.push(Slot(0));
        assert_eq!(queue.len(), 1);
    }
}
