//! Whether connections were served in time and alike. The bounds are of liveness, far from what a healthy server
//! needs: nothing here is a measurement.

use std::time::Duration;

use super::scale::widened;

/// Fails unless 99 of 100 response times, of all connections together, are below `bound`.
pub(crate) fn assert_p99_below(bound: Duration, times: &[Vec<Duration>]) {
    let mut all: Vec<Duration> = times.iter().flatten().copied().collect();
    assert!(!all.is_empty(), "no request was answered");
    all.sort_unstable();
    let p99 = all[(all.len() - 1) * 99 / 100];
    assert!(p99 < widened(bound), "p99 of {} response times is {p99:?}", all.len());
}

/// Jain's fairness index of how many requests each connection got answered: 1 when equal, 1/n when one got them all.
pub(crate) fn jain(times: &[Vec<Duration>]) -> f64 {
    let counts = || times.iter().map(|times| times.len() as f64);
    let sum: f64 = counts().sum();
    sum * sum / (times.len() as f64 * counts().map(|count| count * count).sum::<f64>())
}
