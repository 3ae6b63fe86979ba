//! Receives that share a buffer, or that fill several.

use proptest::prelude::RngExt;

use super::completion::{BUFFER_SHIFT, F_BUF_MORE, F_BUFFER, F_SOCK_NONEMPTY, result_of};
use super::entry::Recv;
use super::provided::Taken;
use super::queues::FakeQueues;

impl FakeQueues {
    /// Hands over `buffer` of `group` with `count` bytes in it. Returns the flags that say so.
    ///
    /// One that is filled piece by piece is kept until it is full, or given up early. A receive without bytes does not end it,
    /// whether the flags say so or not.
    pub(super) fn hand_over(&mut self, group: u16, buffer: &Taken, count: usize) -> u32 {
        let flags = F_BUFFER | u32::from(buffer.bid.0) << BUFFER_SHIFT;
        if !self.provided.of(group).incremental {
            return flags;
        }
        let ends = count > 0 && (count == buffer.len() || self.fate.errs());
        self.provided.of_mut(group).advance(count, ends);
        let says_more = if count > 0 { !ends } else { self.fate.random.random() };
        flags | if says_more { F_BUF_MORE } else { 0 }
    }

    /// Receives into as many buffers as are there and it takes, now and then more than was asked for: Linux looks once more at
    /// a socket that has more.
    pub(super) fn receive_bundle(&mut self, index: usize, how: Recv) -> bool {
        self.cut_entry(how.group);
        let goes_on = self.fate.random.random();
        let arrived_bytes = self.fate.world.at(self.pending[index].file).arrived_bytes();
        let wanted = if goes_on { arrived_bytes } else { arrived_bytes.min(how.bytes_max) };
        let most = wanted.min(self.provided.of(how.group).room_bytes());
        if most == 0 {
            return self.finish(index, -libc::ENOBUFS, 0);
        }
        let count = if self.fate.errs() { self.fate.random.random_range(1..=most) } else { most };
        let (mut left, mut first) = (count, None);
        let peer = self.fate.world.at(self.pending[index].file);
        while left > 0 {
            let buffer = self.provided.take(how.group).expect("there is room");
            let len = left.min(buffer.len());
            buffer.fill(peer.receive(len));
            left -= len;
            first.get_or_insert(buffer.bid);
        }
        let more = peer.arrived_bytes() > 0;
        let hint = if more != self.fate.errs() { F_SOCK_NONEMPTY } else { 0 };
        let bid = first.expect("a bundle of bytes begins in a buffer");
        self.finish(index, result_of(count), F_BUFFER | u32::from(bid.0) << BUFFER_SHIFT | hint)
    }

    /// Now and then a bundle of which nothing comes leaves the length of the next buffer cut.
    pub(super) fn cut_entry(&mut self, group: u16) {
        if self.fate.errs() {
            let len = self.fate.random.random_range(1..=20);
            self.provided.of_mut(group).cut(len);
        }
    }
}
