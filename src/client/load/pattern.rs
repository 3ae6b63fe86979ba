//! What flows send: bytes that say which connection and which position they belong to.
//!
//! One table of pseudo-random bytes, repeated for ever, is every flow's stream; each flow begins at an origin of its
//! own. Sending is slicing the table and checking is comparing with it, so neither costs more than reading memory.
//!
//! The period is prime. A byte lost, doubled or moved shifts the rest of a stream by a distance that would have to be a
//! multiple of 65,521 to go unseen; bytes of another connection match only where both are at the same place of the
//! table. Buffers of the usual sizes, powers of two and round decimals, are neither.

use crate::random::SplitMix64;

/// Bytes before the table repeats: the largest prime below 2^16, so that checking stays within a core's cache.
const PERIOD: usize = 65_521;

/// Distance between the origins of neighbouring connections: the golden section of the period, which spreads any
/// number of them evenly. No two connections share one as long as there are fewer than [`PERIOD`].
const ORIGIN_STEP: usize = 40_494;

/// Where in the table a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin(u32);

impl Origin {
    /// The origin of connection `number`.
    pub(crate) const fn of(number: u32) -> Self {
        Self((number as usize * ORIGIN_STEP % PERIOD) as u32)
    }

    const fn phase(self, position: u64) -> usize {
        ((self.0 as u64 + position) % PERIOD as u64) as usize
    }
}

/// The table.
pub(crate) struct Pattern {
    /// One period, then as much of the next as the largest slice needs.
    table: Box<[u8]>,
}

impl Pattern {
    /// The table of `seed`, good for slices up to `slice_bytes_max`.
    pub(crate) fn new(seed: u64, slice_bytes_max: usize) -> Self {
        let mut random = SplitMix64::new(seed);
        let period: Vec<u8> = (0..PERIOD).map(|_| random.next_byte()).collect();
        Self { table: period.iter().copied().cycle().take(PERIOD + slice_bytes_max).collect() }
    }

    /// The `count` bytes of a stream from `position` on.
    pub(crate) fn slice(&self, origin: Origin, position: u64, count: usize) -> &[u8] {
        let phase = origin.phase(position);
        &self.table[phase..phase + count]
    }

    /// Compares `bytes`, received at `position`, with what was sent there.
    ///
    /// # Errors
    /// The first byte that differs.
    pub(crate) fn check(&self, origin: Origin, position: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        let (mut phase, mut rest, mut position) = (origin.phase(position), bytes, position);
        while !rest.is_empty() {
            // Within one period, however much arrived: what was compared last is still in the cache.
            let (piece, behind) = rest.split_at(rest.len().min(PERIOD - phase));
            let expected = &self.table[phase..phase + piece.len()];
            if piece != expected {
                return Err(Mismatch::find(position, expected, piece));
            }
            (phase, rest, position) = (0, behind, position + piece.len() as u64);
        }
        Ok(())
    }
}

/// A byte that is not what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Where in the flow's stream.
    pub(crate) position: u64,
    /// What was sent there.
    pub(crate) expected: u8,
    /// What came back.
    pub(crate) found: u8,
}

impl Mismatch {
    fn find(position: u64, expected: &[u8], found: &[u8]) -> Self {
        let index = expected.iter().zip(found).position(|(a, b)| a != b).expect("the slices differ");
        Self { position: position + index as u64, expected: expected[index], found: found[index] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICE_BYTES: usize = 200_000;

    fn stream(connection: u32) -> (Pattern, Origin, Vec<u8>) {
        let pattern = Pattern::new(7, SLICE_BYTES);
        let origin = Origin::of(connection);
        let bytes = pattern.slice(origin, 0, SLICE_BYTES).to_vec();
        (pattern, origin, bytes)
    }

    fn mismatch_at(result: Result<(), Mismatch>) -> u64 {
        result.expect_err("the fault goes unseen").position
    }

    #[test]
    fn what_was_sent_passes_in_any_pieces() {
        let (pattern, origin, bytes) = stream(3);
        for piece_bytes in [1000, 4096, 65_521, 65_536, SLICE_BYTES] {
            let mut position = 0;
            for piece in bytes.chunks(piece_bytes) {
                assert_eq!(pattern.check(origin, position, piece), Ok(()));
                position += piece.len() as u64;
            }
        }
    }

    #[test]
    fn slices_of_one_stream_join_without_a_seam() {
        let (pattern, origin, bytes) = stream(3);
        for position in [0, 1, 65_520, 65_521, 65_522, 131_000] {
            assert_eq!(pattern.slice(origin, position as u64, 1000), &bytes[position..position + 1000]);
        }
    }

    #[test]
    fn a_changed_byte_is_found_where_it_is() {
        let (pattern, origin, mut bytes) = stream(1);
        bytes[150_000] ^= 1;
        let found = pattern.check(origin, 0, &bytes).unwrap_err();
        assert_eq!((found.position, found.found), (150_000, found.expected ^ 1));
    }

    #[test]
    fn a_dropped_byte_is_found() {
        let (pattern, origin, mut bytes) = stream(1);
        bytes.remove(5000);
        assert!((5000..5010).contains(&mismatch_at(pattern.check(origin, 0, &bytes))));
    }

    #[test]
    fn a_doubled_block_is_found() {
        let (pattern, origin, bytes) = stream(1);
        let doubled = [&bytes[..8192], &bytes[4096..]].concat();
        assert!((8192..8202).contains(&mismatch_at(pattern.check(origin, 0, &doubled))));
    }

    #[test]
    fn swapped_buffers_are_found_at_every_usual_size() {
        for size in [1024, 4096, 8192, 10_000, 16_384, 32_768, 65_536, 100_000] {
            let (pattern, origin, mut bytes) = stream(2);
            let (first, second) = bytes.split_at_mut(size);
            first.swap_with_slice(&mut second[..size]);
            assert!(mismatch_at(pattern.check(origin, 0, &bytes)) < 10, "size {size}");
        }
    }

    #[test]
    fn bytes_of_another_connection_are_found() {
        let (pattern, origin, _) = stream(2);
        for other in [0, 1, 3, 511, 9999, 59_999] {
            let (_, _, bytes) = stream(other);
            assert!(mismatch_at(pattern.check(origin, 0, &bytes)) < 10, "connection {other}");
        }
    }

    #[test]
    fn no_two_connections_begin_at_the_same_place() {
        let origins: std::collections::HashSet<u32> =
            (0..60_000).map(|number| Origin::of(number).0).collect();
        assert_eq!(origins.len(), 60_000);
    }
}
