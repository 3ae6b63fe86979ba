//! What may be said of a ratio.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Control;
use crate::spec::Size;

/// Pairs that a claim takes.
const PAIRS_MIN: usize = 5;
/// Pairs that a claim of a difference below [`SMALL_EFFECT`] takes.
const PAIRS_MIN_OF_SMALL: usize = 10;
/// What counts as a small difference, as a share.
const SMALL_EFFECT: f64 = 0.05;

/// What may be said of a ratio of two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The numerator is smaller.
    Less,
    /// The numerator is larger.
    More,
    /// The recording could have told a difference, and tells none.
    NoDifference,
    /// The recording claims nothing here, whatever the number.
    NoClaim,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "less",
            Self::More => "more",
            Self::NoDifference => "no difference",
            Self::NoClaim => "no claim",
        })
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a recording claims nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It is of the size `quick`: too few and too short runs.
    Quick,
    /// It has no A/A control of the metric, or one of a single pair, so nobody knows what is noise in it.
    NoControl,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick size: claims nothing",
            Self::NoControl => "no A/A control: claims nothing",
        })
    }
}

/// What a recording may claim of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judge(Result<f64, Silence>);

impl Judge {
    /// The judge of a metric in a recording of `size`, whose control of that metric is `control`.
    pub fn new(size: Size, control: Option<&Control>) -> Self {
        match (size, control.and_then(|control| control.smallest_effect)) {
            (Size::Quick, _) => Self(Err(Silence::Quick)),
            (Size::Full, None) => Self(Err(Silence::NoControl)),
            (Size::Full, Some(smallest_effect)) => Self(Ok(smallest_effect)),
        }
    }

    /// A judge that lets nothing be claimed.
    pub const fn silent(why: Silence) -> Self {
        Self(Err(why))
    }

    /// The smallest difference that may be claimed, as a share.
    ///
    /// # Errors
    /// Why nothing may be claimed at all.
    pub const fn smallest_effect(&self) -> Result<f64, Silence> {
        self.0
    }

    /// What may be said of a `ratio` that stands on `pairs` and lies in `interval`.
    ///
    /// It is different from 1 when its interval does not hold 1 and its effect is larger than the smallest one. A
    /// difference of less than 5 % takes ten pairs, any other five.
    pub fn word(&self, ratio: Option<f64>, interval: Option<(f64, f64)>, pairs: usize) -> Word {
        let (Ok(smallest_effect), Some(ratio), Some((low, high))) = (self.0, ratio, interval) else {
            return Word::NoClaim;
        };
        let effect = effect(ratio);
        let holds_1 = low <= 1.0 && high >= 1.0;
        match pairs {
            ..PAIRS_MIN => Word::NoClaim,
            _ if holds_1 || effect <= smallest_effect => Word::NoDifference,
            ..PAIRS_MIN_OF_SMALL if effect < SMALL_EFFECT => Word::NoClaim,
            _ if high < 1.0 => Word::Less,
            _ => Word::More,
        }
    }
}

/// How far `ratio` is from 1, as a share of the larger side: 0.1 for 0.9 and for 1 ÷ 0.9. So it does not matter which
/// server is the numerator.
pub fn effect(ratio: f64) -> f64 {
    1.0 - ratio.min(ratio.recip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Mean, Ratio};
    use uring_echo::random::SplitMix64;

    /// A judge of a full recording that may claim differences above 3 %.
    const JUDGE: Judge = Judge(Ok(0.03));

    fn word(ratio: f64, interval: (f64, f64), pairs: usize) -> Word {
        JUDGE.word(Some(ratio), Some(interval), pairs)
    }

    #[test]
    fn a_difference_is_told_when_it_clears_both_the_interval_and_the_control() {
        assert_eq!(word(0.90, (0.85, 0.95), 10), Word::Less);
        assert_eq!(word(1.20, (1.10, 1.30), 10), Word::More);
        // The interval holds 1, or ends there.
        assert_eq!(word(0.90, (0.70, 1.01), 10), Word::NoDifference);
        assert_eq!(word(0.90, (0.70, 1.00), 10), Word::NoDifference);
        // The interval excludes 1 and the control does not let it be claimed.
        assert_eq!(word(0.975, (0.96, 0.98), 10), Word::NoDifference);
        assert_eq!(word(1.03, (1.02, 1.04), 10), Word::NoDifference);
    }

    #[test]
    fn a_small_difference_takes_ten_pairs_and_any_other_five() {
        assert_eq!([4, 5].map(|pairs| word(0.90, (0.85, 0.95), pairs)), [Word::NoClaim, Word::Less]);
        assert_eq!([9, 10].map(|pairs| word(0.96, (0.95, 0.97), pairs)), [Word::NoClaim, Word::Less]);
        assert_eq!(word(0.99, (0.90, 1.10), 4), Word::NoClaim);
    }

    #[test]
    fn quick_recordings_and_those_without_a_control_claim_nothing() {
        let control = Control::of(&[0.99, 1.0, 1.01]);
        let single = Control::of(&[1.0]);
        let silence = |size, control| Judge::new(size, control).smallest_effect().unwrap_err();
        assert_eq!(silence(Size::Quick, Some(&control)), Silence::Quick);
        assert_eq!(silence(Size::Full, None), Silence::NoControl);
        assert_eq!(silence(Size::Full, Some(&single)), Silence::NoControl);
        let judge = Judge::new(Size::Full, Some(&control));
        assert!((judge.smallest_effect().unwrap() - 0.01).abs() < 1e-12);
        for silent in [Silence::Quick, Silence::NoControl].map(Judge::silent) {
            assert_eq!(silent.word(Some(0.5), Some((0.5, 0.5)), 100), Word::NoClaim);
        }
        assert_eq!(JUDGE.word(Some(0.5), None, 100), Word::NoClaim);
    }

    /// A number between `low` and `high` in steps of a thousandth of the distance.
    fn between(random: &mut SplitMix64, low: f64, high: f64) -> f64 {
        low + (high - low) * random.below(1001) as f64 / 1000.0
    }

    /// Two to twelve ratios around some middle.
    fn ratios(random: &mut SplitMix64) -> Vec<f64> {
        let middle = between(random, 0.85, 1.15);
        (0..2 + random.below(11)).map(|_| middle * between(random, 0.9, 1.1)).collect()
    }

    #[test]
    fn exchanging_numerator_and_denominator_mirrors_the_word() {
        let mut random = SplitMix64::new(1);
        let mut seen = [0; 4];
        for _ in 0..10_000 {
            let (low, ratio) = (between(&mut random, 0.8, 1.2), between(&mut random, 0.8, 1.2));
            let (low, high) = (low.min(ratio), low.max(ratio) * between(&mut random, 1.0, 1.1));
            let pairs = 1 + random.below(12);
            let one = word(ratio, (low, high), pairs);
            let other = word(ratio.recip(), (high.recip(), low.recip()), pairs);
            let mirrored = match one {
                Word::Less => Word::More,
                Word::More => Word::Less,
                same => same,
            };
            // At the very limits rounding decides, and it may decide either way.
            let is_at_a_limit = [0.03, 0.05].iter().any(|limit| (effect(ratio) - limit).abs() < 1e-9);
            assert!(other == mirrored || is_at_a_limit, "{ratio} {low} {high} {pairs}: {one} and {other}");
            seen[one as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }

    #[test]
    fn a_further_pair_without_a_difference_makes_none_claimable() {
        let mut random = SplitMix64::new(2);
        let is_claim = |ratios: &[f64]| matches!(Ratio::of(ratios, &JUDGE).verdict, Word::Less | Word::More);
        let mut seen = [0; 2];
        for _ in 0..2000 {
            let mut ratios = ratios(&mut random);
            // Fewer pairs than a claim takes: one more, whatever it says, can complete them.
            if ratios.len() == PAIRS_MIN - 1 || ratios.len() == PAIRS_MIN_OF_SMALL - 1 {
                continue;
            }
            let before = is_claim(&ratios);
            ratios.push(1.0);
            assert!(before || !is_claim(&ratios), "{ratios:?}");
            seen[usize::from(before)] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }

    #[test]
    fn a_mean_of_one_cell_says_what_the_cell_says() {
        let mut random = SplitMix64::new(3);
        for _ in 0..300 {
            let ratios = ratios(&mut random);
            let (cell, mean) = (Ratio::of(&ratios, &JUDGE), Mean::of(std::slice::from_ref(&ratios), &JUDGE));
            let is_close = (effect(mean.mean.unwrap()) - 0.03).abs() < 1e-9;
            assert!(cell.verdict == mean.verdict || is_close, "{ratios:?}");
        }
    }
}
