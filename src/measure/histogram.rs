//! Distributions of time spans, as HDR histograms: any percentile afterwards, within a known error.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::units::Nanos;

/// Spans above this are counted as this: no phase of a run is longer.
const SPAN_MAX: Nanos = Nanos::from_secs(3600);

/// Spans of time, in nanoseconds with three significant digits, up to an hour.
///
/// About 250 KiB, allocated once; recording allocates nothing. Histograms of several threads are merged, never their
/// percentiles averaged.
#[derive(Clone, Debug)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

/// Why a text holds no histogram.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is not base64.
    #[error("not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// What it encodes is not a histogram.
    #[error("not a deflated V2 HDR histogram: {0}")]
    Histogram(#[from] hdrhistogram::serialization::DeserializeError),
}

impl Histogram {
    /// An empty histogram.
    ///
    /// # Panics
    /// Never: the bounds are constant and valid.
    pub fn new() -> Self {
        let bounded = hdrhistogram::Histogram::new_with_bounds(1, SPAN_MAX.0, 3);
        Self(bounded.expect("a valid range and precision"))
    }

    /// Counts one span.
    pub fn record(&mut self, span: Nanos) {
        self.0.saturating_record(span.0);
    }

    /// Adds everything `other` counted, which another build may have written with wider bounds.
    ///
    /// # Panics
    /// Never: this histogram grows as far as it has to.
    pub fn merge(&mut self, other: &Self) {
        self.0.auto(true);
        self.0.add(&other.0).expect("a histogram that grows takes every value");
    }

    /// How many spans were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The smallest span, or zero if there is none.
    pub fn min(&self) -> Nanos {
        Nanos(self.0.min())
    }

    /// The largest span, or zero if there is none.
    pub fn max(&self) -> Nanos {
        Nanos(self.0.max())
    }

    /// The mean, in nanoseconds.
    pub fn mean_ns(&self) -> f64 {
        self.0.mean()
    }

    /// The smallest span that at least `share` of the spans do not exceed, `share` between 0 and 1.
    pub fn quantile(&self, share: f64) -> Nanos {
        Nanos(self.0.value_at_quantile(share))
    }

    /// Part of the spans that are longer than `span`, to three significant digits of it; 0 if there are none at all.
    pub fn share_above(&self, span: Nanos) -> f64 {
        let above = self.0.len() - self.0.count_between(0, span.0);
        above as f64 / self.0.len().max(1) as f64
    }

    /// Every occupied step of the cumulative distribution: a span and the share of the spans that do not exceed it.
    pub fn cumulative(&self) -> Vec<(Nanos, f64)> {
        let total = self.0.len() as f64;
        let mut seen = 0;
        let steps = self.0.iter_recorded().map(|step| {
            seen += step.count_at_value();
            (Nanos(step.value_iterated_to()), seen as f64 / total)
        });
        steps.collect()
    }

    /// The whole histogram in its V2 format, deflated, in base64.
    ///
    /// # Panics
    /// Never: writing to memory cannot fail, and the counts of a run fit the format.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).expect("memory takes every write");
        STANDARD.encode(bytes)
    }

    /// The histogram that [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When `text` is something else.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        let bytes = STANDARD.decode(text)?;
        Ok(Self(Deserializer::new().deserialize(&mut Cursor::new(bytes))?))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 µs, 2 µs, …, 1000 µs: their percentiles are known by hand.
    fn one_to_a_thousand_microseconds() -> Histogram {
        let mut histogram = Histogram::new();
        for micros in 1..=1000 {
            histogram.record(Nanos(micros * 1000));
        }
        histogram
    }

    fn within_a_thousandth(got: Nanos, expected_ns: u64) -> bool {
        got.0.abs_diff(expected_ns) * 1000 <= expected_ns
    }

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let histogram = one_to_a_thousand_microseconds();
        assert_eq!(histogram.count(), 1000);
        assert!(within_a_thousandth(histogram.quantile(0.5), 500_000));
        assert!(within_a_thousandth(histogram.quantile(0.99), 990_000));
        assert!(within_a_thousandth(histogram.quantile(0.999), 999_000));
        assert!(within_a_thousandth(histogram.max(), 1_000_000));
        assert!(within_a_thousandth(Nanos(histogram.mean_ns() as u64), 500_500));
    }

    #[test]
    fn merging_counts_both() {
        let (mut low, mut high) = (Histogram::new(), Histogram::new());
        for _ in 0..99 {
            low.record(Nanos(100));
        }
        high.record(Nanos(1_000_000));
        low.merge(&high);
        assert_eq!(low.count(), 100);
        assert_eq!(low.quantile(0.99), Nanos(100));
        assert!(within_a_thousandth(low.max(), 1_000_000));
    }

    #[test]
    fn the_share_above_a_span_does_not_count_the_span_itself() {
        let histogram = one_to_a_thousand_microseconds();
        assert_eq!(histogram.share_above(Nanos(900_000)), 0.1);
        assert_eq!(histogram.share_above(Nanos::from_secs(1)), 0.0);
        assert_eq!(Histogram::new().share_above(Nanos(1)), 0.0);
    }

    #[test]
    fn a_span_over_the_range_is_counted_at_its_end() {
        let mut histogram = Histogram::new();
        histogram.record(Nanos(u64::MAX));
        assert_eq!(histogram.count(), 1);
        assert!(within_a_thousandth(histogram.max(), SPAN_MAX.0));
    }

    #[test]
    fn a_histogram_survives_its_encoding() {
        let histogram = one_to_a_thousand_microseconds();
        let decoded = Histogram::decode(&histogram.encode()).unwrap();
        assert_eq!(decoded.0, histogram.0);
    }

    #[test]
    fn a_text_that_is_no_histogram_is_refused() {
        assert!(matches!(Histogram::decode("%"), Err(DecodeError::Base64(_))));
        assert!(matches!(Histogram::decode("AAAA"), Err(DecodeError::Histogram(_))));
    }

    #[test]
    fn a_histogram_that_reaches_further_can_be_added() {
        let mut narrow = Histogram(hdrhistogram::Histogram::new_with_bounds(1, 1000, 3).unwrap());
        narrow.record(Nanos(5));
        let mut wide = Histogram::new();
        wide.record(Nanos(2_000_000_000));
        narrow.merge(&wide);
        assert_eq!(narrow.count(), 2);
        assert!(within_a_thousandth(narrow.max(), 2_000_000_000));
    }

    #[test]
    fn the_cumulative_distribution_ends_at_one() {
        let mut histogram = Histogram::new();
        [10, 20, 20, 40].into_iter().for_each(|span| histogram.record(Nanos(span)));
        assert_eq!(histogram.cumulative(), [(Nanos(10), 0.25), (Nanos(20), 0.75), (Nanos(40), 1.0)]);
    }
}
