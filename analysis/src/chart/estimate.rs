//! A value with its interval and its count of runs.

use serde::Serialize;

/// What the runs of a cell say about one quantity.
///
/// It is always a number: [`Estimate::new`] turns everything else into `None`, which a chart shows as a gap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    value: f64,
    interval: Option<(f64, f64)>,
    runs: u32,
}

impl Estimate {
    /// `None` if there is no run or `value` is not finite. An interval needs two runs and finite, ordered ends.
    #[must_use]
    pub fn new(value: f64, interval: Option<(f64, f64)>, runs: u32) -> Option<Self> {
        if runs == 0 || !value.is_finite() {
            return None;
        }
        let usable =
            |&(low, high): &(f64, f64)| low.is_finite() && high.is_finite() && low <= high && runs > 1;
        Some(Self { value, interval: interval.filter(usable), runs })
    }

    /// A single run's value: without an interval, and marked as such.
    #[must_use]
    pub fn single(value: f64) -> Option<Self> {
        Self::new(value, None, 1)
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Ends of the interval, lower first.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.interval
    }

    /// How many runs it stands on.
    #[must_use]
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// Smallest and largest number that has to be visible.
    #[must_use]
    pub fn reach(&self) -> (f64, f64) {
        let (low, high) = self.interval.unwrap_or((self.value, self.value));
        (low.min(self.value), high.max(self.value))
    }
}
