//! How steadily the cores work.
//!
//! A virtual core is often one of two hardware threads, and nobody tells whose the other one is. While it works, this one is
//! slower, and no counter shows it: stolen time is time on which a core did not run at all. What shows it is work that always
//! takes equally long. A core that is slowed all the while looks steady.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use uring_echo::measure::host::Known;
use uring_echo::sys::affinity;

/// What is copied, the size of a server's buffer: two fit into the second-level cache of a core, and rarely into the first.
const BLOCK_BYTES: usize = 64 << 10;
/// Copies of a slice, which take about a millisecond: longer than an interrupt, shorter than anybody's time slice.
const COPIES: usize = 400;
/// Slices that take this many times as long as the quick ones were slowed by somebody.
const SLOWED: f64 = 1.25;

/// How long equal slices of work took on one core.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Ascending, in nanoseconds.
    slices_ns: Vec<f64>,
}

/// How steadily the cores of both ends work.
#[derive(Clone, Debug)]
pub struct Paces {
    /// The core of the server, the client's at work too.
    pub server: Known<Pace>,
    /// The first core of the client, the server's at work too.
    pub client: Known<Pace>,
    /// The core of the server, that of the client idle.
    pub alone: Known<Pace>,
}

impl Paces {
    /// Keeps `server` and `client` at work, each on its core, for `watch` in all.
    pub fn watch(server: usize, client: usize, watch: Duration) -> Self {
        let alone = thread::spawn(move || Pace::of(server, watch / 3));
        let alone = alone.join().expect("copying does not panic");
        let [server, client] =
            [server, client].map(|cpu| thread::spawn(move || Pace::of(cpu, watch * 2 / 3)));
        let [server, client] = [server, client].map(|end| end.join().expect("copying does not panic"));
        Self { server, client, alone }
    }

    /// How many times as long the server's core takes for its work when the client's works too.
    pub fn slowed_by_the_other(&self) -> Known<f64> {
        let quick = |pace: &Known<Pace>| pace.clone().map(|pace| pace.quick_ns());
        quick(&self.server).and_then(|together| quick(&self.alone).map(|alone| together / alone))
    }
}

impl Pace {
    /// Of `slices`, at least one.
    fn new(slices: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut slices_ns: Vec<f64> = slices.into_iter().map(|slice| slice.as_nanos() as f64).collect();
        slices_ns.sort_by(f64::total_cmp);
        (!slices_ns.is_empty()).then_some(Self { slices_ns })
    }

    /// Of the core `cpu`, which the calling thread moves to.
    fn of(cpu: usize, watch: Duration) -> Known<Self> {
        if let Err(error) = affinity::pin(&[cpu]) {
            return Known::unavailable(error.to_string());
        }
        let (from, mut to) = (vec![1_u8; BLOCK_BYTES], vec![0_u8; BLOCK_BYTES]);
        let mut slice = || {
            let begun = Instant::now();
            (0..COPIES).for_each(|_| black_box(&mut to).copy_from_slice(black_box(&from)));
            begun.elapsed()
        };
        let end = Instant::now() + watch;
        let slices = std::iter::from_fn(|| (Instant::now() < end).then(&mut slice));
        // The first brings the blocks into the cache.
        Known::from_option(Self::new(slices.skip(1)), "nobody watched for long enough")
    }

    /// What a slice takes when nobody slows it: the tenth percentile, so that one lucky slice is not the yardstick.
    fn quick_ns(&self) -> f64 {
        self.slices_ns[self.slices_ns.len() / 10]
    }

    /// The part of the slices that somebody slowed.
    pub fn slowed_share(&self) -> f64 {
        self.slowed().len() as f64 / self.slices_ns.len() as f64
    }

    /// How many times as long the slowed ones took, in the median; 1 when there are none.
    pub fn slowed_times(&self) -> f64 {
        let slowed = self.slowed();
        slowed.get(slowed.len() / 2).map_or(1.0, |slice| slice / self.quick_ns())
    }

    fn slowed(&self) -> &[f64] {
        let limit = SLOWED * self.quick_ns();
        &self.slices_ns[self.slices_ns.partition_point(|&slice| slice <= limit)..]
    }

    #[cfg(test)]
    pub(super) fn of_micros(slices: &[u64]) -> Self {
        Self::new(slices.iter().map(|&micros| Duration::from_micros(micros))).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slowed_is_told_from_what_is_not() {
        let pace = Pace::of_micros(&[700, 1300, 710, 1310, 705, 1320, 700, 720, 700, 715]);
        assert_eq!(pace.slowed_share(), 0.3);
        assert_eq!(pace.slowed_times(), 1310.0 / 700.0);
        let steady = Pace::of_micros(&[700, 710, 720]);
        assert_eq!((steady.slowed_share(), steady.slowed_times()), (0.0, 1.0));
    }

    #[test]
    fn one_lucky_slice_is_not_the_yardstick() {
        let mut slices = vec![700; 20];
        slices[7] = 300;
        assert_eq!(Pace::of_micros(&slices).slowed_share(), 0.0);
    }

    #[test]
    fn a_core_at_work_has_a_pace_and_an_absent_one_a_reason() {
        let here = affinity::permitted(0).unwrap()[0];
        let paces = Paces::watch(here, 100_000, Duration::from_millis(60));
        let alone = paces.alone.value().unwrap();
        assert!(alone.quick_ns() > 0.0 && alone.slowed_share() < 1.0);
        assert!(matches!(&paces.client, Known::Unavailable(why) if why.unavailable.contains("100000")));
    }

    #[test]
    fn cores_that_slow_each_other_are_found_by_working_alone_and_together() {
        let pace = |micros| Known::Value(Pace::of_micros(&[micros; 3]));
        let paces = |together| Paces { server: pace(together), client: pace(together), alone: pace(700) };
        assert_eq!(paces(700).slowed_by_the_other(), Known::Value(1.0));
        assert_eq!(paces(1400).slowed_by_the_other(), Known::Value(2.0));
    }
}
