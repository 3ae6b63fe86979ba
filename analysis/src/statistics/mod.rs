//! What is said about repeated measurements: medians with intervals, ratios that pair, means of ratios, percentiles of
//! merged histograms.
//!
//! Every resampling begins at the same seed: an interval depends on its values and on nothing else.

mod bootstrap;
mod latency;
mod ratio;

pub use bootstrap::{CONFIDENCE, RESAMPLE_COUNT, interval, percentile};
pub use experiments::report::statistics::{geometric_mean, median};
pub use latency::{HistogramError, Latency};
pub use ratio::{Mean, mean_of_ratios, paired_ratios};

use serde::Serialize;

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
        let ends = interval(&[values], |resampled| median(&resampled[0]));
        Self {
            median: median(values),
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
            n: values.len(),
        }
    }

    /// Whether the interval lies on one side of `value`: only then may a difference from it be claimed.
    pub fn is_clear_of(&self, value: f64) -> bool {
        matches!((self.low, self.high), (Some(low), Some(high)) if low > value || high < value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_a_median_and_no_interval() {
        let estimate = Estimate::of(&[3.0]);
        assert_eq!(estimate, Estimate { median: Some(3.0), low: None, high: None, n: 1 });
        assert!(!estimate.is_clear_of(1.0));
    }

    #[test]
    fn nothing_has_no_median_and_is_counted() {
        assert_eq!(Estimate::of(&[]), Estimate { median: None, low: None, high: None, n: 0 });
    }

    #[test]
    fn a_difference_is_clear_only_when_the_interval_excludes_equality() {
        assert!(Estimate::of(&[1.1, 1.2, 1.3]).is_clear_of(1.0));
        assert!(Estimate::of(&[0.7, 0.8, 0.9]).is_clear_of(1.0));
        assert!(!Estimate::of(&[0.9, 1.2, 1.3]).is_clear_of(1.0));
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
