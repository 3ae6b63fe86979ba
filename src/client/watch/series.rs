//! The window second by second, which shows drift that a mean hides.

use crate::client::threads::control::Tally;
use crate::record::Series;
use crate::units::Nanos;

/// Length of a step.
pub(crate) const STEP: Nanos = Nanos::from_secs(1);

/// A series being recorded.
#[derive(Debug)]
pub(crate) struct SeriesRecorder {
    begun: Nanos,
    last: Tally,
    series: Series,
}

impl SeriesRecorder {
    /// A series that begins at `begun` with `tally` already there.
    pub(crate) fn new(begun: Nanos, tally: Tally) -> Self {
        Self { begun, last: tally, series: Series::default() }
    }

    /// Ends a step at `now` with `tally` there.
    pub(crate) fn step(&mut self, now: Nanos, tally: Tally) {
        // Threads copy their tallies at the window's ends and publish them after an iteration, so that a step which ends
        // within an iteration of the window's beginning may see less than was there then. It counts as empty.
        let received_bytes = tally.received_bytes.max(self.last.received_bytes);
        let messages = tally.messages.max(self.last.messages);
        self.series.at_ns.push(now - self.begun);
        self.series.received_bytes.push(received_bytes - self.last.received_bytes);
        self.series.messages.push(messages - self.last.messages);
        self.last = Tally { received_bytes, messages, ..tally };
    }

    /// What was recorded.
    pub(crate) fn finish(self) -> Series {
        self.series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tally(received_bytes: u64, messages: u64) -> Tally {
        Tally { connections: 1, received_bytes, messages }
    }

    #[test]
    fn steps_add_up_to_the_window() {
        let mut recorder = SeriesRecorder::new(Nanos(1000), tally(500, 5));
        recorder.step(Nanos(1100), tally(900, 9));
        recorder.step(Nanos(1250), tally(1000, 10));
        let series = recorder.finish();
        assert_eq!(series.at_ns, [Nanos(100), Nanos(250)]);
        assert_eq!(series.received_bytes, [400, 100]);
        assert_eq!(series.messages, [4, 1]);
    }

    #[test]
    fn a_tally_that_lags_behind_the_beginning_makes_an_empty_step() {
        let mut recorder = SeriesRecorder::new(Nanos(0), tally(500, 5));
        recorder.step(Nanos(1), tally(400, 4));
        recorder.step(Nanos(2), tally(700, 7));
        assert_eq!(recorder.finish().received_bytes, [0, 200]);
    }
}
