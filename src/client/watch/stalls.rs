//! Whether the client itself was there the whole time.
//!
//! A thread that only sleeps, a little at a time, sees when the process was stopped: it wakes much later than it asked to,
//! without having waited for a CPU. A signal does that, a debugger, a frozen or throttled cgroup, a paused virtual
//! machine. What the kernel counts as waiting for a CPU is left out: a busy machine is no stop, and what it does to an
//! open loop is seen there.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::client::fault::Fault;
use crate::sys::clock;
use crate::sys::cpu_time::RunQueue;
use crate::units::Nanos;

/// How long the thread sleeps: 50 wake-ups a second of a few microseconds each, on the client's cores.
const PERIOD: Nanos = Nanos::from_millis(20);

/// Shorter gaps are not told from those of a hypervisor that shares its cores.
const STALL_MIN: Nanos = Nanos::from_millis(50);

/// A span in which the client did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stall {
    /// Its beginning, within a [`PERIOD`].
    pub(crate) begin: Nanos,
    /// Its end.
    pub(crate) end: Nanos,
}

impl Stall {
    /// How much of it lies between `begin` and `end`.
    pub(crate) fn within(self, begin: Nanos, end: Nanos) -> Nanos {
        self.end.min(end).saturating_sub(self.begin.max(begin))
    }
}

/// The thread that sleeps.
pub(crate) struct Watchdog {
    thread: JoinHandle<Vec<Stall>>,
    /// Dropped to end it.
    stop: Sender<()>,
}

impl Watchdog {
    /// Begins to watch, on the CPUs of the calling thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(crate) fn start() -> Result<Self, Fault> {
        let (stop, stopped) = mpsc::channel();
        let watch =
            move || watch(|| stopped.recv_timeout(Duration::from(PERIOD)) == Err(RecvTimeoutError::Timeout));
        let thread = thread::Builder::new().name("watchdog".into()).spawn(watch);
        let remedy = "raise ulimit -v or ulimit -u";
        let refused = |error| Fault::setup("start the watchdog", format!("{error}; {remedy}"));
        Ok(Self { thread: thread.map_err(refused)?, stop })
    }

    /// Ends it; what it saw.
    pub(crate) fn finish(self) -> Vec<Stall> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// Sleeps until `sleep` says that it is over.
fn watch(mut sleep: impl FnMut() -> bool) -> Vec<Stall> {
    let queue = RunQueue::of_this_thread();
    // Without an account of waiting every gap counts: kernels without schedstat are rare, and a gap this long is too.
    let waited = || queue.as_ref().and_then(RunQueue::waited).unwrap_or_default();
    let mut stalls = Vec::new();
    let mut before = (clock::monotonic(), waited());
    while sleep() {
        let now = (clock::monotonic(), waited());
        stalls.extend(stall(before, now));
        before = now;
    }
    stalls
}

/// What lies between two wake-ups, each with its time and the time waited for a CPU until then.
fn stall((then, waited_then): (Nanos, Nanos), (now, waited_now): (Nanos, Nanos)) -> Option<Stall> {
    let accounted = PERIOD + waited_now.saturating_sub(waited_then);
    let missing = (now - then).saturating_sub(accounted);
    (missing >= STALL_MIN).then_some(Stall { begin: Nanos(now.0 - missing.0), end: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Nanos {
        Nanos::from_millis(ms)
    }

    #[test]
    fn a_wake_up_that_is_late_without_having_waited_for_a_cpu_ends_a_stall() {
        let found = stall((ms(1000), ms(7)), (ms(1420), ms(7)));
        assert_eq!(found, Some(Stall { begin: ms(1020), end: ms(1420) }));
    }

    #[test]
    fn a_busy_machine_is_no_stall() {
        assert_eq!(stall((ms(1000), ms(7)), (ms(1420), ms(400))), None);
        assert_eq!(stall((ms(1000), ms(7)), (ms(1069), ms(7))), None);
    }

    #[test]
    fn what_lies_outside_of_the_window_is_not_counted() {
        let stall = Stall { begin: ms(100), end: ms(500) };
        assert_eq!(stall.within(ms(0), ms(300)), ms(200));
        assert_eq!(stall.within(ms(200), ms(300)), ms(100));
        assert_eq!(stall.within(ms(500), ms(900)), ms(0));
    }

    #[test]
    fn a_thread_that_sleeps_too_long_without_waiting_is_seen() {
        let mut rounds = 0;
        let stalls = watch(|| {
            rounds += 1;
            thread::sleep(Duration::from(if rounds == 2 { ms(300) } else { PERIOD }));
            rounds < 4
        });
        assert!(stalls.iter().any(|stall| stall.end - stall.begin > ms(200)), "{stalls:?}");
    }
}
