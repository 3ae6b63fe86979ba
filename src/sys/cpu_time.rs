//! Where CPU time went: per core from /proc/stat, per kernel thread from /proc/TID/schedstat.
//!
//! A process clock misses work that the kernel does on the process's behalf: softirq processing in ksoftirqd, and
//! whatever interrupts the idle task. The busy time of a core that runs nothing else misses none of it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::{fs, io};

use crate::units::Nanos;

/// Time one core has spent since boot, by kind, in nanoseconds. Resolution is the kernel's tick (USER_HZ, 10 ms).
///
/// `idle` and `iowait` are measured by the kernel's clock on a tickless core; the other kinds are sampled at ticks,
/// which is why busy time is taken as elapsed time less idle time and not as a sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreTime {
    /// User mode, niced included.
    pub user: Nanos,
    /// Kernel mode outside interrupts.
    pub system: Nanos,
    /// Idle.
    pub idle: Nanos,
    /// Idle while a task of this core waited for I/O, which an io_uring wait is counted as before Linux 6.15.
    pub iowait: Nanos,
    /// Hard interrupts.
    pub irq: Nanos,
    /// Soft interrupts, those in ksoftirqd included.
    pub softirq: Nanos,
    /// Wanted by this core and given to another guest by the hypervisor.
    pub steal: Nanos,
}

impl CoreTime {
    /// Time the core was idle, whatever it waited for.
    pub fn unused(self) -> Nanos {
        self.idle + self.iowait
    }

    fn parse(line: &str) -> Option<Self> {
        const TICK_NS: u64 = 10_000_000;
        let mut fields = line.split_ascii_whitespace().skip(1).map(|field| field.parse::<u64>().ok());
        let mut next = || fields.next()?.map(|ticks| Nanos(ticks * TICK_NS));
        let (user, nice) = (next()?, next()?);
        Some(Self {
            user: user + nice,
            system: next()?,
            idle: next()?,
            iowait: next()?,
            irq: next()?,
            softirq: next()?,
            steal: next()?,
        })
    }
}

/// Time of core `cpu` since boot.
///
/// # Errors
/// When /proc/stat cannot be read or has no such core.
pub fn core(cpu: usize) -> io::Result<CoreTime> {
    let stat = fs::read_to_string("/proc/stat")?;
    let name = format!("cpu{cpu} ");
    stat.lines()
        .find(|line| line.starts_with(&name))
        .and_then(CoreTime::parse)
        .ok_or_else(|| io::Error::other(format!("/proc/stat has no core {cpu}")))
}

/// Thread id of `ksoftirqd/cpu`. `None` where processes of the kernel are hidden, as in a container.
pub fn ksoftirqd(cpu: usize) -> Option<u32> {
    let name = format!("ksoftirqd/{cpu}");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let tid = entry.file_name().to_str()?.parse().ok()?;
        (fs::read_to_string(entry.path().join("comm")).ok()?.trim_end() == name).then_some(tid)
    })
}

/// Time thread `tid` has run since it started, in nanoseconds. `None` if it is gone or the kernel keeps no schedstat.
pub fn thread(tid: u32) -> Option<Nanos> {
    let text = fs::read_to_string(format!("/proc/{tid}/schedstat")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok().map(Nanos)
}

/// The calling thread's own account of the time it waited for a CPU while it could have run.
#[derive(Debug)]
pub struct RunQueue(File);

impl RunQueue {
    /// That of the calling thread, whichever thread asks it later. `None` if the kernel keeps no schedstat.
    pub fn of_this_thread() -> Option<Self> {
        File::open("/proc/thread-self/schedstat").ok().map(Self)
    }

    /// Time waited since the thread started. `None` if it cannot be read. Source: Documentation/scheduler/sched-stats.
    pub fn waited(&self) -> Option<Nanos> {
        let mut text = [0; 96];
        let count = self.0.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..count]).ok()?;
        text.split_ascii_whitespace().nth(1)?.parse().ok().map(Nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_stat_is_read_in_the_order_of_proc5() {
        let time = CoreTime::parse("cpu3 1 2 3 4 5 6 7 8 9 10").unwrap();
        assert_eq!(time.user, Nanos(30_000_000));
        assert_eq!(time.unused(), Nanos(90_000_000));
        assert_eq!(time.softirq, Nanos(70_000_000));
        assert_eq!(time.steal, Nanos(80_000_000));
    }

    #[test]
    fn two_threads_on_one_core_wait_for_each_other() {
        let cpu = crate::sys::affinity::permitted(0).unwrap()[0];
        let busy = move || {
            crate::sys::affinity::pin(&[cpu]).unwrap();
            let queue = RunQueue::of_this_thread()?;
            let end = crate::sys::clock::monotonic() + Nanos::from_millis(100);
            while crate::sys::clock::monotonic() < end {}
            queue.waited()
        };
        let threads = [std::thread::spawn(busy), std::thread::spawn(busy)];
        let waited = threads.map(|thread| thread.join().unwrap());
        assert!(
            waited.iter().flatten().count() == 0 || waited.iter().flatten().any(|span| span.0 > 0),
            "{waited:?}"
        );
    }

    #[test]
    fn this_thread_has_run() {
        assert!(thread(std::process::id()).is_none_or(|time| time.0 > 0));
        assert!(core(0).unwrap().unused().0 > 0);
    }
}
