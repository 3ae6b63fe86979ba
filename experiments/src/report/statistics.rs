//! What is said about repeated measurements: medians, ratios that pair by repetition, geometric means.

/// The middle value; the mean of the two middle ones when their number is even. `None` of nothing.
///
/// `values` must not hold NaN: a measurement that failed is absent, not NaN.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[upper]),
        _ => Some(f64::midpoint(sorted[upper - 1], sorted[upper])),
    }
}

/// The n-th root of the product: the only mean of ratios that does not depend on which side is the denominator.
/// `None` of nothing, or when a value is not positive.
///
/// Source: Fleming and Wallace, CACM 29(3), 1986.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() || ratios.iter().any(|&ratio| ratio <= 0.0) {
        return None;
    }
    let mean_of_logarithms = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
    Some(mean_of_logarithms.exp())
}

/// A ratio of two engines in one cell, over the repetitions in which both have a valid run.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedRatio {
    /// Median of the ratios of the repetitions.
    pub median: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Repetitions that had both.
    pub pair_count: usize,
}

impl PairedRatio {
    /// Pairs by position: entry `i` of both is repetition `i`, `None` where there is no valid value.
    ///
    /// The runs of a pair were made right after each other, so what drifts over minutes cancels out of their ratio,
    /// which it would not out of a ratio of medians. `None` without a pair.
    pub fn of(numerators: &[Option<f64>], denominators: &[Option<f64>]) -> Option<Self> {
        let ratios: Vec<f64> = numerators
            .iter()
            .zip(denominators)
            .filter_map(|(&of, &to)| Some((of?, to?)))
            .filter(|&(_, to)| to > 0.0)
            .map(|(of, to)| of / to)
            .collect();
        Some(Self {
            median: median(&ratios)?,
            min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            max: ratios.iter().copied().fold(0.0, f64::max),
            pair_count: ratios.len(),
        })
    }

    /// How far a single repetition strayed from the median, as a share of it.
    pub fn deviation(&self) -> f64 {
        (self.max - self.median).max(self.median - self.min) / self.median
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middle_values() {
        assert_eq!(median(&[9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&[9.0, 1.0, 4.0, 2.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_gain_and_the_equal_loss_have_a_geometric_mean_of_one() {
        assert!((geometric_mean(&[2.0, 0.5]).unwrap() - 1.0).abs() < 1e-12);
        // (1 * 3 * 9)^(1/3) = 3
        assert!((geometric_mean(&[1.0, 3.0, 9.0]).unwrap() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_geometric_mean_of_nothing_or_of_zero_is_undefined() {
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[1.0, 0.0]), None);
    }

    #[test]
    fn ratios_pair_by_repetition_and_not_by_rank() {
        // Pairs 10/5 = 2, 8/4 = 2, 6/6 = 1; the ratio of the medians would be 8/5 = 1.6.
        let ratio =
            PairedRatio::of(&[Some(10.0), Some(8.0), Some(6.0)], &[Some(5.0), Some(4.0), Some(6.0)]).unwrap();
        assert_eq!(ratio, PairedRatio { median: 2.0, min: 1.0, max: 2.0, pair_count: 3 });
    }

    #[test]
    fn a_repetition_with_one_invalid_run_makes_no_pair() {
        let ratio =
            PairedRatio::of(&[Some(3.0), None, Some(8.0)], &[Some(2.0), Some(9.0), Some(4.0)]).unwrap();
        assert_eq!(ratio, PairedRatio { median: 1.75, min: 1.5, max: 2.0, pair_count: 2 });
        assert_eq!(PairedRatio::of(&[None], &[Some(1.0)]), None);
    }

    #[test]
    fn the_deviation_is_the_farther_of_the_two_ends() {
        let ratio = PairedRatio { median: 2.0, min: 1.5, max: 2.2, pair_count: 3 };
        assert!((ratio.deviation() - 0.25).abs() < 1e-12);
    }
}
