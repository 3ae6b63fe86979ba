//! The load threads, from the coordinator's side: started, led through the phases, joined.

use std::any::Any;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::control::{Command, Control, Report, Tally};
use super::job::{self, Job};
use super::outcome::Outcome;
use super::work::work;
use crate::client::config::ClientConfig;
use crate::client::fault::Fault;
use crate::client::load::phase::Phase;
use crate::sys::{affinity, limits};

/// What the names of load threads begin with; what follows is their number.
pub(crate) const LOAD_THREAD: &str = "load-";

/// Address space that a load thread takes at least: 2 MiB of stack, and the histograms that it counts into.
const THREAD_SPACE_BYTES: u64 = 3 << 20;

/// How many threads have got how far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Roll {
    pub(crate) connected: usize,
    pub(crate) window_begun: usize,
    pub(crate) window_ended: usize,
    pub(crate) drained: usize,
    pub(crate) closed: usize,
    pub(crate) failed: usize,
    /// Sum of the tallies at the beginning of the window.
    pub(crate) begin: Tally,
    /// Sum of the tallies at its end.
    pub(crate) end: Tally,
}

impl Roll {
    fn note(&mut self, report: Report) {
        match report {
            Report::Connected => self.connected += 1,
            Report::WindowBegun(tally) => {
                self.window_begun += 1;
                self.begin = self.begin.plus(tally);
            }
            Report::WindowEnded(tally) => {
                self.window_ended += 1;
                self.end = self.end.plus(tally);
            }
            Report::Drained => self.drained += 1,
            Report::Closed => self.closed += 1,
            Report::Failed => self.failed += 1,
        }
    }
}

/// The threads of a run.
pub(crate) struct Crew {
    command: Command,
    threads: Vec<JoinHandle<Outcome>>,
    /// What they have reported.
    pub(crate) roll: Roll,
}

impl Crew {
    /// Starts the threads of `config`, each pinned to one of the CPUs if any are named. They connect at once.
    ///
    /// # Errors
    /// When descriptors or threads cannot be had.
    pub(crate) fn launch(config: &ClientConfig) -> Result<Self, Fault> {
        let settings = &config.settings;
        let jobs = job::jobs(config);
        leave_room(jobs.len(), limits::unmapped_bytes())?;
        let (command, controls) =
            Command::new(jobs.len()).map_err(|error| Fault::setup("reach the load threads", error))?;
        let mut crew = Self { command, threads: Vec::new(), roll: Roll::default() };
        let count = jobs.len();
        for (index, (job, control)) in jobs.into_iter().zip(controls).enumerate() {
            let cpu = settings.cpus.get(index % settings.cpus.len().max(1)).copied();
            let thread = thread::Builder::new().name(format!("{LOAD_THREAD}{index}"));
            match thread.spawn(move || drive(job, control, cpu)) {
                Ok(handle) => crew.threads.push(handle),
                Err(error) => {
                    crew.join();
                    let operation = format!("start load thread {} of {count}", index + 1);
                    let cause = format!("{error}; lower --threads, or raise ulimit -v or ulimit -u");
                    return Err(Fault::setup(operation, cause));
                }
            }
        }
        Ok(crew)
    }

    /// How many threads there are.
    pub(crate) fn size(&self) -> usize {
        self.threads.len()
    }

    /// Puts every thread into `phase`.
    pub(crate) fn enter(&self, phase: Phase) {
        self.command.enter(phase);
    }

    /// How far all threads have got, as of their last iterations.
    pub(crate) fn tally(&self) -> Tally {
        self.command.tally()
    }

    /// Takes in the next report, waiting for it at most `timeout`, and notices threads that ended without one.
    pub(crate) fn listen(&mut self, timeout: Duration) {
        match self.command.reports.recv_timeout(timeout) {
            Ok(report) => self.roll.note(report),
            Err(RecvTimeoutError::Timeout) => {}
            // All have ended; the caller's clock goes on.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(timeout),
        }
        let ended = self.threads.iter().filter(|thread| thread.is_finished()).count();
        // A thread reports before it ends, so that after seeing its end, its report is here. Only a panic leaves none.
        self.command.reports.try_iter().for_each(|report| self.roll.note(report));
        self.roll.failed += ended.saturating_sub(self.roll.failed + self.roll.closed);
    }

    /// Ends every thread that has not ended and gathers what they leave behind.
    pub(crate) fn join(self) -> (Vec<Outcome>, Vec<Fault>) {
        self.enter(Phase::Abort);
        let (mut outcomes, mut faults) = (Vec::new(), Vec::new());
        for thread in self.threads {
            match thread.join() {
                Ok(mut outcome) => {
                    faults.extend(outcome.fault.take());
                    outcomes.push(outcome);
                }
                Err(panic) => faults.push(Fault::Panic(message(&*panic))),
            }
        }
        (outcomes, faults)
    }
}

/// Refuses `thread_count` threads that surely find no place in `unmapped_bytes`. A thread that finds none for what it
/// allocates ends the process and says no more than that.
fn leave_room(thread_count: usize, unmapped_bytes: u64) -> Result<(), Fault> {
    if thread_count as u64 * THREAD_SPACE_BYTES <= unmapped_bytes {
        return Ok(());
    }
    let (left, each) = (unmapped_bytes >> 20, THREAD_SPACE_BYTES >> 20);
    let cause = format!(
        "RLIMIT_AS leaves {left} MiB, and each takes {each} MiB or more; lower --threads or raise ulimit -v"
    );
    Err(Fault::setup(format!("start {thread_count} load threads"), cause))
}

fn drive(job: Job, control: Control, cpu: Option<usize>) -> Outcome {
    match cpu.map_or(Ok(()), |cpu| affinity::pin(&[cpu]).map(drop)) {
        Ok(()) => work(job, control),
        Err(error) => Outcome::unstarted(job.group, Fault::setup("pin a load thread", error)),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_panics_is_noticed_and_quoted() {
        let (command, controls) = Command::new(1).unwrap();
        let threads = vec![thread::spawn(move || {
            let _held = controls;
            panic!("seven is not six")
        })];
        let mut crew = Crew { command, threads, roll: Roll::default() };
        while crew.roll.failed == 0 {
            crew.listen(Duration::from_millis(1));
        }
        let (outcomes, faults) = crew.join();
        assert!(outcomes.is_empty());
        assert!(faults[0].reason().starts_with("panic: ") && faults[0].reason().contains("seven is not six"));
    }
}
