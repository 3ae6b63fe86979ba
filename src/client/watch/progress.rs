//! A line a second for whoever waits.

use std::io::{self, IsTerminal, Write};

use crate::client::quantity::rate;
use crate::client::threads::control::Tally;
use crate::units::Nanos;
use crate::words::plural;

/// Prints where a run is to standard error: rewriting one line on a terminal, a line a second elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    is_wanted: bool,
    is_terminal: bool,
    last: (Nanos, Tally),
}

impl Progress {
    /// Progress of a run that begins at `now`; prints nothing unless `is_wanted`.
    pub(crate) fn new(is_wanted: bool, now: Nanos) -> Self {
        Self { is_wanted, is_terminal: io::stderr().is_terminal(), last: (now, Tally::default()) }
    }

    /// Says that the run is in `phase`, with `tally` there.
    pub(crate) fn show(&mut self, phase: &str, now: Nanos, tally: Tally) {
        if self.is_wanted {
            let line = describe(phase, self.last, (now, tally));
            // Standard error may be closed; progress is no reason to stop a run.
            let _ = if self.is_terminal {
                write!(io::stderr(), "\r\x1b[K{line}")
            } else {
                writeln!(io::stderr(), "{line}")
            };
        }
        self.last = (now, tally);
    }

    /// Leaves the line to others.
    pub(crate) fn finish(&self) {
        if self.is_wanted && self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn describe(phase: &str, (then, before): (Nanos, Tally), (now, after): (Nanos, Tally)) -> String {
    let seconds = now.saturating_sub(then).as_secs_f64().max(1e-9);
    let bytes = after.received_bytes.saturating_sub(before.received_bytes) as f64;
    let messages = after.messages.saturating_sub(before.messages) as f64;
    format!(
        "{phase:<9} {:>18} {:>14} {:>10.0} messages/s",
        plural(after.connections, "connection"),
        rate(bytes / seconds),
        messages / seconds
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_since_the_last_line() {
        let before = Tally { connections: 8, received_bytes: 1_000_000, messages: 10 };
        let after = Tally { connections: 8, received_bytes: 5_000_000, messages: 50 };
        let line = describe("window", (Nanos(0), before), (Nanos::from_secs(2), after));
        assert!(
            line.contains("8 connections") && line.contains(" 2.0 MB/s") && line.contains(" 20 messages/s")
        );
    }
}
