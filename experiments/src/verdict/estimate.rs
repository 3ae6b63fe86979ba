//! A median with its interval.

use serde::Serialize;

use super::bootstrap::interval;
use super::statistics::median;

/// A median and where it may lie.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Median of the values; `None` of nothing.
    pub median: Option<f64>,
    /// Lower end of the 95 % bootstrap interval; `None` below two values, which tell nothing of their spread.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Values that it stands on.
    pub n: usize,
}

impl Estimate {
    /// The estimate from `values`, each finite.
    pub fn of(values: &[f64]) -> Self {
        let ends = interval(&[values], |resampled| median(&resampled[0])).unzip();
        Self { median: median(values), low: ends.0, high: ends.1, n: values.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_a_median_and_no_interval_and_nothing_has_neither() {
        assert_eq!(Estimate::of(&[3.0]), Estimate { median: Some(3.0), low: None, high: None, n: 1 });
        assert_eq!(Estimate::of(&[]), Estimate { median: None, low: None, high: None, n: 0 });
    }

    #[test]
    fn the_order_of_the_values_does_not_move_the_interval() {
        let ends = |values: &[f64]| {
            let estimate = Estimate::of(values);
            (estimate.low, estimate.high)
        };
        assert_eq!(ends(&[1.0, 5.0, 2.0, 4.0, 3.0, 9.0]), ends(&[9.0, 3.0, 4.0, 2.0, 5.0, 1.0]));
    }
}
