//! What a thread's flows do: when they send, whether they read, which of their messages are timed.
//!
//! A driver is compiled once for each kind, so that the closed loop does not pay for what only the others ask.

use super::ledger::Ledger;
use super::phase::Phase;
use super::schedule::Schedule;
use super::stopwatch::Stopwatch;
use crate::measure::histogram::Histogram;
use crate::record::ClientSettings;
use crate::sys::epoll::{Epoll, Events};
use crate::sys::{Errno, clock};
use crate::units::{Bytes, Nanos};

/// A stream under this bound stops only where its socket does.
const UNBOUNDED: Bytes = Bytes(usize::MAX / 2);

/// What a driver asks about its flows, by index, and what it tells.
pub(crate) trait Pace {
    /// Whether what comes back to the flows counts as the run's.
    const IS_MEASURED: bool;

    /// Whether what they send comes back.
    const IS_ECHOED: bool = true;

    /// The load begins.
    fn begin(&mut self) {}

    /// Waits for readiness, not at all if `has_work`.
    ///
    /// # Errors
    /// As [`Epoll::wait`].
    fn wait(&mut self, epoll: &Epoll, events: &mut Events, has_work: bool) -> Result<usize, Errno> {
        epoll.wait(events, has_work.then_some(Nanos(0)))
    }

    /// Names the flows that may send now for no other reason than that time has passed.
    fn release(&mut self, _release: impl FnMut(u32)) {}

    /// Whether the flows read in `phase`.
    fn reads(&self, _phase: Phase) -> bool {
        true
    }

    /// How many bytes `flow` may write now, in one call.
    fn sendable(&self, flow: usize, ledger: Ledger) -> usize;

    /// The time, if a write of `flow` that begins now needs it.
    fn send_time(&self, _flow: usize) -> Option<Nanos> {
        None
    }

    /// A write of `flow`, begun at `begun` if that was asked for, took its ledger from `before` to `after`.
    fn on_sent(&mut self, flow: usize, before: Ledger, after: Ledger, begun: Option<Nanos>);

    /// The kernel did not take all of a write.
    fn on_blocked(&mut self, _flow: usize) {}

    /// A receive took the ledger of `flow` from `before` to `after`.
    fn on_received(&mut self, _flow: usize, _before: Ledger, _after: Ledger) {}

    /// The run is in `phase` from now on.
    fn enter(&mut self, _phase: Phase) {}

    /// What was measured.
    fn finish(self) -> Timings;
}

/// Latencies that a thread measured.
#[derive(Debug)]
pub(crate) struct Timings {
    /// From the start of messages that were completed in the window.
    pub(crate) latency: Histogram,
    /// What only an open loop has.
    pub(crate) open_loop: Option<OpenLoopTimings>,
}

/// Latencies beside those from the intended start.
#[derive(Debug)]
pub(crate) struct OpenLoopTimings {
    /// From the actual send.
    pub(crate) uncorrected: Histogram,
    /// From the intended start to the actual send.
    pub(crate) send_lag: Histogram,
    /// The client's own part of that.
    pub(crate) client_lag: Histogram,
}

impl Timings {
    /// Of flows that are not timed.
    pub(crate) fn none() -> Self {
        Self { latency: Histogram::new(), open_loop: None }
    }
}

/// Flows that send when something has come back, or while not too much is on its way.
pub(crate) struct ClosedLoop {
    schedule: Schedule,
    stopwatch: Stopwatch,
    latency: Histogram,
    is_window: bool,
}

impl ClosedLoop {
    pub(crate) fn new(settings: &ClientSettings, flow_count: usize) -> Self {
        Self {
            schedule: Schedule::new(settings),
            stopwatch: Stopwatch::new(settings, flow_count),
            latency: Histogram::new(),
            is_window: false,
        }
    }
}

impl Pace for ClosedLoop {
    const IS_MEASURED: bool = true;

    fn sendable(&self, _: usize, ledger: Ledger) -> usize {
        self.schedule.sendable(ledger)
    }

    fn send_time(&self, flow: usize) -> Option<Nanos> {
        self.stopwatch.is_wanted(flow).then(clock::monotonic)
    }

    fn on_sent(&mut self, flow: usize, before: Ledger, after: Ledger, begun: Option<Nanos>) {
        self.schedule.assert_depth(after);
        if let Some(begun) = begun {
            self.stopwatch.on_sent(flow, before, after, begun);
        }
    }

    fn on_received(&mut self, flow: usize, before: Ledger, after: Ledger) {
        self.stopwatch.on_received(flow, before, after, clock::monotonic, |span| {
            if self.is_window {
                self.latency.record(span);
            }
        });
    }

    fn enter(&mut self, phase: Phase) {
        self.is_window = phase == Phase::Window;
    }

    fn finish(self) -> Timings {
        Timings { latency: self.latency, open_loop: None }
    }
}

/// Flows that stand beside the measured ones: hogs, which stream, and idle ones, which do not send.
pub(crate) struct Company {
    /// `None` sends nothing.
    schedule: Option<Schedule>,
    /// Whether they leave their echoes unread until the drain.
    holds_back: bool,
}

impl Company {
    /// Streams as `settings` say, which are those of the hogs.
    pub(crate) fn streaming(settings: &ClientSettings) -> Self {
        Self { schedule: Some(Schedule::new(settings)), holds_back: false }
    }

    /// Streams until it is blocked, by not reading.
    pub(crate) fn holding_back(settings: &ClientSettings) -> Self {
        Self { schedule: Some(unbounded(settings)), holds_back: true }
    }

    /// Sends nothing.
    pub(crate) const fn idle() -> Self {
        Self { schedule: None, holds_back: false }
    }
}

impl Pace for Company {
    const IS_MEASURED: bool = false;

    fn reads(&self, phase: Phase) -> bool {
        !self.holds_back || !phase.sends()
    }

    fn sendable(&self, _: usize, ledger: Ledger) -> usize {
        self.schedule.map_or(0, |schedule| schedule.sendable(ledger))
    }

    fn on_sent(&mut self, _: usize, _: Ledger, _: Ledger, _: Option<Nanos>) {}

    fn finish(self) -> Timings {
        Timings::none()
    }
}

/// Measured flows whose bytes are discarded: they stream as fast as their sockets take it.
pub(crate) struct Pour(Schedule);

impl Pour {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        Self(unbounded(settings))
    }
}

impl Pace for Pour {
    const IS_MEASURED: bool = true;
    const IS_ECHOED: bool = false;

    fn sendable(&self, _: usize, ledger: Ledger) -> usize {
        self.0.sendable(ledger)
    }

    fn on_sent(&mut self, _: usize, _: Ledger, _: Ledger, _: Option<Nanos>) {}

    fn finish(self) -> Timings {
        Timings::none()
    }
}

fn unbounded(settings: &ClientSettings) -> Schedule {
    Schedule::new(&ClientSettings { in_flight_bytes_max: UNBOUNDED, ..settings.clone() })
}
