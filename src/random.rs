//! Numbers that only look random: the same seed gives the same ones on every machine.

use std::hash::{BuildHasher, RandomState};

/// SplitMix64: 64 bits of state, every seed as good as any other. A recorded seed brings back its plan and its messages.
///
/// Source: Steele, Lea, Flood, OOPSLA 2014; constants of `java.util.SplittableRandom`.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Stream `number` of `seed`.
    ///
    /// States advance by a constant, so seeds that differ by a multiple of it would give one stream, shifted. The
    /// number is therefore scrambled before it is mixed in.
    pub const fn stream(seed: u64, number: u32) -> Self {
        let scrambled = Self(number as u64).next();
        Self(Self(seed ^ scrambled).next())
    }

    /// The next number, uniform over all of them.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The top byte of the next number.
    pub const fn next_byte(&mut self) -> u8 {
        (self.next() >> 56) as u8
    }

    /// Uniform in (0, 1]: a logarithm may be taken of it.
    pub const fn next_unit(&mut self) -> f64 {
        /// As many bits as a float's fraction holds, so that each value is exact.
        const BITS: u32 = 53;
        ((self.next() >> (u64::BITS - BITS)) + 1) as f64 / (1u64 << BITS) as f64
    }

    /// A number below `bound`, which must not be 0. Its bias is below `bound` / 2^64.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Puts `items` into random order. Source: Durstenfeld, Algorithm 235, CACM 7(7), 1964.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A seed that differs from run to run, for when the user names none.
pub fn fresh_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(random.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn neighbouring_streams_share_no_numbers() {
        let numbers = |stream| {
            let mut random = SplitMix64::stream(1, stream);
            (0..100).map(|_| random.next()).collect::<Vec<_>>()
        };
        let first = numbers(0);
        for other in 1..20 {
            assert!(numbers(other).iter().all(|number| !first.contains(number)), "stream {other}");
        }
    }

    #[test]
    fn units_lie_above_zero_and_average_a_half() {
        let mut random = SplitMix64::new(5);
        let units: Vec<f64> = (0..100_000).map(|_| random.next_unit()).collect();
        assert!(units.iter().all(|&unit| unit > 0.0 && unit <= 1.0));
        assert!((units.iter().sum::<f64>() / 1e5 - 0.5).abs() < 0.005);
    }

    #[test]
    fn every_order_of_three_comes_up_about_equally_often() {
        let mut random = SplitMix64::new(7);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            random.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Standard deviation of each count is sqrt(6000 * 1/6 * 5/6) = 29.
        assert!(counts.values().all(|&count: &i32| (count - 1000).abs() < 150), "{counts:?}");
    }

    #[test]
    fn a_seed_of_an_earlier_recording_still_gives_its_order_and_its_bytes() {
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
        SplitMix64::new(7).shuffle(&mut items);
        assert_eq!(items, [7, 4, 6, 1, 2, 5, 0, 3]);
        let mut random = SplitMix64::new(1);
        assert_eq!([0; 4].map(|_| random.next_byte()), [145, 190, 248, 113]);
    }
}
