//! A value with its interval and its count of runs.

use serde::Serialize;

/// What the runs of a cell say about one quantity.
///
/// It is always a number: [`Estimate::new`] turns everything else into `None`, which a chart shows as a gap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    value: f64,
    interval: Option<(f64, f64)>,
    runs: u32,
}

impl Estimate {
    /// `None` if there is no run or `value` is not finite. An interval needs two runs and finite, ordered ends.
    pub(crate) fn new(value: f64, interval: Option<(f64, f64)>, runs: u32) -> Option<Self> {
        if runs == 0 || !value.is_finite() {
            return None;
        }
        let usable =
            |&(low, high): &(f64, f64)| low.is_finite() && high.is_finite() && low <= high && runs > 1;
        Some(Self { value, interval: interval.filter(usable), runs })
    }

    /// A single run's value: without an interval, and marked as such.
    pub(crate) fn single(value: f64) -> Option<Self> {
        Self::new(value, None, 1)
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// Ends of the interval, lower first.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        self.interval
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs
    }

    /// Smallest and largest number that has to be visible.
    pub(crate) fn reach(&self) -> (f64, f64) {
        let (low, high) = self.interval.unwrap_or((self.value, self.value));
        (low.min(self.value), high.max(self.value))
    }
}
