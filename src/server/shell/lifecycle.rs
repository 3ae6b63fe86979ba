//! From listening to exit: what a server says of itself, and what signals tell it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use crate::measure::counters::{Counters, Settings, StatsLine};
use crate::server::shell::config::Config;
use crate::server::shell::error::StartError;
use crate::server::shell::stats::StatsFile;
use crate::sys::signal::{Signal, Signals};
use crate::sys::{Errno, affinity, clock};
use crate::units::Nanos;
use crate::words::plural;

/// How long a connection has to be quiet before a stopping server closes it.
const TICK: Nanos = Nanos::from_millis(200);

/// How long the serving loop rests after the kernel had no memory for its wait call.
const REST: Nanos = Nanos::from_millis(1);

/// How often in a row the wait call may be refused before the server gives up: about a second.
const REFUSALS_MAX: u32 = 1000;

#[derive(Clone, Copy, Debug)]
struct Stop {
    /// When what is left is cut off.
    deadline: Nanos,
    /// When connections are looked at again.
    tick: Nanos,
}

/// Signals, the stats file and the deadline of a stop.
#[derive(Debug)]
pub struct Lifecycle {
    signals: Signals,
    stats: StatsFile,
    drain: Nanos,
    stop: Option<Stop>,
    refusals: u32,
    heard_of_urgent_data: bool,
}

impl Lifecycle {
    /// Pins the thread, opens signals and stats.
    ///
    /// # Errors
    /// With cause and remedy, when one of them is refused.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        if let Some(cpu) = config.cpu {
            affinity::pin(&[cpu]).map_err(|error| StartError::pin(cpu, &error))?;
        }
        let stats = StatsFile::open(config.stats.as_deref())
            .map_err(|error| StartError::stats(config.stats.as_deref().unwrap_or("-".as_ref()), &error))?;
        let signals =
            Signals::open().map_err(|error| StartError::resource("cannot watch for signals", error))?;
        Ok(Self { signals, stats, drain: config.drain, stop: None, refusals: 0, heard_of_urgent_data: false })
    }

    /// Says on standard output that the server listens and with what settings, and on standard error what to know of that.
    pub fn announce(&mut self, addr: SocketAddr, settings: Settings, notes: &[String]) {
        for note in notes {
            log(format_args!("note: {note}"));
        }
        let mut line = format!("listening on {addr}");
        for (key, value) in &settings {
            line.push_str(&format!(" {key}={value}"));
        }
        // A closed standard output is no reason not to serve.
        let _ = writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
        self.append(&StatsLine::Start { pid: std::process::id(), settings });
        if !addr.ip().is_loopback() {
            log(format_args!(
                "warning: {addr} can be reached from other machines; an echo server answers anyone"
            ));
        }
    }

    /// Handles the signals that arrived. Returns whether this is the moment to begin to stop.
    ///
    /// A second stop signal moves the deadline to now.
    pub fn on_signals(&mut self, counters: &Counters, connections: usize) -> bool {
        let mut begins = false;
        while let Ok(Some(signal)) = self.signals.next() {
            let now = clock::monotonic();
            match signal {
                Signal::Snapshot => self.append(&StatsLine::Snapshot {
                    at_ns: now,
                    connections: connections as u64,
                    counters: *counters,
                }),
                Signal::Urgent => self.heard_of_urgent_data = true,
                Signal::Stop => match &mut self.stop {
                    // The tick stays: nobody has been silent for longer because of a signal.
                    Some(stop) => stop.deadline = now,
                    None => {
                        self.stop = Some(Stop { deadline: now + self.drain, tick: now + TICK });
                        begins = true;
                    }
                },
            }
        }
        begins
    }

    /// Whether a peer has ever sent urgent data, as far as the server asked to hear of that.
    pub const fn has_heard_of_urgent_data(&self) -> bool {
        self.heard_of_urgent_data
    }

    /// Whether the server has been told to stop.
    pub const fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether the time to stop in good order is over.
    pub fn is_past_deadline(&self) -> bool {
        self.stop.is_some_and(|stop| clock::monotonic() >= stop.deadline)
    }

    /// Whether a tick of a stopping server has passed; begins the next one. Not from the deadline on: who is connected
    /// then is cut off.
    pub fn has_ticked(&mut self) -> bool {
        let Some(stop) = &mut self.stop else { return false };
        let now = clock::monotonic();
        if now < stop.tick || now >= stop.deadline {
            return false;
        }
        stop.tick = now + TICK;
        true
    }

    /// How long a wait may last: to the next tick or deadline of a stopping server, or to `other`, if sooner.
    pub fn patience(&self, other: Option<Nanos>) -> Option<Nanos> {
        let stop = self.stop.map(|stop| stop.deadline.min(stop.tick));
        let next = [stop, other].into_iter().flatten().min()?;
        Some(next.saturating_sub(clock::monotonic()))
    }

    /// Takes note of how a wait call ended. A signal or a passing lack of memory is survived, with a rest so that
    /// it is not asked again at once; anything else, or a lack that lasts, is not.
    ///
    /// # Errors
    /// The errno that serving cannot go on from.
    pub fn on_wait(&mut self, result: Result<(), Errno>) -> Result<(), Errno> {
        let Err(errno) = result else {
            self.refusals = 0;
            return Ok(());
        };
        if errno.interrupted() {
            return Ok(());
        }
        self.refusals += 1;
        let passing = errno.passing() || errno.0 == libc::EBUSY;
        if !passing || self.refusals > REFUSALS_MAX {
            return Err(errno);
        }
        clock::rest(REST);
        Ok(())
    }

    /// Writes the final counters and says on standard error how it ended.
    pub fn finish(&mut self, counters: &Counters) {
        self.append(&StatsLine::Exit { at_ns: clock::monotonic(), counters: *counters });
        log(format_args!(
            "stopped: {} served, {} bytes echoed, {} cut off at the deadline",
            plural(counters.closed, "connection"),
            counters.sent_bytes,
            counters.cut_off
        ));
    }

    fn append(&mut self, line: &StatsLine) {
        if let Err(error) = self.stats.append(line) {
            log(format_args!("warning: the stats file was not written: {error}"));
        }
    }
}

impl AsFd for Lifecycle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}

/// Writes one line to standard error. Nobody reading it is no reason not to serve.
fn log(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
