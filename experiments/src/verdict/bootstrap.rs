//! The percentile bootstrap, stratified: how far a statistic moves when its values are drawn again, with replacement.

use uring_echo::random::SplitMix64;

use super::statistics::{percentile, sorted};

/// How much of the resampled statistics an interval holds.
pub const CONFIDENCE: f64 = 0.95;

/// How often the values are drawn again. Percentile intervals want a thousand or more: Efron and Tibshirani, *An
/// Introduction to the Bootstrap* (1993), chapter 14.
pub const RESAMPLE_COUNT: usize = 2000;

/// Where every resampling begins.
const SEED: u64 = 0x2023;

/// The interval of `statistic` over `strata`, each of which is resampled by itself.
///
/// Percentile method: Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13. Below six values the
/// widest interval, from least to largest, holds the median with a probability of only 1 − 2^(1 − n): 0.94 at five.
///
/// `None` when no stratum has two values, or `statistic` has no value for a resample.
pub fn interval(strata: &[&[f64]], statistic: impl Fn(&[Vec<f64>]) -> Option<f64>) -> Option<(f64, f64)> {
    if strata.iter().all(|values| values.len() < 2) {
        return None;
    }
    // Sorted, so that the interval depends on the values and not on the order in which they were measured.
    let sorted: Vec<Vec<f64>> = strata.iter().map(|values| sorted(values)).collect();
    let mut drawn = sorted.clone();
    let mut random = SplitMix64::new(SEED);
    let mut outcomes = Vec::with_capacity(RESAMPLE_COUNT);
    for _ in 0..RESAMPLE_COUNT {
        for (values, drawn) in sorted.iter().zip(&mut drawn) {
            drawn.fill_with(|| values[random.below(values.len())]);
        }
        outcomes.push(statistic(&drawn)?);
    }
    outcomes.sort_by(f64::total_cmp);
    let outside = (1.0 - CONFIDENCE) / 2.0;
    Some((percentile(&outcomes, outside)?, percentile(&outcomes, 1.0 - outside)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::statistics::median;

    #[test]
    fn the_same_values_give_the_same_interval() {
        let values = [1.0, 1.1, 0.9, 1.3, 1.05];
        let once = interval(&[&values], |drawn| median(&drawn[0]));
        assert!(once.is_some());
        assert_eq!(once, interval(&[&values], |drawn| median(&drawn[0])));
    }

    #[test]
    fn an_empty_stratum_beside_a_full_one_stays_empty() {
        let ends = interval(&[&[], &[1.0, 2.0]], |drawn| {
            assert!(drawn[0].is_empty());
            median(&drawn[1])
        });
        assert_eq!(ends, Some((1.0, 2.0)));
    }
}
