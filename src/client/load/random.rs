//! Numbers that only look random: the same seed gives the same ones on every machine.

/// SplitMix64: a few lines that pass for random. Source: Steele, Lea, Flood, OOPSLA 2014.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Stream `number` of `seed`.
    ///
    /// States advance by a constant, so seeds that differ by a multiple of it would give one stream, shifted. The
    /// number is therefore scrambled before it is mixed in.
    pub(crate) const fn stream(seed: u64, number: u32) -> Self {
        let scrambled = Self(number as u64).next();
        Self(Self(seed ^ scrambled).next())
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The top byte of the next number.
    pub(crate) const fn next_byte(&mut self) -> u8 {
        (self.next() >> 56) as u8
    }

    /// Uniform in (0, 1]: a logarithm may be taken of it.
    pub(crate) const fn next_unit(&mut self) -> f64 {
        /// As many bits as a float's fraction holds, so that each value is exact.
        const BITS: u32 = 53;
        ((self.next() >> (u64::BITS - BITS)) + 1) as f64 / (1u64 << BITS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
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
}
