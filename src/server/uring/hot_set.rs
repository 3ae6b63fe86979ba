//! How many provided buffers to publish: few enough that what they hold stays in cache.
//!
//! A buffer's size says little about that: of a 64 KiB buffer with a 256-byte message in it four cache lines are touched.
//! A connection that streams goes the other way: it fills its buffer again and again until its turn is over, and what
//! its socket has queued wants to be in cache as well. So the set is bounded in bytes that the turns under way are
//! expected to receive, not in buffers. Small messages get many buffers, and a burst of them finds one each; streams
//! get few, and each is drained while its lines are hot.

use crate::units::Bytes;

/// Turns over which the expected size is averaged, roughly.
const MEMORY: usize = 16;

/// Buffers published at the least, as far as there is demand: a send in flight must not hold up every receive.
const BUFFERS_MIN: usize = 1;

/// The size of the published set.
#[derive(Debug)]
pub(super) struct HotSet {
    hot_bytes: usize,
    buffers_max: usize,
    /// Moving average of the bytes of a turn, times [`MEMORY`].
    expected: usize,
}

impl HotSet {
    /// A set of at most `buffers_max` buffers whose connections receive about `hot_bytes` in their turns. Until it has
    /// seen turns it expects one full buffer in each, of `buffer_bytes`.
    pub(super) const fn new(hot_bytes: Bytes, buffers_max: usize, buffer_bytes: Bytes) -> Self {
        Self { hot_bytes: hot_bytes.0, buffers_max, expected: buffer_bytes.0 * MEMORY }
    }

    /// Takes note of a turn that has ended.
    pub(super) const fn note(&mut self, turn_bytes: usize) {
        self.expected = self.expected - self.expected / MEMORY + turn_bytes;
    }

    /// How many buffers to publish when `demand` receives want one.
    pub(super) fn target(&self, demand: usize) -> usize {
        demand.min((self.hot_bytes / self.expected_bytes()).max(BUFFERS_MIN)).min(self.buffers_max)
    }

    /// How many bytes a turn is expected to receive, at least one.
    pub(super) fn expected_bytes(&self) -> usize {
        (self.expected / MEMORY).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(turns: impl IntoIterator<Item = usize>) -> HotSet {
        let mut set = HotSet::new(Bytes::kib(1024), 512, Bytes::kib(64));
        turns.into_iter().for_each(|bytes| set.note(bytes));
        set
    }

    #[test]
    fn streams_get_few_buffers_and_small_messages_many() {
        assert_eq!(after([]).target(1000), 16);
        assert_eq!(after([65_536; 100]).target(1000), 16);
        assert_eq!(after([256; 400]).target(1000), 512);
        assert_eq!(after([524_288; 400]).target(1000), 2);
    }

    #[test]
    fn never_more_than_wanted_and_never_none() {
        assert_eq!(after([256; 400]).target(3), 3);
        let mut tiny = HotSet::new(Bytes(1), 512, Bytes::kib(64));
        tiny.note(65_536);
        assert_eq!(tiny.target(1000), BUFFERS_MIN);
    }
}
