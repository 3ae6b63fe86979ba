//! What is said about repeated measurements: the intervals and words of [`experiments::verdict`], and percentiles of merged
//! histograms. Percentiles cannot be averaged; histograms can be added.

use uring_echo::measure::histogram::{DecodeError, Histogram};

pub use experiments::verdict::statistics::{geometric_mean, median, percentile};
pub use experiments::verdict::{Control, Estimate, Judge, Mean, Ratio, Silence, Word, paired_ratios};

/// Why a text of a record is not a histogram that can be added to others.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    /// It is not a histogram.
    #[error("its latency histogram is {0}")]
    Format(#[from] DecodeError),
    /// It holds another number of values than the record says.
    #[error("its latency histogram holds {found} values and the record says {said}")]
    Count {
        /// Values in the histogram.
        found: u64,
        /// Values according to the record.
        said: u64,
    },
}

/// A distribution of spans, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Latency(Histogram);

impl Latency {
    /// The histogram in a record's `text`, which says that it has `count` values.
    ///
    /// # Errors
    /// When `text` is something else, or holds another number of values.
    pub fn decode(text: &str, count: u64) -> Result<Self, HistogramError> {
        let histogram = Histogram::decode(text)?;
        let found = histogram.count();
        if found == count { Ok(Self(histogram)) } else { Err(HistogramError::Count { found, said: count }) }
    }

    /// All of `parts` together; `None` of nothing.
    pub fn merged<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let mut merged = parts.next()?.clone();
        parts.for_each(|part| merged.0.merge(&part.0));
        Some(merged)
    }

    /// Spans in the distribution.
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// The smallest span that at least `share` of the spans do not exceed, in nanoseconds.
    pub fn quantile_ns(&self, share: f64) -> u64 {
        self.0.quantile(share).0
    }

    /// Every occupied step of the cumulative distribution: span in nanoseconds and the share that does not exceed it.
    pub fn cumulative(&self) -> Vec<(u64, f64)> {
        self.0.cumulative().into_iter().map(|(span, share)| (span.0, share)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::units::Nanos;

    fn latency(spans: impl IntoIterator<Item = u64>) -> Latency {
        let mut recorded = Histogram::new();
        spans.into_iter().for_each(|span| recorded.record(Nanos(span)));
        Latency::decode(&recorded.encode(), recorded.count()).unwrap()
    }

    #[test]
    fn merging_is_not_averaging() {
        let merged = Latency::merged([&latency([100; 99]), &latency([1_000_000])]).unwrap();
        assert_eq!(merged.count(), 100);
        assert_eq!(merged.quantile_ns(0.99), 100);
        assert!(Latency::merged([]).is_none());
    }

    #[test]
    fn a_text_that_is_no_histogram_or_counts_otherwise_is_refused() {
        assert!(matches!(Latency::decode("%", 1), Err(HistogramError::Format(DecodeError::Base64(_)))));
        assert!(matches!(Latency::decode("AAAA", 1), Err(HistogramError::Format(DecodeError::Histogram(_)))));
        let text = Histogram::new().encode();
        assert!(matches!(Latency::decode(&text, 1), Err(HistogramError::Count { found: 0, said: 1 })));
    }

    #[test]
    fn the_cumulative_distribution_ends_at_one() {
        let steps = latency([10, 20, 20, 40]).cumulative();
        assert_eq!(steps, [(10, 0.25), (20, 0.75), (40, 1.0)]);
    }
}
