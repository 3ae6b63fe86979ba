//! How evenly the connections were served.

use serde::{Deserialize, Serialize};

/// Jain's fairness index of per-connection goodput.
///
/// `allocations`: any one unit, same window. Result is dimensionless: 1 when equal, 1/n when one connection takes
/// everything. `None` if empty or all zero, where fairness is undefined and must not be plotted as 1.
///
/// Source: Jain, Chiu, Hawe, DEC-TR-301 (1984).
pub fn jain(allocations: &[u64]) -> Option<f64> {
    let sum: f64 = allocations.iter().map(|&x| x as f64).sum();
    let sum_of_squares: f64 = allocations.iter().map(|&x| (x as f64).powi(2)).sum();
    (sum > 0.0).then(|| sum.powi(2) / (allocations.len() as f64 * sum_of_squares))
}

/// The shape of a per-connection distribution, in the unit of what was given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Smallest.
    pub min: u64,
    /// 1st percentile, nearest rank.
    pub p1: u64,
    /// Median, nearest rank.
    pub median: u64,
    /// 99th percentile, nearest rank.
    pub p99: u64,
    /// Largest.
    pub max: u64,
    /// Smallest over largest; `None` if all are zero.
    pub min_max_ratio: Option<f64>,
    /// Sarle's coefficient, see [`bimodality`].
    pub bimodality: Option<f64>,
}

impl Spread {
    /// The spread of `values`; `None` if there are none.
    pub fn of(values: &[u64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        Some(Self {
            min,
            p1: nearest_rank(&sorted, 0.01),
            median: nearest_rank(&sorted, 0.5),
            p99: nearest_rank(&sorted, 0.99),
            max,
            min_max_ratio: (max > 0).then(|| min as f64 / max as f64),
            bimodality: bimodality(&sorted),
        })
    }
}

/// The smallest value that at least `share` of `sorted` does not exceed.
fn nearest_rank(sorted: &[u64], share: f64) -> u64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Sarle's bimodality coefficient with the correction for sample size.
///
/// Dimensionless. Above 5/9, the value of a uniform distribution, it hints at two clusters; 1 is reached by two points
/// only. `None` below four values or when all are equal, where it is undefined.
///
/// Source: SAS/STAT User's Guide, the CLUSTER procedure; Pfister et al., Frontiers in Psychology 4:700 (2013).
pub fn bimodality(values: &[u64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 4 {
        return None;
    }
    let mean = values.iter().map(|&x| x as f64).sum::<f64>() / n;
    let moment = |order| values.iter().map(|&x| (x as f64 - mean).powi(order)).sum::<f64>() / n;
    let variance = moment(2);
    if variance == 0.0 {
        return None;
    }
    let skewness = moment(3) / variance.powf(1.5) * (n * (n - 1.0)).sqrt() / (n - 2.0);
    let excess = moment(4) / variance.powi(2) - 3.0;
    let kurtosis = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0);
    let correction = 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0));
    Some((skewness.powi(2) + 1.0) / (kurtosis + correction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: Option<f64>, expected: f64) -> bool {
        got.is_some_and(|got| (got - expected).abs() < 1e-9)
    }

    #[test]
    fn equal_shares_are_perfectly_fair() {
        assert!(close(jain(&[7, 7, 7]), 1.0));
    }

    #[test]
    fn one_connection_with_everything_scores_one_over_n() {
        assert!(close(jain(&[0, 0, 9, 0]), 0.25));
    }

    #[test]
    fn two_clusters_at_one_to_two_score_nine_tenths() {
        // (1 + 2)^2 / (2 * (1 + 4)) = 9 / 10
        assert!(close(jain(&[1, 2]), 0.9));
    }

    #[test]
    fn fairness_of_nothing_is_undefined() {
        assert_eq!(jain(&[]), None);
        assert_eq!(jain(&[0, 0]), None);
    }

    #[test]
    fn percentiles_of_a_spread_are_nearest_ranks() {
        let values: Vec<u64> = (1..=200).rev().collect();
        let spread = Spread::of(&values).unwrap();
        assert_eq!((spread.min, spread.p1, spread.median, spread.p99, spread.max), (1, 2, 100, 198, 200));
        assert!(close(spread.min_max_ratio, 0.005));
    }

    #[test]
    fn one_connection_is_its_own_spread() {
        let spread = Spread::of(&[5]).unwrap();
        assert_eq!((spread.min, spread.p1, spread.median, spread.p99, spread.max), (5, 5, 5, 5, 5));
        assert_eq!(spread.bimodality, None);
    }

    #[test]
    fn bimodality_of_four_points_matches_a_calculation_by_hand() {
        // Deviations -1.5, -0.5, 0.5, 1.5: no skew; m2 = 1.25, m4 = 2.5625, excess = 1.64 - 3 = -1.36;
        // kurtosis = 3 / 2 * (5 * -1.36 + 6) = -1.2; correction = 3 * 9 / 2 = 13.5; 1 / 12.3.
        assert!(close(bimodality(&[1, 2, 3, 4]), 1.0 / 12.3));
    }

    #[test]
    fn two_clusters_are_told_from_one() {
        let two: Vec<u64> = (0..50).map(|i| 1000 + i % 3).chain((0..50).map(|i| 2000 + i % 3)).collect();
        let one: Vec<u64> = [1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 7, 7, 8, 9].to_vec();
        assert!(bimodality(&two).unwrap() > 5.0 / 9.0);
        assert!(bimodality(&one).unwrap() < 5.0 / 9.0);
    }
}
