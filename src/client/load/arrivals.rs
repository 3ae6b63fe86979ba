//! Intended starts of an open loop: when each message of a flow should begin, whatever became of those before it.
//!
//! They are drawn one by one as they are needed, so that a flow which falls behind needs no queue: its backlog is
//! the distance between its next intended start and the clock.

use crate::random::SplitMix64;
use crate::record::{self, ClientSettings};
use crate::units::Nanos;

/// The endless, ascending intended starts of one flow, counted from the beginning of the load.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    /// Mean time between two messages of the flow.
    gap_ns: f64,
    next_ns: f64,
    process: Process,
}

#[derive(Clone, Debug)]
enum Process {
    /// Starts are multiplied out, not summed up, so that rounding does not change the rate.
    Staggered { offset_ns: f64, count: u64 },
    /// Gaps are independent and exponential. Flows being independent too, all of them together are Poisson again.
    Poisson { random: SplitMix64 },
}

impl Arrivals {
    /// Of the flow `number`, its share of `rate_per_s` being as large as everybody's.
    pub(crate) fn new(settings: &ClientSettings, rate_per_s: u64, number: u32) -> Self {
        let gap_ns = 1e9 * settings.connections as f64 / rate_per_s as f64;
        let process = match settings.arrivals {
            Some(record::Arrivals::Staggered) => {
                let offset_ns = gap_ns * f64::from(number) / settings.connections as f64;
                Process::Staggered { offset_ns, count: 0 }
            }
            Some(record::Arrivals::Poisson) | None => {
                Process::Poisson { random: SplitMix64::stream(settings.seed, number) }
            }
        };
        let mut arrivals = Self { gap_ns, next_ns: 0.0, process };
        arrivals.advance();
        arrivals
    }

    /// When the next message should start.
    pub(crate) fn next(&self) -> Nanos {
        Nanos(self.next_ns as u64)
    }

    /// Goes on to the message after that.
    pub(crate) fn advance(&mut self) {
        match &mut self.process {
            Process::Staggered { offset_ns, count } => {
                self.next_ns = *offset_ns + *count as f64 * self.gap_ns;
                *count += 1;
            }
            Process::Poisson { random } => self.next_ns -= self.gap_ns * random.next_unit().ln(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing;
    use crate::record::Mode;

    const RATE: u64 = 10_000;
    const CONNECTIONS: usize = 50;

    fn flow(arrivals: record::Arrivals, seed: u64, number: u32) -> Arrivals {
        let settings = ClientSettings {
            connections: CONNECTIONS,
            rate_per_s: Some(RATE),
            arrivals: Some(arrivals),
            seed,
            ..testing::settings(Mode::ReqRes)
        };
        Arrivals::new(&settings, RATE, number)
    }

    /// The starts of a flow within the first `seconds`.
    fn starts(mut flow: Arrivals, seconds: u64) -> Vec<u64> {
        let mut starts = Vec::new();
        while flow.next() < Nanos::from_secs(seconds) {
            starts.push(flow.next().0);
            flow.advance();
        }
        starts
    }

    /// The starts of all flows within the first `seconds`, in order.
    fn all(arrivals: record::Arrivals, seconds: u64) -> Vec<u64> {
        let flows = (0..CONNECTIONS as u32).map(|number| flow(arrivals, 3, number));
        let mut all: Vec<u64> = flows.flat_map(|flow| starts(flow, seconds)).collect();
        all.sort_unstable();
        all
    }

    fn mean_and_variance(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        (mean, squares / values.len() as f64)
    }

    /// How many of `starts` fall into each millisecond of the first ten seconds.
    fn per_millisecond(starts: &[u64]) -> Vec<f64> {
        let mut counts = vec![0.0; 10_000];
        starts.iter().for_each(|start| counts[(start / 1_000_000) as usize] += 1.0);
        counts
    }

    #[test]
    fn staggered_starts_of_all_flows_are_evenly_spaced() {
        let all = all(record::Arrivals::Staggered, 2);
        assert_eq!(all.len() as u64, 2 * RATE);
        let gap_ns = 1_000_000_000 / RATE;
        assert!(all.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(gap_ns) <= 1));
    }

    #[test]
    fn a_gap_that_is_no_whole_number_of_nanoseconds_does_not_change_the_rate() {
        let settings = ClientSettings {
            connections: 1,
            arrivals: Some(record::Arrivals::Staggered),
            ..testing::settings(Mode::ReqRes)
        };
        let rate_per_s = 7_000_003;
        assert_eq!(starts(Arrivals::new(&settings, rate_per_s, 0), 1).len() as u64, rate_per_s);
    }

    #[test]
    fn the_rate_of_poisson_starts_is_met() {
        let count = all(record::Arrivals::Poisson, 10).len() as f64;
        let expected = 10.0 * RATE as f64;
        assert!((count - expected).abs() < 4.0 * expected.sqrt(), "{count}");
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_variance_of_exponential_ones() {
        let starts = starts(flow(record::Arrivals::Poisson, 3, 7), 500);
        let gaps: Vec<f64> = starts.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let (mean, variance) = mean_and_variance(&gaps);
        let expected = 1e9 * CONNECTIONS as f64 / RATE as f64;
        assert!((mean / expected - 1.0).abs() < 0.02, "{mean}");
        assert!((variance / expected.powi(2) - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn poisson_flows_together_are_poisson_too() {
        // Counts of a Poisson process have a variance equal to their mean; flows that shared their randomness would
        // bunch, flows in step would be too even.
        let (mean, variance) = mean_and_variance(&per_millisecond(&all(record::Arrivals::Poisson, 10)));
        assert!((variance / mean - 1.0).abs() < 0.1, "mean {mean}, variance {variance}");
        let (mean, variance) = mean_and_variance(&per_millisecond(&all(record::Arrivals::Staggered, 10)));
        assert!(variance / mean < 0.1, "mean {mean}, variance {variance}");
    }

    #[test]
    fn starts_follow_from_the_seed_alone() {
        let first = |seed| starts(flow(record::Arrivals::Poisson, seed, 0), 1);
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
