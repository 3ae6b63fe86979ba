//! The server and both ends' CPUs, seen from outside at the two ends of the window.

use std::fs;

use super::stats_tail::{Snapshot, StatsTail};
use crate::client::config::ClientConfig;
use crate::client::fault::Fault;
use crate::client::threads::crew::LOAD_THREAD;
use crate::measure::counters::Settings;
use crate::measure::noise::NoiseReading;
use crate::record::{CoreUse, Cpu, Noise};
use crate::sys::cpu_time::{self, CoreTime};
use crate::sys::syscall_counter::SyscallCounter;
use crate::sys::{affinity, clock, process};
use crate::units::Nanos;

/// The server's process and where to look for what it does.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    pub(crate) pid: u32,
    /// CPUs it may run on.
    pub(crate) cpus: Vec<usize>,
    /// What it said it runs with.
    pub(crate) settings: Option<Settings>,
    stats: Option<StatsTail>,
    /// Its core and the ksoftirqd there, if it has one core only.
    core: Option<usize>,
    ksoftirqd: Option<u32>,
    syscalls: Option<SyscallCounter>,
}

/// Everything that can be read of CPU time, and of what others did.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) at: Nanos,
    /// Time the machine was suspended until then.
    pub(crate) suspended: Nanos,
    server_process: Option<Nanos>,
    server_core: Option<(usize, CoreTime)>,
    server_ksoftirqd: Option<Nanos>,
    server_syscalls: Option<u64>,
    client_process: Nanos,
    client_cores: Vec<(usize, CoreTime)>,
    noise: NoiseReading,
}

/// Looks at the server, if it was named, and at this process.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) server: Option<ServerProcess>,
    /// Cores named for the client.
    client_cpus: Vec<usize>,
}

impl Observer {
    /// Finds the server of `config`.
    ///
    /// # Errors
    /// When the process or the stats file is not there, or the one does not belong to the other.
    pub(crate) fn attach(config: &ClientConfig) -> Result<Self, Fault> {
        let client_cpus = config.settings.cpus.clone();
        let (stats, pid, settings) = match &config.server_stats {
            None => (None, config.server_pid, None),
            Some(path) => {
                let (tail, pid, settings) = StatsTail::open(path)?;
                if let Some(other) = config.server_pid.filter(|&other| other != pid) {
                    let cause = format!("it is written by process {pid}, and --server-pid is {other}");
                    return Err(Fault::Observe { path: path.clone(), cause });
                }
                (Some(tail), Some(pid), Some(settings))
            }
        };
        let mut server = pid.map(|pid| ServerProcess::find(pid, stats, settings)).transpose()?;
        if let Some(server) = server.as_mut().filter(|_| config.count_syscalls) {
            server.syscalls = Some(SyscallCounter::attach(server.pid).map_err(Fault::CountSyscalls)?);
        }
        Ok(Self { server, client_cpus })
    }

    /// Asks the server for a snapshot of its counters, if it keeps a stats file.
    ///
    /// # Errors
    /// When it is gone. Without a stats file it is not asked: a process that does not expect SIGUSR1 dies of it.
    pub(crate) fn request_snapshot(&self) -> Result<(), Fault> {
        match &self.server {
            Some(ServerProcess { pid, stats: Some(_), .. }) => {
                process::request_snapshot(*pid).map_err(|_| Fault::ServerGone { pid: *pid })
            }
            _ => Ok(()),
        }
    }

    /// The snapshot asked for, `None` if none was.
    ///
    /// # Errors
    /// When the server does not write it.
    pub(crate) fn await_snapshot(&mut self) -> Result<Option<Snapshot>, Fault> {
        let stats = self.server.as_mut().and_then(|server| server.stats.as_mut());
        stats.map(StatsTail::await_snapshot).transpose()
    }

    /// Reads every clock there is, as close together as it goes.
    ///
    /// # Errors
    /// When the server is gone or the kernel shows no CPU times.
    pub(crate) fn read(&self) -> Result<Reading, Fault> {
        let core = |cpu: usize| {
            let time = cpu_time::core(cpu)
                .map_err(|error| Fault::setup(format!("read the time of core {cpu}"), error));
            time.map(|time| (cpu, time))
        };
        let (at, suspended) = (clock::monotonic(), clock::suspended());
        let server = self.server.as_ref();
        let server_core = server.and_then(|server| server.core).map(core).transpose()?;
        let server_process = server.map(ServerProcess::cpu).transpose()?;
        let server_ksoftirqd = server.and_then(|server| server.ksoftirqd).and_then(cpu_time::thread);
        let server_syscalls = server.and_then(|server| server.syscalls.as_ref()?.count().ok());
        let client_process = clock::process_cpu(std::process::id()).expect("this process exists");
        let client_cores = self.client_cpus.iter().map(|&cpu| core(cpu)).collect::<Result<_, _>>()?;
        // Last, because it takes longest and its counters are the least sensitive to when they are read.
        let noise = NoiseReading::take(server.map(|server| server.pid), LOAD_THREAD);
        Ok(Reading {
            at,
            suspended,
            server_process,
            server_core,
            server_ksoftirqd,
            server_syscalls,
            client_process,
            client_cores,
            noise,
        })
    }

    /// Most memory the server has had resident, in bytes.
    pub(crate) fn server_rss_max_bytes(&self) -> Option<u64> {
        let pid = self.server.as_ref()?.pid;
        high_water_mark_bytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
    }
}

impl ServerProcess {
    fn find(pid: u32, stats: Option<StatsTail>, settings: Option<Settings>) -> Result<Self, Fault> {
        let cpus = affinity::permitted(pid).map_err(|_| Fault::ServerGone { pid })?;
        let core = if let [only] = cpus[..] { Some(only) } else { None };
        Ok(Self {
            pid,
            core,
            ksoftirqd: core.and_then(cpu_time::ksoftirqd),
            cpus,
            settings,
            stats,
            syscalls: None,
        })
    }

    fn cpu(&self) -> Result<Nanos, Fault> {
        clock::process_cpu(self.pid).ok_or(Fault::ServerGone { pid: self.pid })
    }
}

impl Reading {
    /// CPU time between `self` and `later`; `client_threads` are counted by the threads themselves.
    pub(crate) fn until(&self, later: &Self, client_threads_ns: Vec<Nanos>) -> Cpu {
        let elapsed_ns = later.at - self.at;
        let span = |earlier: Option<Nanos>, later: Option<Nanos>| Some(later? - earlier?);
        let cores = self.client_cores.iter().zip(&later.client_cores);
        Cpu {
            server_process_ns: span(self.server_process, later.server_process),
            server_core: self
                .server_core
                .zip(later.server_core)
                .map(|(begin, end)| core_use(elapsed_ns, begin, end)),
            server_ksoftirqd_ns: span(self.server_ksoftirqd, later.server_ksoftirqd),
            client_process_ns: later.client_process - self.client_process,
            client_threads_ns,
            client_cores: cores.map(|(&begin, &end)| core_use(elapsed_ns, begin, end)).collect(),
        }
    }

    /// The server's system calls between `self` and `later`, if they are counted.
    pub(crate) fn syscalls_until(&self, later: &Self) -> Option<u64> {
        later.server_syscalls?.checked_sub(self.server_syscalls?)
    }

    /// What others did between `self` and `later`.
    pub(crate) fn noise_until(&self, later: &Self) -> Noise {
        let core = self.server_core.zip(later.server_core);
        let used = core.map(|(begin, end)| core_use(later.at - self.at, begin, end));
        Noise::between(&self.noise, &later.noise, used)
    }
}

fn core_use(elapsed_ns: Nanos, (cpu, begin): (usize, CoreTime), (_, end): (usize, CoreTime)) -> CoreUse {
    // The kernel rounds each value down to a tick, so that any of them may seem to run backwards by one.
    let span = |kind: fn(CoreTime) -> Nanos| kind(end).saturating_sub(kind(begin));
    CoreUse {
        cpu,
        elapsed_ns,
        busy_ns: elapsed_ns.saturating_sub(span(CoreTime::unused)),
        user_ns: span(|time| time.user),
        system_ns: span(|time| time.system),
        irq_ns: span(|time| time.irq),
        softirq_ns: span(|time| time.softirq),
        steal_ns: span(|time| time.steal),
    }
}

/// VmHWM of a /proc/PID/status. Source: proc_pid_status(5).
fn high_water_mark_bytes(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_busy_when_it_is_not_idle() {
        let begin = CoreTime { idle: Nanos(100), iowait: Nanos(10), user: Nanos(5), ..CoreTime::default() };
        let end = CoreTime { idle: Nanos(130), iowait: Nanos(20), user: Nanos(65), ..CoreTime::default() };
        let used = core_use(Nanos(100), (3, begin), (3, end));
        assert_eq!((used.cpu, used.busy_ns, used.user_ns), (3, Nanos(60), Nanos(60)));
        assert!((used.busy_share() - 0.6).abs() < 1e-12);
    }

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        assert_eq!(high_water_mark_bytes("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(high_water_mark_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_observed() {
        let server = ServerProcess::find(std::process::id(), None, None).unwrap();
        assert!(!server.cpus.is_empty());
        let observer = Observer { server: Some(server), client_cpus: vec![] };
        let (begin, end) = (observer.read().unwrap(), observer.read().unwrap());
        assert!(begin.until(&end, vec![]).server_process_ns.is_some());
        assert!(observer.server_rss_max_bytes().is_some_and(|bytes| bytes > 0));
    }
}
