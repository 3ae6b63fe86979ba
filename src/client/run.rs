//! A run from start to end: connect, warm up, measure, drain, close.
//!
//! The coordinator reads every clock and counter at both ends of the window within about a millisecond: it asks the
//! server for a snapshot, tells the load threads to copy their ledgers, and reads the CPU times while both do so.

use std::time::Duration;

use super::account::assemble::assemble;
use super::account::evidence::Evidence;
use super::config::ClientConfig;
use super::fault::Fault;
use super::load::phase::Phase;
use super::threads::crew::{Crew, Roll};
use super::watch::observe::{Observer, Reading};
use super::watch::progress::Progress;
use super::watch::series::{STEP, SeriesRecorder};
use super::watch::stalls::Watchdog;
use super::watch::stats_tail::Snapshot;
use crate::record::RunRecord;
use crate::sys::signal::{Signal, Signals};
use crate::sys::{affinity, clock, limits};
use crate::units::Nanos;

/// Time allowed for a load thread to notice a new phase: much longer than any iteration.
const ANSWER_LIMIT: Nanos = Nanos::from_secs(5);

/// How long a signal may go unnoticed.
const ATTENTION: Nanos = Nanos::from_millis(50);

/// Descriptors beyond one a connection: standard streams, epoll, wake pairs, files read for observation.
const DESCRIPTORS_SPARE: u64 = 64;

/// Why a run ends before its last phase.
enum Stop {
    /// The coordinator noticed.
    Fault(Fault),
    /// A load thread noticed, and says so in its outcome.
    Thread,
    /// Bytes are missing; which, the ledgers say.
    NotDrained,
    /// Connections are still open; which, the ledgers say.
    NotEnded,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Runs `config` and says how it went. Restricts the calling thread to the CPUs named.
///
/// Never fails: whatever goes wrong is a reason in the record's `validity`.
pub fn run(config: &ClientConfig) -> RunRecord {
    let mut evidence = Evidence::begin(config);
    match Coordinator::prepare(config, &mut evidence) {
        Ok(coordinator) => coordinator.lead(&mut evidence),
        Err(fault) => evidence.faults.push(fault),
    }
    assemble(config, evidence)
}

/// Leads one run.
struct Coordinator<'a> {
    config: &'a ClientConfig,
    signals: Signals,
    observer: Observer,
    watchdog: Watchdog,
    crew: Crew,
    progress: Progress,
    series: Option<SeriesRecorder>,
    phase_name: &'static str,
    next_tick: Nanos,
}

impl<'a> Coordinator<'a> {
    fn prepare(config: &'a ClientConfig, evidence: &mut Evidence) -> Result<Self, Fault> {
        let signals = Signals::open().map_err(|error| Fault::setup("open a signal descriptor", error))?;
        raise_descriptor_limit(config)?;
        evidence.client_cpus = effective_cpus(config)?;
        let observer = Observer::attach(config)?;
        evidence.server_found(&observer);
        let now = clock::monotonic();
        evidence.connect_start = Some(now);
        Ok(Self {
            config,
            signals,
            observer,
            watchdog: Watchdog::start()?,
            crew: Crew::launch(config)?,
            progress: Progress::new(config.progress, now),
            series: None,
            phase_name: "connect",
            next_tick: now + STEP,
        })
    }

    fn lead(mut self, evidence: &mut Evidence) {
        let stop = self.through_the_phases(evidence).err();
        self.progress.finish();
        evidence.series = self.series.map(SeriesRecorder::finish).unwrap_or_default();
        let (outcomes, faults) = self.crew.join();
        evidence.stalls = self.watchdog.finish();
        evidence.outcomes = outcomes;
        match stop {
            Some(Stop::Fault(fault)) => evidence.faults.push(fault),
            Some(Stop::NotDrained) => evidence.not_drained(self.config.settings.drain_limit_ns),
            Some(Stop::NotEnded) => evidence.not_ended(self.config.settings.drain_limit_ns),
            Some(Stop::Thread) | None => {}
        }
        evidence.faults.extend(faults);
    }

    fn through_the_phases(&mut self, evidence: &mut Evidence) -> Result<(), Stop> {
        self.connect()?;
        evidence.load_start = Some(clock::monotonic());
        self.warm_up()?;
        self.begin_window(evidence)?;
        self.measure(evidence)?;
        self.end_window(evidence)?;
        self.drain(evidence)?;
        self.close()
    }

    fn connect(&mut self) -> Result<(), Stop> {
        let limit = self.config.connect_limit;
        if self.await_all(|roll| roll.connected, limit)? {
            return Ok(());
        }
        Err(Stop::Fault(Fault::Short {
            achieved: self.crew.tally().connections,
            requested: self.config.connections_in_all() as u64,
            limit_s: limit.as_secs_f64(),
        }))
    }

    fn warm_up(&mut self) -> Result<(), Stop> {
        self.phase_name = "warm-up";
        self.crew.enter(Phase::WarmUp);
        self.pause_until(clock::monotonic() + self.config.settings.warmup_ns)
    }

    fn begin_window(&mut self, evidence: &mut Evidence) -> Result<(), Stop> {
        self.phase_name = "window";
        let reading = self.cut(Phase::Window, |roll| roll.window_begun)?;
        self.series = Some(SeriesRecorder::new(reading.at, self.crew.roll.begin));
        self.next_tick = reading.at + STEP;
        evidence.window_begin = Some((reading, self.observer.await_snapshot()?));
        Ok(())
    }

    fn measure(&mut self, evidence: &Evidence) -> Result<(), Stop> {
        let begun = evidence.window_begin.as_ref().map_or(Nanos(0), |(reading, _)| reading.at);
        self.pause_until(begun + self.config.settings.duration_ns)
    }

    fn end_window(&mut self, evidence: &mut Evidence) -> Result<(), Stop> {
        // The step that the window's end completes is added below, from tallies that are exact.
        self.next_tick = Nanos(u64::MAX);
        let reading = self.cut(Phase::Drain, |roll| roll.window_ended)?;
        if let Some(series) = &mut self.series {
            series.step(reading.at, self.crew.roll.end);
        }
        evidence.server_rss_max_bytes = self.observer.server_rss_max_bytes();
        evidence.window_end = Some((reading, self.observer.await_snapshot()?));
        Ok(())
    }

    /// Enters `phase` and reads every clock and counter, all at about one instant.
    fn cut(&mut self, phase: Phase, milestone: fn(&Roll) -> usize) -> Result<Reading, Stop> {
        self.observer.request_snapshot()?;
        self.crew.enter(phase);
        let reading = self.observer.read()?;
        if self.await_all(milestone, ANSWER_LIMIT)? {
            return Ok(reading);
        }
        Err(Stop::Fault(Fault::Unresponsive { limit_s: ANSWER_LIMIT.as_secs_f64() }))
    }

    fn drain(&mut self, evidence: &mut Evidence) -> Result<(), Stop> {
        self.phase_name = "drain";
        self.next_tick = clock::monotonic() + STEP;
        if !self.await_all(|roll| roll.drained, self.config.settings.drain_limit_ns)? {
            return Err(Stop::NotDrained);
        }
        evidence.drained = Some(clock::monotonic());
        evidence.last_snapshot = self.snapshot()?;
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Option<Snapshot>, Fault> {
        self.observer.request_snapshot()?;
        self.observer.await_snapshot()
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.phase_name = "close";
        self.crew.enter(Phase::Close);
        if self.await_all(|roll| roll.closed, self.config.settings.drain_limit_ns)? {
            Ok(())
        } else {
            Err(Stop::NotEnded)
        }
    }

    fn pause_until(&mut self, end: Nanos) -> Result<(), Stop> {
        while clock::monotonic() < end {
            self.attend(end)?;
        }
        Ok(())
    }

    /// Whether every thread reached `milestone` within `limit`.
    fn await_all(&mut self, milestone: fn(&Roll) -> usize, limit: Nanos) -> Result<bool, Stop> {
        let deadline = clock::monotonic() + limit;
        while milestone(&self.crew.roll) < self.crew.size() {
            if clock::monotonic() >= deadline {
                return Ok(false);
            }
            self.attend(deadline)?;
        }
        Ok(true)
    }

    /// Takes in one report, signal or tick; returns at `end` at the latest.
    fn attend(&mut self, end: Nanos) -> Result<(), Stop> {
        let now = clock::monotonic();
        let patience = end.saturating_sub(now).min(self.next_tick.saturating_sub(now)).min(ATTENTION);
        self.crew.listen(Duration::from(patience));
        if self.crew.roll.failed > 0 {
            return Err(Stop::Thread);
        }
        if self.signals.next().map_err(|errno| Fault::setup("read a signal", errno))? == Some(Signal::Stop) {
            return Err(Stop::Fault(Fault::Interrupted));
        }
        self.tick(end);
        Ok(())
    }

    /// Once a second: a step of the series, a line of progress. A step that would end with the window is left to it.
    fn tick(&mut self, end: Nanos) {
        let now = clock::monotonic();
        if now < self.next_tick {
            return;
        }
        self.next_tick += STEP;
        let tally = self.crew.tally();
        self.progress.show(self.phase_name, now, tally);
        let is_measuring = self.phase_name == "window" && end.saturating_sub(now).0 > STEP.0 / 2;
        if let Some(series) = self.series.as_mut().filter(|_| is_measuring) {
            series.step(now, tally);
        }
    }
}

/// Descriptors that a client of so many connections and threads may open: its soft limit is raised to that.
pub const fn descriptors_needed(connections: usize, threads: usize) -> u64 {
    connections as u64 + 3 * threads as u64 + DESCRIPTORS_SPARE
}

fn raise_descriptor_limit(config: &ClientConfig) -> Result<(), Fault> {
    let needed = descriptors_needed(config.connections_in_all(), config.settings.threads);
    limits::raise_nofile(needed).map(drop).map_err(|errno| {
        let hard = limits::nofile().map_or(0, |limit| limit.hard);
        let cause =
            format!("{errno}; the hard limit is {hard}: raise it (ulimit -Hn) or ask for fewer connections");
        Fault::Setup { operation: format!("have {needed} open descriptors"), cause }
    })
}

fn effective_cpus(config: &ClientConfig) -> Result<Vec<usize>, Fault> {
    let cpus = &config.settings.cpus;
    let result = if cpus.is_empty() { affinity::permitted(0) } else { affinity::pin(cpus) };
    result.map_err(|error| Fault::setup("set the CPUs of the client", error))
}
