//! What the checks judge: the description of the machine that every record holds, and what it does right now.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use uring_echo::cpu_list::CpuList;
use uring_echo::measure::host::{Host, Known, Tree};

use super::activity::{self, Activity, Snapshot};
use super::pace::Paces;
use crate::plan::preflight::port_count;
use crate::run::cores::Cores;
use crate::run::kinds::Kinds;

/// A machine and the place of a recording on it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What the machine is.
    pub host: Host,
    /// Where the two ends would run.
    pub cores: Cores,
    /// How many CPUs this process may use.
    pub permitted_count: usize,
    /// The kinds of the permitted CPUs.
    pub kinds: Kinds,
    /// By core of either end, the CPUs that are the same physical core, itself included.
    pub siblings: BTreeMap<usize, Known<Vec<usize>>>,
    /// Whether turbo is switched by Intel's driver, and not by the generic file.
    pub has_intel_pstate: bool,
    /// Interrupts that may be delivered to the server's core, by number.
    pub irqs: Known<Vec<String>>,
    /// Tasks that ran or wanted to, averaged over the last minute.
    pub load_average: Known<f64>,
    /// Ports that connections may start from: those in the range, and those of them that are not reserved.
    pub ports: Known<[u64; 2]>,
    /// Percentage of the last ten seconds in which some task waited for a CPU.
    pub pressure_avg10: Known<f64>,
    /// Swap space in use, in bytes.
    pub swap_used_bytes: Known<u64>,
    /// Whether the doctor sees all that runs, or why not.
    pub sight: Known<()>,
    /// What ran while the doctor looked, as far as it is seen.
    pub activity: Activity,
    /// How steadily the cores of both ends worked meanwhile.
    pub paces: Paces,
    /// Room for recordings, in bytes.
    pub disk_free_bytes: Known<u64>,
}

/// What a look at a machine depends on.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// Root of the machine: `/`, or a directory in its place.
    pub root: &'a Path,
    /// Core of the server, if it was chosen.
    pub server_cpu: Option<usize>,
    /// Cores of the client, if they were chosen.
    pub client_cpus: &'a [usize],
    /// Folder of the recordings.
    pub out: &'a Path,
    /// How long to watch what runs.
    pub watch: Duration,
}

impl Facts {
    /// Looks at the machine. Changes nothing.
    ///
    /// # Errors
    /// When a core that was asked for is not permitted.
    pub fn gather(look: &Look<'_>) -> anyhow::Result<Self> {
        let tree = &Tree::new(look.root);
        let permitted = permitted(tree)?;
        let kinds = Kinds::read(tree, &permitted);
        let cores = Cores::choose(&permitted, &kinds, look.server_cpu, look.client_cpus)?;
        // Averages that the work below would raise.
        let load_average = tree.parsed("/proc/loadavg", |text| text.split(' ').next()?.parse().ok());
        let pressure_avg10 = tree.parsed("/proc/pressure/cpu", pressure_avg10);
        let (begin, begun) = (Snapshot::take(tree), Instant::now());
        let paces = Paces::watch(cores.server, cores.client[0], look.watch);
        std::thread::sleep(look.watch.saturating_sub(begun.elapsed()));
        let activity = begin.until(&Snapshot::take(tree));
        let ends = cores.client.iter().copied().chain([cores.server]);
        Ok(Self {
            host: Host::below(look.root),
            permitted_count: permitted.len(),
            kinds,
            siblings: ends.map(|cpu| (cpu, siblings(tree, cpu))).collect(),
            has_intel_pstate: tree.exists("/sys/devices/system/cpu/intel_pstate/no_turbo"),
            irqs: irqs_of(tree, cores.server),
            load_average,
            ports: ports(tree),
            pressure_avg10,
            swap_used_bytes: tree.parsed("/proc/meminfo", swap_used_bytes),
            sight: activity::sight(tree),
            activity,
            paces,
            disk_free_bytes: disk_free_bytes(look.out),
            cores,
        })
    }
}

fn permitted(tree: &Tree) -> anyhow::Result<Vec<usize>> {
    const FILE: &str = "/proc/self/status";
    let list = tree.parsed(FILE, |text| {
        let line = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some(line.trim().to_owned())
    });
    let list = list.value().ok_or_else(|| anyhow!("cannot tell which CPUs are permitted: {list}"))?;
    cpus(list).with_context(|| format!("{FILE}: '{list}' is not a list of CPUs"))
}

/// The CPUs of a list as the kernel writes it; the empty list has none.
pub(super) fn cpus(list: &str) -> Option<Vec<usize>> {
    CpuList::of_kernel(list).map(|CpuList(cpus)| cpus)
}

fn siblings(tree: &Tree, cpu: usize) -> Known<Vec<usize>> {
    tree.parsed(&format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"), cpus)
}

/// Interrupts that may be delivered to `cpu`. Those without a handler are never raised and do not count.
fn irqs_of(tree: &Tree, cpu: usize) -> Known<Vec<String>> {
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let comes_here = |number: &String| {
        let file = |name: &str| tree.parsed(&format!("/proc/irq/{number}/{name}"), cpus);
        // Where the hardware delivers it, which is one CPU of those allowed on most machines.
        let effective = file("effective_affinity_list").or_else(|| file("smp_affinity_list"));
        effective.value().is_some_and(|cpus| cpus.contains(&cpu)) && has_handler(tree, number)
    };
    tree.names("/proc/irq")
        .map(|names| names.into_iter().filter(|name| is_number(name) && comes_here(name)).collect())
}

/// The kernel shows a directory for each handler beside the files on the interrupt.
fn has_handler(tree: &Tree, number: &str) -> bool {
    let folder = format!("/proc/irq/{number}");
    let names = tree.names(&folder);
    names
        .value()
        .is_some_and(|names| names.iter().any(|name| tree.locate(&format!("{folder}/{name}")).is_dir()))
}

fn ports(tree: &Tree) -> Known<[u64; 2]> {
    let file = |name| tree.text(&format!("/proc/sys/net/ipv4/ip_local_{name}"));
    file("reserved_ports").and_then(|reserved| {
        let range = file("port_range").value().cloned().unwrap_or_default();
        let counts = port_count(&range, "").zip(port_count(&range, &reserved)).map(|(all, free)| [all, free]);
        Known::from_option(counts, "no range of ports")
    })
}

fn pressure_avg10(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split(' ').find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

fn swap_used_bytes(meminfo: &str) -> Option<u64> {
    let amount = |key: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    Some(amount("SwapTotal:")?.saturating_sub(amount("SwapFree:")?) * 1024)
}

/// Free space of the file system that `folder`, which need not exist yet, would be on.
fn disk_free_bytes(folder: &Path) -> Known<u64> {
    let existing = folder.ancestors().find(|path| path.is_dir());
    let place = existing.filter(|path| *path != Path::new("")).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(place) {
        Ok(found) => Known::Value(found.f_bavail * found.f_frsize),
        Err(error) => Known::unavailable(format!("statvfs {}: {error}", place.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;

    #[test]
    fn an_empty_list_of_cpus_is_no_error() {
        assert_eq!(cpus(""), Some(vec![]));
        assert_eq!(cpus("0,2-3"), Some(vec![0, 2, 3]));
        assert_eq!(cpus("all"), None);
    }

    #[test]
    fn swap_in_use_is_the_total_less_what_is_free() {
        assert_eq!(swap_used_bytes("SwapTotal:  8 kB\nSwapFree:  5 kB\n"), Some(3 * 1024));
        assert_eq!(swap_used_bytes("MemTotal: 8 kB\n"), None);
    }

    #[test]
    fn pressure_of_some_tasks_is_not_taken_from_the_line_of_all() {
        assert_eq!(pressure_avg10("full avg10=9.00 x\nsome avg10=4.68 avg60=1\n"), Some(4.68));
    }

    #[test]
    fn an_interrupt_counts_where_it_is_delivered_and_only_with_a_handler() {
        let machine = Machine::quiet();
        machine.write("proc/irq/24/smp_affinity_list", "0-3\n");
        machine.write("proc/irq/24/effective_affinity_list", "3\n");
        machine.write("proc/irq/24/virtio0/x", "");
        machine.write("proc/irq/25/smp_affinity_list", "0-3\n");
        machine.write("proc/irq/26/smp_affinity_list", "0-3\n");
        machine.write("proc/irq/26/ttyS0/x", "");
        let tree = Tree::new(machine.root());
        assert_eq!(irqs_of(&tree, 3), Known::Value(vec!["24".to_owned(), "26".to_owned()]));
        assert_eq!(irqs_of(&tree, 0), Known::Value(vec!["26".to_owned()]));
    }

    #[test]
    fn a_folder_that_does_not_exist_yet_has_the_room_of_its_file_system() {
        let place = tempfile::tempdir().unwrap();
        let (here, below) = (disk_free_bytes(place.path()), disk_free_bytes(&place.path().join("a/b")));
        assert!(here.value().is_some() && below.value().is_some());
        assert!(disk_free_bytes(Path::new("results-of-nobody")).value().is_some());
    }
}
