//! Whether the window is the one that was asked for, with the client at work in all of it.

use super::evidence::Evidence;
use crate::client::fault::Fault;
use crate::client::threads::outcome::Mark;
use crate::units::Nanos;

/// By how much a window may be longer than asked for, and a thread late at either end of it, as a part of its length.
///
/// Rates refer to the length that the window had. But a client that ends it late was not there, and what is still
/// counted meanwhile is not the load that was asked for; a part of a hundred is less than repeated runs differ by.
const LATE_SHARE_MAX: f64 = 0.02;

/// What is granted even to a short window: the coordinator has to be given a CPU, and a load thread to come to the end of
/// its iteration.
const LATE_MIN: Nanos = Nanos::from_millis(100);

/// Part of the window that the client may have been stopped: that of the messages of an open loop that may be late.
const STALLED_SHARE_MAX: f64 = 0.01;

/// A suspension shorter than this is the time between two readings of a clock.
const SUSPENDED_MIN: Nanos = Nanos::from_millis(10);

/// How the window went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    asked: Nanos,
    length: Nanos,
    /// The latest that a thread of the measured connections came to either end of it.
    late: Nanos,
    /// The client did not run for so long.
    stalled: Nanos,
    /// The machine was suspended for so long, which no clock of the run counts.
    suspended: Nanos,
}

impl Window {
    /// That of `evidence`, which was to last `asked`; `None` if it never ended.
    pub(super) fn of(evidence: &Evidence, asked: Nanos) -> Option<Self> {
        let (begin, end) = (&evidence.window_begin.as_ref()?.0, &evidence.window_end.as_ref()?.0);
        let late = |mark: &Option<Mark>, at: Nanos| Some(mark.as_ref()?.at.saturating_sub(at));
        let ends = evidence.measured().flat_map(|o| [late(&o.begin, begin.at), late(&o.end, end.at)]);
        let stalled = evidence.stalls.iter().map(|stall| stall.within(begin.at, end.at).0).sum();
        Some(Self {
            asked,
            length: end.at - begin.at,
            late: ends.flatten().max().unwrap_or_default(),
            stalled: Nanos(stalled),
            suspended: end.suspended.saturating_sub(begin.suspended),
        })
    }

    /// What voids the run.
    pub(super) fn faults(self) -> Vec<Fault> {
        let tolerance = LATE_MIN.max(Nanos((self.asked.0 as f64 * LATE_SHARE_MAX) as u64));
        let (length_s, asked_s) = (self.length.as_secs_f64(), self.asked.as_secs_f64());
        let overrun = self.length.saturating_sub(self.asked) > tolerance;
        let unpunctual = self.late > tolerance;
        let stalled = self.stalled_share() > STALLED_SHARE_MAX;
        let suspended = self.suspended >= SUSPENDED_MIN;
        let faults = [
            suspended.then(|| Fault::Suspended { suspended_s: self.suspended.as_secs_f64() }),
            stalled.then(|| Fault::Stalled {
                stalled_ms: self.stalled_ms(),
                percent: 100.0 * self.stalled_share(),
            }),
            overrun.then_some(Fault::Overrun { length_s, asked_s }),
            unpunctual.then_some(Fault::Unpunctual { late_ms: self.late.0 / 1_000_000 }),
        ];
        faults.into_iter().flatten().collect()
    }

    /// Says so if the client was stopped, but not for long.
    pub(super) fn note(self) -> Option<String> {
        let is_noted = self.stalled.0 > 0 && self.stalled_share() <= STALLED_SHARE_MAX;
        is_noted.then(|| {
            format!(
                "the client was stopped for {} ms of the window: the slowest messages met that",
                self.stalled_ms()
            )
        })
    }

    const fn stalled_ms(self) -> u64 {
        self.stalled.0 / 1_000_000
    }

    fn stalled_share(self) -> f64 {
        self.stalled.0 as f64 / self.length.0.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Window = Window {
        asked: Nanos::from_secs(10),
        length: Nanos::from_millis(10_200),
        late: Nanos::from_millis(200),
        stalled: Nanos::from_millis(100),
        suspended: Nanos(0),
    };

    fn words(window: Window) -> Vec<&'static str> {
        window.faults().iter().map(Fault::word).collect()
    }

    #[test]
    fn a_window_that_is_a_little_late_is_believed() {
        assert!(words(GOOD).is_empty());
        assert_eq!(
            GOOD.note().unwrap(),
            "the client was stopped for 100 ms of the window: the slowest messages met that"
        );
        assert_eq!(Window { stalled: Nanos(0), ..GOOD }.note(), None);
    }

    #[test]
    fn a_window_that_is_too_long_is_void() {
        assert_eq!(words(Window { length: Nanos::from_millis(10_201), ..GOOD }), ["window"]);
        let short = Window { asked: Nanos::from_secs(1), length: Nanos::from_millis(2680), ..GOOD };
        assert_eq!(short.faults()[0].word(), "stalled");
        assert!(words(short).contains(&"window"));
    }

    #[test]
    fn a_short_window_may_end_as_late_as_a_thread_needs() {
        let short = Window { asked: Nanos::from_millis(300), length: Nanos::from_millis(400), ..GOOD };
        assert!(words(Window { late: Nanos::from_millis(100), stalled: Nanos(0), ..short }).is_empty());
    }

    #[test]
    fn a_thread_that_counts_another_window_voids_the_run() {
        assert_eq!(words(Window { late: Nanos::from_millis(201), ..GOOD }), ["window"]);
    }

    #[test]
    fn a_client_that_was_stopped_for_more_than_a_hundredth_voids_the_run() {
        let stopped = Window { stalled: Nanos::from_millis(400), ..GOOD };
        assert_eq!((words(stopped), stopped.note()), (vec!["stalled"], None));
    }

    #[test]
    fn a_machine_that_slept_voids_the_run() {
        assert_eq!(words(Window { suspended: Nanos::from_secs(3), ..GOOD }), ["suspended"]);
    }
}
