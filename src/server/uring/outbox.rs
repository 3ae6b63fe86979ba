//! What a connection is owed, and where it is: filled buffers in the order in which they came.
//!
//! One that alternates has one buffer at most, kept in place. What is received ahead queues in nodes that all connections
//! share, so that nothing is allocated while the server serves.

use std::iter;

use crate::sys::buf_ring::Lease;

/// No node.
const NONE: u32 = u32::MAX;

struct Node {
    lease: Option<Lease>,
    next: u32,
}

/// The nodes that outboxes queue in.
pub(super) struct Nodes {
    nodes: Box<[Node]>,
    /// The node freed last, which links to the one freed before it.
    free: u32,
}

impl Nodes {
    /// Nodes for `count` buffers that are not the first of their outbox.
    pub(super) fn new(count: usize) -> Self {
        let count = u32::try_from(count).expect("buffers are numbered in 32 bits");
        let node = |next| Node { lease: None, next: if next < count { next } else { NONE } };
        Self { nodes: (1..=count).map(node).collect(), free: if count > 0 { 0 } else { NONE } }
    }

    fn take(&mut self, lease: Lease) -> u32 {
        let index = self.free;
        assert!(index != NONE, "more buffers are owed than there are");
        let node = &mut self.nodes[index as usize];
        self.free = node.next;
        (node.lease, node.next) = (Some(lease), NONE);
        index
    }

    fn release(&mut self, index: u32) -> (Lease, u32) {
        let node = &mut self.nodes[index as usize];
        let (lease, next) = (node.lease.take().expect("a queued node holds a buffer"), node.next);
        node.next = self.free;
        self.free = index;
        (lease, next)
    }
}

/// What one connection is owed.
#[derive(Debug)]
pub(super) struct Outbox {
    head: Option<Lease>,
    /// How much of the head has been sent.
    sent_bytes: usize,
    /// All that is owed.
    owed_bytes: usize,
    first: u32,
    last: u32,
    len: usize,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { head: None, sent_bytes: 0, owed_bytes: 0, first: NONE, last: NONE, len: 0 }
    }
}

impl Outbox {
    /// The buffer to send from next, and from which of its bytes on.
    pub(super) fn head(&self) -> Option<(&Lease, usize)> {
        self.head.as_ref().map(|lease| (lease, self.sent_bytes))
    }

    /// All buffers to send from, and from which of their bytes on.
    pub(super) fn segments<'a>(&'a self, nodes: &'a Nodes) -> impl Iterator<Item = (&'a Lease, usize)> {
        let node = |index: u32| (index != NONE).then(|| &nodes.nodes[index as usize]);
        let queued = iter::successors(node(self.first), move |one| node(one.next));
        self.head().into_iter().chain(queued.filter_map(|one| one.lease.as_ref()).map(|lease| (lease, 0)))
    }

    /// How many bytes are left to send.
    pub(super) const fn owed_bytes(&self) -> usize {
        self.owed_bytes
    }

    /// How many buffers it holds.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Queues a filled buffer behind what is owed already.
    pub(super) fn push(&mut self, nodes: &mut Nodes, lease: Lease) {
        self.owed_bytes += lease.len();
        self.len += 1;
        if self.head.is_none() {
            self.head = Some(lease);
            return;
        }
        let index = nodes.take(lease);
        match self.last {
            NONE => self.first = index,
            last => nodes.nodes[last as usize].next = index,
        }
        self.last = index;
    }

    /// Takes note that `count` bytes were sent. `recycle` gets every buffer that is done with.
    ///
    /// # Panics
    /// If less is owed.
    pub(super) fn advance(&mut self, nodes: &mut Nodes, count: usize, mut recycle: impl FnMut(Lease)) {
        assert!(count <= self.owed_bytes, "sent {count} of {} owed bytes", self.owed_bytes);
        self.owed_bytes -= count;
        self.sent_bytes += count;
        while let Some(lease) = self.head.take_if(|lease| lease.len() <= self.sent_bytes) {
            self.sent_bytes -= lease.len();
            recycle(lease);
            self.pull(nodes);
        }
    }

    /// Gives up all that is owed.
    pub(super) fn clear(&mut self, nodes: &mut Nodes, mut recycle: impl FnMut(Lease)) {
        while let Some(lease) = self.head.take() {
            recycle(lease);
            self.pull(nodes);
        }
        (self.sent_bytes, self.owed_bytes) = (0, 0);
    }

    /// The next buffer becomes the head.
    fn pull(&mut self, nodes: &mut Nodes) {
        self.len -= 1;
        if self.first == NONE {
            return;
        }
        let (lease, next) = nodes.release(self.first);
        self.head = Some(lease);
        self.first = next;
        if next == NONE {
            self.last = NONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        /// Two outboxes share their nodes; each is a queue of its own.
        #[test]
        fn an_outbox_gives_back_every_buffer_once_and_in_order(steps in prop::collection::vec(any::<(bool, bool, u8)>(), 0..300)) {
            const BUFFERS: usize = 12;
            let mut nodes = Nodes::new(BUFFERS);
            let mut outboxes = [Outbox::default(), Outbox::default()];
            let mut models: [VecDeque<(u16, usize)>; 2] = Default::default();
            let mut bid = 0;
            for (second, fills, size) in steps {
                let (outbox, model) = (&mut outboxes[usize::from(second)], &mut models[usize::from(second)]);
                if fills && outbox.len() < BUFFERS / 2 {
                    bid += 1;
                    let len = usize::from(size) + 1;
                    outbox.push(&mut nodes, Lease::for_test(bid, len));
                    model.push_back((bid, len));
                } else {
                    let mut count = usize::from(size).min(outbox.owed_bytes());
                    let mut given = Vec::new();
                    outbox.advance(&mut nodes, count, |lease| given.push(lease.bid_for_test()));
                    let mut expected = Vec::new();
                    while let Some(front) = model.front_mut().filter(|front| count > 0 && front.1 <= count) {
                        count -= front.1;
                        expected.push(front.0);
                        model.pop_front();
                    }
                    if count > 0 {
                        model.front_mut().unwrap().1 -= count;
                    }
                    prop_assert_eq!(given, expected);
                }
                prop_assert_eq!(outbox.len(), model.len());
                prop_assert_eq!(outbox.owed_bytes(), model.iter().map(|one| one.1).sum::<usize>());
                let left: Vec<_> = outbox.segments(&nodes).map(|(lease, sent)| (lease.bid_for_test(), lease.len() - sent)).collect();
                prop_assert_eq!(left, model.iter().copied().collect::<Vec<_>>());
            }
            for (outbox, model) in outboxes.iter_mut().zip(models) {
                let mut given = Vec::new();
                outbox.clear(&mut nodes, |lease| given.push(lease.bid_for_test()));
                prop_assert_eq!(given, model.into_iter().map(|one| one.0).collect::<Vec<_>>());
                prop_assert_eq!((outbox.len(), outbox.owed_bytes()), (0, 0));
            }
        }
    }
}
