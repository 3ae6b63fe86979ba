//! An open loop: messages start when they were intended to, whatever has come back.
//!
//! What a connection may have unanswered stays bounded by the depth. A message that is due on a full connection waits,
//! and keeps its intended start: the wait is the server's, and the corrected latency shows it. The uncorrected one is
//! that of a client which waits for its outstanding reply before it looks at the clock, and so asks a stalled server
//! `depth` times at most.
//!
//! Nothing is queued: a flow's backlog is what lies between its next intended start and now. Flows that are not due yet
//! wait in a heap; all others are up to the driver's ready ring, which looks at them when something happened.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::arrivals::Arrivals;
use super::ledger::Ledger;
use super::pace::{OpenLoopTimings, Pace, Timings};
use super::phase::Phase;
use super::schedule::Schedule;
use crate::measure::histogram::Histogram;
use crate::record::ClientSettings;
use crate::sys::epoll::{Epoll, Events};
use crate::sys::{Errno, clock};
use crate::units::Nanos;

/// When the load began: the same instant for all threads, set by the first that gets there.
pub(crate) type Epoch = Arc<OnceLock<Nanos>>;

/// A thread that comes this much too late to a message was away, and not merely busy with other flows: an iteration takes a
/// few milliseconds at most.
const ABSENCE_MIN: Nanos = Nanos::from_millis(10);

/// Most absences remembered. A message that waits longer than those last is late for other reasons too.
const ABSENCES_MAX: usize = 16;

/// The flows of a thread.
pub(crate) struct OpenLoop {
    schedule: Schedule,
    payload_bytes: u64,
    depth: u64,
    epoch: Epoch,
    /// What the epoch was set to.
    begun: Nanos,
    /// As of this iteration.
    now: Nanos,
    flows: Box<[Timed]>,
    /// `stamps[flow * depth + message % depth]`: the messages unanswered.
    stamps: Box<[Stamp]>,
    /// Flows whose next intended start lies ahead, nearest first.
    ahead: BinaryHeap<Reverse<(Nanos, u32)>>,
    absences: Absences,
    is_window: bool,
    corrected: Histogram,
    lags: OpenLoopTimings,
}

/// One flow.
struct Timed {
    arrivals: Arrivals,
    /// When it was last free to send after it had not been.
    free_since: Nanos,
    /// Its last write was not taken whole; since when it is free again nobody told.
    is_blocked: bool,
}

/// When the thread was last away, most recent ones only.
#[derive(Default)]
struct Absences {
    /// From when a message was due until the thread looked, in a ring.
    spans: [(Nanos, Nanos); ABSENCES_MAX],
    count: usize,
}

impl Absences {
    /// The thread looks at `now` for a message that was due at `due`.
    fn note(&mut self, due: Nanos, now: Nanos) {
        if now.saturating_sub(due) >= ABSENCE_MIN {
            self.spans[self.count % ABSENCES_MAX] = (due, now);
            self.count += 1;
        }
    }

    /// Whether the thread was away at `instant`.
    fn cover(&self, instant: Nanos) -> bool {
        self.spans.iter().any(|&(begin, end)| (begin..end).contains(&instant))
    }
}

/// One message.
#[derive(Clone, Copy, Default)]
struct Stamp {
    intended: Nanos,
    begun: Nanos,
}

impl OpenLoop {
    /// The flows with these numbers, at `rate_per_s` together with those of the other threads.
    pub(crate) fn new(settings: &ClientSettings, rate_per_s: u64, numbers: Range<u32>, epoch: Epoch) -> Self {
        let timed = |number| Timed {
            arrivals: Arrivals::new(settings, rate_per_s, number),
            free_since: Nanos(0),
            is_blocked: false,
        };
        let histogram = Histogram::new;
        Self {
            schedule: Schedule::new(settings),
            payload_bytes: settings.payload_bytes.0 as u64,
            depth: u64::from(settings.depth),
            epoch,
            begun: Nanos(0),
            now: Nanos(0),
            stamps: vec![Stamp::default(); numbers.len() * settings.depth as usize].into(),
            ahead: BinaryHeap::with_capacity(numbers.len()),
            flows: numbers.map(timed).collect(),
            absences: Absences::default(),
            is_window: false,
            corrected: histogram(),
            lags: OpenLoopTimings {
                uncorrected: histogram(),
                send_lag: histogram(),
                client_lag: histogram(),
            },
        }
    }

    /// When the next message of `flow` should start.
    fn next_start(&self, flow: usize) -> Nanos {
        self.begun + self.flows[flow].arrivals.next()
    }

    const fn slot(&self, flow: usize, message: u64) -> usize {
        flow * self.depth as usize + (message % self.depth) as usize
    }

    /// The first bytes of `message` of `flow` were sent at `begun`.
    fn on_begun(&mut self, flow: usize, message: u64, begun: Nanos) {
        let intended = self.next_start(flow);
        self.stamps[self.slot(flow, message)] = Stamp { intended, begun };
        if self.is_window {
            // What fell due while the thread was away waits for those before it, but all of them for the client.
            let is_awaiting_client = self.absences.cover(intended);
            let possible =
                if is_awaiting_client { intended } else { intended.max(self.flows[flow].free_since) };
            self.lags.send_lag.record(begun.saturating_sub(intended));
            self.lags.client_lag.record(begun.saturating_sub(possible));
        }
        self.flows[flow].arrivals.advance();
        let next = self.next_start(flow);
        if next > self.now {
            self.ahead.push(Reverse((next, flow as u32)));
        }
    }
}

impl Pace for OpenLoop {
    const IS_MEASURED: bool = true;

    fn begin(&mut self) {
        self.begun = *self.epoch.get_or_init(clock::monotonic);
        for flow in 0..self.flows.len() {
            self.ahead.push(Reverse((self.next_start(flow), flow as u32)));
        }
    }

    /// Sleeps until the nearest intended start, to within what the timers of the kernel give: a thread that polled
    /// instead would be sharper by the time of a wake-up, and its core busy whatever the load.
    fn wait(&mut self, epoll: &Epoll, events: &mut Events, has_work: bool) -> Result<usize, Errno> {
        let until_next =
            || self.ahead.peek().map(|Reverse((start, _))| start.saturating_sub(clock::monotonic()));
        let timeout = if has_work { Some(Nanos(0)) } else { until_next() };
        epoll.wait_precisely(events, timeout)
    }

    fn release(&mut self, mut release: impl FnMut(u32)) {
        self.now = clock::monotonic();
        if let Some(&Reverse((due, _))) = self.ahead.peek() {
            self.absences.note(due, self.now);
        }
        while let Some(&Reverse((start, flow))) = self.ahead.peek()
            && start <= self.now
        {
            self.ahead.pop();
            release(flow);
        }
    }

    /// The rest of a message cut short, or one message that is due.
    fn sendable(&self, flow: usize, ledger: Ledger) -> usize {
        let begun_bytes = ledger.sent % self.payload_bytes;
        if begun_bytes == 0 && self.next_start(flow) > self.now {
            return 0;
        }
        self.schedule.sendable(ledger).min((self.payload_bytes - begun_bytes) as usize)
    }

    fn send_time(&self, _: usize) -> Option<Nanos> {
        Some(clock::monotonic())
    }

    fn on_sent(&mut self, flow: usize, before: Ledger, after: Ledger, begun: Option<Nanos>) {
        self.schedule.assert_depth(after);
        let begun = begun.expect("each send is timed");
        let timed = &mut self.flows[flow];
        if std::mem::take(&mut timed.is_blocked) {
            timed.free_since = begun;
        }
        if before.sent.is_multiple_of(self.payload_bytes) {
            self.on_begun(flow, before.sent / self.payload_bytes, begun);
        }
    }

    fn on_blocked(&mut self, flow: usize) {
        self.flows[flow].is_blocked = true;
    }

    fn on_received(&mut self, flow: usize, before: Ledger, after: Ledger) {
        let completed = before.received / self.payload_bytes..after.received / self.payload_bytes;
        if completed.is_empty() {
            return;
        }
        let now = clock::monotonic();
        let unanswered = before.sent.div_ceil(self.payload_bytes) - completed.start;
        if unanswered >= self.depth {
            // The reply was there when the iteration began: what that spent on other flows is the client's own lag.
            self.flows[flow].free_since = self.now;
        }
        for message in completed.filter(|_| self.is_window) {
            let stamp = self.stamps[self.slot(flow, message)];
            self.corrected.record(now.saturating_sub(stamp.intended));
            self.lags.uncorrected.record(now.saturating_sub(stamp.begun));
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.is_window = phase == Phase::Window;
    }

    fn finish(self) -> Timings {
        Timings { latency: self.corrected, open_loop: Some(self.lags) }
    }
}

#[cfg(test)]
mod tests;
