//! The buffer ring against a reference model: a pool, a queue that a fake kernel consumes, and leases.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

/// Reads what the kernel would: the tail, then the entry at `position`.
pub(super) fn published_entry(ring: &BufRing, position: u16) -> (u64, u32, Bid) {
    let base = ring.ring.base().cast::<BufRingEntry>().as_ptr();
    // SAFETY: the masked position is inside the mapping; this thread is the only writer.
    let entry = unsafe { &*base.add(usize::from(position & ring.mask)) };
    (entry.addr(), entry.len(), Bid(entry.bid()))
}

fn shared_tail(ring: &BufRing) -> u16 {
    let base = ring.ring.base().cast::<BufRingEntry>().as_ptr();
    // SAFETY: as in `publish_tail`.
    unsafe { AtomicU16::from_ptr(BufRingEntry::tail(base).cast_mut()).load(Ordering::Acquire) }
}

impl BufRing {
    /// Whether no buffer is lost and none is there twice, given how many leases there are.
    pub(crate) fn are_conserved(&self, leased: usize) -> bool {
        if self.is_incremental() {
            return self.pieces_are_conserved(leased);
        }
        self.unleased() + leased == self.count()
    }

    /// How many buffers are in the pool or published.
    pub(crate) fn unleased(&self) -> usize {
        self.pool.len() + self.published
    }

    /// How many buffers there are.
    pub(crate) fn count(&self) -> usize {
        self.owner.len()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    TopUp(u8),
    Fill,
    Recycle(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0u8..12).prop_map(Step::TopUp),
        3 => Just(Step::Fill),
        3 => any::<u8>().prop_map(Step::Recycle),
    ]
}

proptest! {
    #[test]
    fn buffers_are_conserved_and_never_shared(steps in prop::collection::vec(step(), 0..3000)) {
        const COUNT: usize = 11;
        let mut ring = BufRing::new(6, COUNT, Bytes(100)).unwrap();
        let (mut queue, mut head, mut leases) = (VecDeque::new(), 0u16, Vec::new());
        for step in steps {
            match step {
                Step::TopUp(target) => {
                    ring.top_up(usize::from(target));
                    for position in head.wrapping_add(queue.len() as u16)..shared_tail(&ring) {
                        let (addr, len, bid) = published_entry(&ring, position);
                        prop_assert_eq!(len, 100);
                        prop_assert_eq!(addr, ring.memory.base().as_ptr() as u64 + ring.stride as u64 * u64::from(bid.0));
                        prop_assert!(!queue.contains(&bid));
                        queue.push_back(bid);
                    }
                    prop_assert!(queue.len() <= 8);
                }
                Step::Fill => if let Some(bid) = queue.pop_front() {
                    head = head.wrapping_add(1);
                    let lease = ring.lease(bid, 7);
                    prop_assert_eq!(ring.leased(&lease, 3).1, 4);
                    leases.push(lease);
                },
                Step::Recycle(pick) => if !leases.is_empty() {
                    let lease = leases.swap_remove(usize::from(pick) % leases.len());
                    ring.recycle(lease);
                },
            }
            prop_assert_eq!(ring.published(), queue.len());
            prop_assert_eq!(ring.pool.len() + queue.len() + leases.len(), COUNT);
        }
    }
}

#[test]
fn the_buffer_recycled_last_is_published_first() {
    let mut ring = BufRing::new(4, 8, Bytes(64)).unwrap();
    ring.top_up(3);
    let leases: Vec<Lease> = (0..3).map(|bid| ring.lease(Bid(bid), 1)).collect();
    for lease in leases {
        ring.recycle(lease);
    }
    ring.top_up(1);
    assert_eq!(published_entry(&ring, 3).2, Bid(2));
}

#[test]
#[should_panic(expected = "was filled while Lease owns it")]
fn a_buffer_filled_twice_is_a_bug() {
    let mut ring = BufRing::new(1, 1, Bytes(64)).unwrap();
    ring.top_up(1);
    let _first = ring.lease(Bid(0), 1);
    let _second = ring.lease(Bid(0), 1);
}
