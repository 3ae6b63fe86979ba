//! What is said about repeated measurements: medians, geometric means, percentiles.

/// The middle value; the mean of the two middle ones when their number is even. `None` of nothing.
///
/// `values` must not hold NaN: a measurement that failed is absent, not NaN.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
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

/// The value that `share` of `sorted` lie below, interpolated between neighbours: type 7 of Hyndman and Fan (1996), the
/// default of NumPy and R. `None` of nothing.
pub fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64))
}

/// `values` from the least on.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
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
    fn a_percentile_lies_between_its_neighbours() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.5), Some(2.0));
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 1.0), Some(4.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
