//! Pieces against a model of the kernel that reads and moves the shared entries.

use super::*;
use crate::units::Bytes;
use proptest::prelude::*;
use std::collections::VecDeque;

const BUFFER_BYTES: usize = 100;

#[derive(Clone, Copy, Debug)]
enum Step {
    TopUp(u8),
    /// A receive of so many bytes, which ends its buffer early if it says so.
    Fill(u8, bool),
    Recycle(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0u8..6).prop_map(Step::TopUp),
        4 => (0u8..60, prop::bool::weighted(0.1)).prop_map(|(len, early)| Step::Fill(len, early)),
        4 => any::<u8>().prop_map(Step::Recycle),
    ]
}

/// Marks the bytes of `lease` as taken or free; false if one of them was so already.
fn mark(taken: &mut [[bool; BUFFER_BYTES]], lease: &Lease, as_taken: bool) -> bool {
    let bytes = &mut taken[usize::from(lease.provided().0)][lease.start..lease.start + lease.len];
    bytes.iter_mut().all(|byte| std::mem::replace(byte, as_taken) != as_taken)
}

proptest! {
    /// Pieces of a buffer lie one behind the other, none is where another is, and a buffer is published again only when it
    /// has none.
    #[test]
    fn pieces_never_overlap_and_every_buffer_comes_back(steps in prop::collection::vec(step(), 0..3000)) {
        const COUNT: usize = 7;
        let mut ring = BufRing::new(4, COUNT, Bytes(BUFFER_BYTES)).unwrap().in_pieces();
        // What the kernel has: buffers in the order in which it will use them, and how far it is in the first.
        let (mut queue, mut filled_bytes) = (VecDeque::<Bid>::new(), 0);
        let mut leases: Vec<Lease> = Vec::new();
        let mut taken = [[false; BUFFER_BYTES]; COUNT];
        for step in steps {
            match step {
                Step::TopUp(target) => {
                    let before = ring.tail;
                    ring.top_up(usize::from(target));
                    for position in before..ring.tail {
                        let (_, len, bid) = crate::sys::buf_ring::tests::published_entry(&ring, position);
                        prop_assert_eq!(len as usize, BUFFER_BYTES);
                        prop_assert!(leases.iter().all(|lease| lease.provided() != bid), "published with a piece leased");
                        queue.push_back(bid);
                    }
                }
                Step::Fill(len, early) => if let Some(&bid) = queue.front() {
                    let len = usize::from(len).min(BUFFER_BYTES - filled_bytes);
                    let ends = len > 0 && (early || filled_bytes + len == BUFFER_BYTES);
                    // Without bytes the flag may say anything.
                    let lease = ring.lease_piece(bid, len, if len > 0 { !ends } else { early });
                    prop_assert_eq!((lease.start, lease.len()), (filled_bytes, len));
                    prop_assert!(mark(&mut taken, &lease, true), "a piece lies where another is");
                    leases.push(lease);
                    filled_bytes += len;
                    if ends {
                        queue.pop_front();
                        filled_bytes = 0;
                    }
                },
                Step::Recycle(pick) => if !leases.is_empty() {
                    let lease = leases.swap_remove(usize::from(pick) % leases.len());
                    prop_assert!(mark(&mut taken, &lease, false), "a piece changed while it was leased");
                    ring.recycle(lease);
                },
            }
            prop_assert_eq!(ring.published(), queue.len());
            prop_assert_eq!(ring.free_bytes(), queue.len() * BUFFER_BYTES - filled_bytes);
            prop_assert!(ring.are_conserved(leases.len()));
        }
        leases.into_iter().for_each(|lease| ring.recycle(lease));
        prop_assert_eq!(ring.spare(), COUNT);
    }
}

#[test]
#[should_panic(expected = "40 bytes from 70 on in a buffer of 100")]
fn more_than_is_left_of_a_buffer_is_a_bug() {
    let mut ring = BufRing::new(1, 1, Bytes(BUFFER_BYTES)).unwrap().in_pieces();
    ring.top_up(1);
    let _first = ring.lease_piece(Bid(0), 70, true);
    let _second = ring.lease_piece(Bid(0), 40, true);
}

#[test]
#[should_panic(expected = "a piece of buffer 0 came while Lease owns it")]
fn a_piece_of_a_buffer_that_the_kernel_is_done_with_is_a_bug() {
    let mut ring = BufRing::new(1, 1, Bytes(BUFFER_BYTES)).unwrap().in_pieces();
    ring.top_up(1);
    let _first = ring.lease_piece(Bid(0), 70, false);
    let _second = ring.lease_piece(Bid(0), 10, true);
}
