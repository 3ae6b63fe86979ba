//! What others did meanwhile: counters of the kernel that grow when somebody gets in the way of a run.
//!
//! A reading is taken at each end of the window; the difference is the run's noise. The kernel counts all of these
//! anyway, so that looking costs nothing but the look.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::units::Nanos;

/// The counters at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoiseReading {
    /// Time since boot in which some task of this machine waited for a CPU. `None` where the kernel keeps none.
    pub psi_cpu_some: Option<Nanos>,
    /// The threads of the server. `None` without its pid.
    pub server: Option<Switches>,
    /// The load threads of the client.
    pub client: Option<Switches>,
}

impl NoiseReading {
    /// Reads the counters for the server of process `server_pid` and those threads of this process whose names begin
    /// with `client_threads`.
    pub fn take(server_pid: Option<u32>, client_threads: &str) -> Self {
        Self {
            psi_cpu_some: fs::read_to_string("/proc/pressure/cpu").ok().and_then(|text| some_total(&text)),
            server: server_pid.and_then(|pid| Switches::of(pid, "")),
            client: Switches::of(std::process::id(), client_threads),
        }
    }
}

/// Involuntary context switches of the threads of a process, by thread id: how often each had to leave its CPU while
/// it still had work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches(BTreeMap<u32, u64>);

impl Switches {
    /// Those of process `pid`, of threads whose names begin with `name`. `None` if the process is gone or hidden.
    pub fn of(pid: u32, name: &str) -> Option<Self> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        Some(Self(threads.flatten().filter_map(|thread| switches_of(&thread.path(), name)).collect()))
    }

    /// What was added until `later`. A thread that began in between counts from its start, one that ended in between
    /// not at all: the kernel forgets its count.
    pub fn until(&self, later: &Self) -> u64 {
        let before = |thread: &u32| self.0.get(thread).copied().unwrap_or_default();
        later.0.iter().map(|(thread, count)| count.saturating_sub(before(thread))).sum()
    }
}

fn switches_of(thread: &Path, name: &str) -> Option<(u32, u64)> {
    let id = thread.file_name()?.to_str()?.parse().ok()?;
    let status = fs::read_to_string(thread.join("status")).ok()?;
    Some((id, involuntary(&status, name)?))
}

/// The count in a /proc/PID/task/TID/status, if the thread's name begins with `name`. Source: proc_pid_status(5).
fn involuntary(status: &str, name: &str) -> Option<u64> {
    let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    field("Name:")?.starts_with(name).then(|| field("nonvoluntary_ctxt_switches:")?.parse().ok())?
}

/// The total of the line `some` of a pressure file, which counts microseconds. Source: the kernel's accounting/psi.
fn some_total(text: &str) -> Option<Nanos> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse::<u64>().ok()?.checked_mul(1000).map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process;
    use std::sync::{Arc, Barrier};
    use std::thread;

    fn switches(threads: &[(u32, u64)]) -> Switches {
        Switches(threads.iter().copied().collect())
    }

    #[test]
    fn pressure_is_counted_in_microseconds_and_some_is_not_full() {
        let text = "some avg10=4.68 avg60=4.48 avg300=6.00 total=2955879849\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(some_total(text), Some(Nanos(2_955_879_849_000)));
        assert_eq!(some_total("full avg10=0.00 total=7\n"), None);
    }

    #[test]
    fn only_switches_against_its_will_count_and_only_of_threads_of_the_name() {
        let status = "Name:\tload-0\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t12\n";
        assert_eq!(involuntary(status, "load-"), Some(12));
        assert_eq!(involuntary(status, ""), Some(12));
        assert_eq!(involuntary(status, "main"), None);
    }

    #[test]
    fn a_new_thread_counts_from_its_start_and_one_that_ended_not_at_all() {
        let (begin, end) = (switches(&[(1, 10), (2, 100)]), switches(&[(1, 13), (3, 4)]));
        assert_eq!(begin.until(&end), 7);
    }

    #[test]
    fn the_threads_of_this_process_are_found_by_name() {
        let gate = Arc::new(Barrier::new(2));
        let inside = Arc::clone(&gate);
        // A thread takes its name when it runs, hence the first of two meetings.
        let named = thread::Builder::new().name("noise-test".into());
        let waiting = named.spawn(move || [inside.wait(), inside.wait()]).unwrap();
        gate.wait();
        let found = Switches::of(process::id(), "noise-test").unwrap();
        gate.wait();
        waiting.join().unwrap();
        assert_eq!(found.0.len(), 1);
        assert!(Switches::of(process::id(), "").unwrap().0.len() > 1);
    }

    #[test]
    fn a_process_that_is_gone_has_no_switches_instead_of_none_made() {
        assert_eq!(Switches::of(u32::MAX, ""), None);
        assert_eq!(NoiseReading::take(None, "").server, None);
    }
}
