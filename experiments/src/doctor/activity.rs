//! What runs on the machine while one looks: processes, and time that a hypervisor takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use uring_echo::measure::host::{Known, Tree};

/// Ticks of the kernel's accounts, of which a second has a hundred (USER_HZ) on every architecture.
type Ticks = u64;

/// Counts since boot, at one instant.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    machine: Known<MachineTicks>,
    processes: BTreeMap<u32, Process>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MachineTicks {
    total: Ticks,
    steal: Ticks,
    cpus: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    name: String,
    used: Ticks,
}

/// What ran between two looks.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Part of the CPUs' time that the hypervisor gave to others, in percent.
    pub steal_percent: Known<f64>,
    /// Processes that used the CPU, the busiest first.
    pub busy: Vec<Busy>,
    /// Names of all processes.
    pub names: Vec<String>,
}

/// A process that used the CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Busy {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// CPU time it used, in percent of one core.
    pub percent: f64,
}

/// Whether this process sees what else runs on the machine, or why not.
pub(super) fn sight(tree: &Tree) -> Known<()> {
    /// The namespace that the first process of a machine is in. Its number is fixed: PROC_PID_INIT_INO of the kernel's
    /// include/linux/proc_ns.h. A kernel without such namespaces shows none.
    const OF_THE_MACHINE: &str = "pid:[4026531836]";
    match fs::read_link(tree.locate("/proc/self/ns/pid")) {
        Ok(own) if own != Path::new(OF_THE_MACHINE) => Known::unavailable(
            "this is a container, which sees none but its own processes: run the doctor outside",
        ),
        // With hidepid other users' processes are out of sight, and the first one is root's. Source: proc(5).
        _ => tree.text("/proc/1/stat").map(drop),
    }
}

impl Snapshot {
    pub(super) fn take(tree: &Tree) -> Self {
        let names = tree.names("/proc");
        let pids = names.value().into_iter().flatten().filter_map(|name| name.parse::<u32>().ok());
        // A process that ends while we look is none that matters.
        let process = |pid| Some((pid, process(tree.text(&format!("/proc/{pid}/stat")).value()?)?));
        let others = pids.filter(|&pid| pid != std::process::id());
        Self { machine: tree.parsed("/proc/stat", machine), processes: others.filter_map(process).collect() }
    }

    pub(super) fn until(&self, later: &Self) -> Activity {
        let elapsed = self.machine.value().zip(later.machine.value()).map(|(begin, end)| end.since(*begin));
        let core_ticks = elapsed.map_or(0, |elapsed| elapsed.total / elapsed.cpus.max(1)).max(1);
        let percent = |part: Ticks, of: Ticks| 100.0 * part as f64 / of.max(1) as f64;
        let busy = later.processes.iter().filter_map(|(&pid, end)| {
            let used = end.used.saturating_sub(self.processes.get(&pid)?.used);
            (used > 0).then(|| Busy { pid, name: end.name.clone(), percent: percent(used, core_ticks) })
        });
        let mut busy: Vec<Busy> = busy.collect();
        busy.sort_by(|a, b| b.percent.total_cmp(&a.percent));
        let steal = elapsed.map(|elapsed| percent(elapsed.steal, elapsed.total));
        Activity {
            steal_percent: Known::from_option(steal, "/proc/stat shows no times of the CPUs"),
            busy,
            names: later.processes.values().map(|process| process.name.clone()).collect(),
        }
    }
}

impl MachineTicks {
    fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            steal: self.steal.saturating_sub(earlier.steal),
            cpus: self.cpus,
        }
    }
}

/// The first line of /proc/stat, which sums up all CPUs. Guest time is part of user time. Source: proc_stat(5).
fn machine(stat: &str) -> Option<MachineTicks> {
    const STEAL: usize = 7;
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let kinds: Vec<Ticks> =
        line.split_ascii_whitespace().take(STEAL + 1).map_while(|kind| kind.parse().ok()).collect();
    let cpus = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
    Some(MachineTicks { total: kinds.iter().sum(), steal: *kinds.get(STEAL)?, cpus: cpus as u64 })
}

/// Name and CPU time of a /proc/PID/stat. The name may hold anything, parentheses too. Source: proc_pid_stat(5).
fn process(stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    // Counted from the state, which is field 3: user time is field 14, system time field 15.
    let mut times = after.split_ascii_whitespace().skip(11);
    let mut next = || times.next()?.parse::<Ticks>().ok();
    Some(Process { name: name.to_owned(), used: next()? + next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 0 50 800 10 0 5 35 0 0\ncpu0 1 1\ncpu1 1 1\nintr 1\n";

    #[test]
    fn time_of_all_cpus_is_summed_up_with_steal_and_without_guests() {
        let expected = MachineTicks { total: 1000, steal: 35, cpus: 2 };
        assert_eq!(machine(STAT), Some(expected));
        assert_eq!(machine("intr 1\n"), None);
        assert_eq!(machine("cpu  1 2 3\n"), None);
    }

    #[test]
    fn a_process_may_call_itself_whatever_it_likes() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 0 1 2 3 4 30 12 0 0 20";
        assert_eq!(process(stat), Some(Process { name: "a) b (c".into(), used: 42 }));
        assert_eq!(process("42 (a) S 1"), None);
    }

    fn snapshot(total: Ticks, steal: Ticks, processes: &[(u32, &str, Ticks)]) -> Snapshot {
        let process = |&(pid, name, used): &(u32, &str, Ticks)| (pid, Process { name: name.into(), used });
        Snapshot {
            machine: Known::Value(MachineTicks { total, steal, cpus: 2 }),
            processes: processes.iter().map(process).collect(),
        }
    }

    #[test]
    fn what_a_process_used_is_a_share_of_one_core() {
        let begin = snapshot(1000, 10, &[(1, "init", 5), (7, "build", 100)]);
        let end = snapshot(1200, 20, &[(1, "init", 15), (7, "build", 190), (9, "new", 99)]);
        let activity = begin.until(&end);
        let expected = [(7, "build", 90.0), (1, "init", 10.0)].map(|(pid, name, percent)| Busy {
            pid,
            name: name.into(),
            percent,
        });
        assert_eq!(activity.busy, expected);
        assert_eq!(activity.steal_percent, Known::Value(5.0));
        assert!(activity.names.contains(&"new".to_owned()));
    }

    #[test]
    fn a_machine_that_shows_no_times_has_unknown_steal() {
        let dark = Snapshot { machine: Known::unavailable("hidden"), processes: BTreeMap::new() };
        assert!(dark.until(&dark).steal_percent.value().is_none());
    }
}
