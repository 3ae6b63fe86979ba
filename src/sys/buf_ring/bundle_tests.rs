//! Bundles against a model of the kernel that uses up the ring in order.

use super::*;
use crate::units::Bytes;
use proptest::prelude::*;
use std::collections::VecDeque;

const BUFFER_BYTES: usize = 100;

#[derive(Clone, Copy, Debug)]
enum Step {
    TopUp(u8),
    /// The kernel cuts the entry that it uses next.
    Cut(u8),
    /// A receive of so many bytes, as far as they find room.
    Fill(u16),
    /// The same, whose bundle nobody wants.
    Drop(u16),
    Recycle(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0u8..9).prop_map(Step::TopUp),
        1 => (1u8..100).prop_map(Step::Cut),
        3 => (1u16..500).prop_map(Step::Fill),
        1 => (1u16..500).prop_map(Step::Drop),
        9 => any::<u8>().prop_map(Step::Recycle),
    ]
}

/// Cuts the length of the entry at `position`, as the kernel would.
fn cut(ring: &BufRing, position: u16, len: usize) {
    let base = ring.ring.base().cast::<BufRingEntry>().as_ptr();
    // SAFETY: the masked position is inside the mapping, and nobody else refers to it.
    unsafe { (*base.add(usize::from(position & ring.mask))).set_len(len as u32) };
}

/// Takes a bundle of at most `bytes` out of the kernel's `queue` of buffers with their lengths. Returns what lies where.
fn take(queue: &mut VecDeque<(Bid, usize)>, bytes: u16) -> Vec<(Bid, usize)> {
    let (mut left, mut taken) = (usize::from(bytes), Vec::new());
    while left > 0
        && let Some((bid, len)) = queue.pop_front()
    {
        taken.push((bid, len.min(left)));
        left -= len.min(left);
    }
    taken
}

proptest! {
    #[test]
    fn a_bundle_is_the_buffers_that_the_kernel_filled(steps in prop::collection::vec(step(), 0..3000)) {
        const COUNT: usize = 13;
        let mut ring = BufRing::new(8, COUNT, Bytes(BUFFER_BYTES)).unwrap().in_bundles();
        let (mut queue, mut head, mut leases) = (VecDeque::new(), 0u16, Vec::new());
        for step in steps {
            match step {
                Step::TopUp(target) => {
                    let before = ring.tail;
                    ring.top_up(usize::from(target));
                    for step in 0..ring.tail.wrapping_sub(before) {
                        let (_, len, bid) = crate::sys::buf_ring::tests::published_entry(&ring, before.wrapping_add(step));
                        queue.push_back((bid, len as usize));
                    }
                }
                Step::Cut(len) => if let Some(first) = queue.front_mut() {
                    first.1 = first.1.min(usize::from(len));
                    cut(&ring, head, first.1);
                },
                Step::Fill(bytes) | Step::Drop(bytes) if !queue.is_empty() => {
                    let expected = take(&mut queue, bytes);
                    head = head.wrapping_add(expected.len() as u16);
                    let first = ring.lease_first(expected[0].0, expected.iter().map(|one| one.1).sum());
                    if matches!(step, Step::Drop(_)) {
                        ring.recycle(first);
                    } else {
                        let before = leases.len();
                        leases.push(first);
                        leases.extend(std::iter::from_fn(|| ring.next_of_bundle()));
                        let got: Vec<_> = leases[before..].iter().map(|lease| (lease.provided(), lease.len)).collect();
                        prop_assert_eq!(got, expected);
                    }
                }
                Step::Fill(_) | Step::Drop(_) => {}
                Step::Recycle(pick) => if !leases.is_empty() {
                    let lease = leases.swap_remove(usize::from(pick) % leases.len());
                    ring.recycle(lease);
                },
            }
            prop_assert_eq!(ring.published(), queue.len());
            prop_assert!(ring.are_conserved(leases.len()));
        }
    }
}

#[test]
#[should_panic(expected = "buffer 1 was filled, and 0 was next in the ring")]
fn a_bundle_that_begins_elsewhere_is_a_bug() {
    let mut ring = BufRing::new(2, 2, Bytes(BUFFER_BYTES)).unwrap().in_bundles();
    ring.top_up(2);
    let _ = ring.lease_first(Bid(1), 1);
}

#[test]
#[should_panic(expected = "100 bytes of the bundle before it were left")]
fn a_bundle_of_which_a_part_is_left_is_a_bug() {
    let mut ring = BufRing::new(4, 4, Bytes(BUFFER_BYTES)).unwrap().in_bundles();
    ring.top_up(4);
    let _first = ring.lease_first(Bid(0), 2 * BUFFER_BYTES);
    let _next = ring.lease_first(Bid(2), 1);
}
