//! Buffers of different groups are never taken for each other.

use super::*;
use crate::sys::ring::Ring;

impl<Q: Queues> Ring<Q> {
    /// Whether no buffer is lost and none is there twice, given how many are leased, of whatever group.
    pub(crate) fn are_conserved(&self, leased: usize) -> bool {
        if self.groups.rings.is_empty() {
            return self.buffers.are_conserved(leased);
        }
        let rings = || std::iter::once(&self.buffers).chain(&self.groups.rings);
        rings().map(BufRing::unleased).sum::<usize>() + leased == rings().map(BufRing::count).sum::<usize>()
    }
}

#[test]
fn a_buffer_goes_back_to_the_group_that_it_is_of() {
    let mut groups = Groups::new(10, 3, 4, Bytes(64)).unwrap();
    for index in 0..3 {
        groups.at(index).top_up(4);
    }
    assert!(!groups.have(Bid(9)) && groups.have(Bid(10)));
    for (bid, index) in [(10, 0), (13, 0), (14, 1), (17, 1), (18, 2), (21, 2)] {
        let lease = groups.of(Bid(bid)).lease(Bid(bid), 5);
        assert_eq!(groups.at(index).published(), 3, "buffer {bid}");
        assert_eq!(groups.leased(&lease, 2).1, 3);
        groups.of(Bid(bid)).recycle(lease);
        groups.at(index).top_up(4);
    }
}

#[test]
fn buffers_of_different_groups_are_in_different_places() {
    let mut groups = Groups::new(2, 5, 3, Bytes(100)).unwrap();
    let mut places = Vec::new();
    for bid in 2..17 {
        let ring = groups.of(Bid(bid));
        ring.top_up(3);
        let lease = ring.lease(Bid(bid), 100);
        places.push(groups.leased(&lease, 0).0.as_ptr().addr());
    }
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 100), "{places:x?}");
}

#[test]
fn more_buffers_than_the_kernel_can_number_are_refused() {
    assert_eq!(Groups::new(0, 16, 4096, Bytes(1)).map(|groups| groups.each()).ok(), Some(4096));
    assert!(Groups::new(1, 16, 4096, Bytes(1)).is_err());
    assert!(Groups::new(0, 1, 40_000, Bytes(1)).is_err());
}
