//! Settings of the system and of this process: memory, limits, sysctls, the loopback device, virtualisation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::known::Known;
use super::parse;
use super::tree::Tree;
use crate::sys::offload;
use crate::units::Bytes;

/// Parameters that bear on sockets, io_uring, scheduling and memory. Sources: the kernel's documentation of
/// admin-guide/sysctl and networking/ip-sysctl.
const SYSCTLS: &[&str] = &[
    "fs.epoll.max_user_watches",
    "fs.file-max",
    "fs.nr_open",
    "kernel.io_uring_disabled",
    "kernel.io_uring_group",
    "kernel.nmi_watchdog",
    "kernel.numa_balancing",
    "kernel.perf_event_paranoid",
    "kernel.pid_max",
    "kernel.randomize_va_space",
    "kernel.sched_autogroup_enabled",
    "kernel.timer_migration",
    "net.core.busy_poll",
    "net.core.busy_read",
    "net.core.default_qdisc",
    "net.core.dev_weight",
    "net.core.netdev_budget",
    "net.core.netdev_budget_usecs",
    "net.core.netdev_max_backlog",
    "net.core.optmem_max",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.rps_sock_flow_entries",
    "net.core.somaxconn",
    "net.core.wmem_default",
    "net.core.wmem_max",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_autocorking",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_limit_output_bytes",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_moderate_rcvbuf",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_wmem",
    "vm.max_map_count",
    "vm.overcommit_memory",
    "vm.swappiness",
];

/// The value of each of [`SYSCTLS`], by name. Columns of a value are separated by one space.
pub(super) fn sysctls(tree: &Tree) -> BTreeMap<String, Known<String>> {
    let value = |name: &&str| {
        let text = tree.text(&format!("/proc/sys/{}", name.replace('.', "/")));
        ((*name).to_owned(), text.map(|text| text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")))
    };
    SYSCTLS.iter().map(value).collect()
}

/// Memory and huge pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Usable memory.
    pub total_bytes: Known<Bytes>,
    /// Memory that could be had without swapping, when it was looked at.
    pub available_bytes: Known<Bytes>,
    /// Swap space; a benchmark that uses any is void.
    pub swap_bytes: Known<Bytes>,
    /// Transparent huge pages: `always`, `madvise` or `never`.
    pub transparent_hugepages: Known<String>,
    /// How hard the kernel works for one when a page is first touched.
    pub transparent_hugepages_defrag: Known<String>,
}

impl Memory {
    pub(super) fn read(tree: &Tree) -> Self {
        const HUGEPAGES: &str = "/sys/kernel/mm/transparent_hugepage";
        let amount = |key: &str| {
            tree.parsed("/proc/meminfo", |text| parse::field(text, key).and_then(parse::kibibytes))
        };
        Self {
            total_bytes: amount("MemTotal"),
            available_bytes: amount("MemAvailable"),
            swap_bytes: amount("SwapTotal"),
            transparent_hugepages: tree.parsed(&format!("{HUGEPAGES}/enabled"), parse::chosen),
            transparent_hugepages_defrag: tree.parsed(&format!("{HUGEPAGES}/defrag"), parse::chosen),
        }
    }
}

/// A resource limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What is enforced; `None` is unlimited.
    pub soft: Option<u64>,
    /// Up to where an unprivileged process may raise it; `None` is unlimited.
    pub hard: Option<u64>,
}

/// Resource limits of this process. Source: getrlimit(2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Open descriptors, a count. It also bounds a table of direct descriptors.
    pub nofile: Known<Limit>,
    /// Locked memory in bytes. Rings are accounted to it before Linux 5.12, registered buffers always.
    pub memlock_bytes: Known<Limit>,
}

impl Limits {
    pub(super) fn read(tree: &Tree) -> Self {
        let limit = |name: &str| {
            tree.parsed("/proc/self/limits", |text| {
                let (soft, hard) = parse::limit(text, name)?;
                Some(Limit { soft: Limit::bound(soft)?, hard: Limit::bound(hard)? })
            })
        };
        Self { nofile: limit("Max open files"), memlock_bytes: limit("Max locked memory") }
    }
}

impl Limit {
    /// The outer `None` is text that is no bound.
    fn bound(text: &str) -> Option<Option<u64>> {
        if text == "unlimited" { Some(None) } else { text.parse().ok().map(Some) }
    }
}

/// The loopback device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loopback {
    /// Largest packet in bytes.
    pub mtu_bytes: Known<u32>,
    /// Packets its queueing discipline may hold.
    pub tx_queue_len: Known<u32>,
    /// CPU mask of receive packet steering, in hexadecimal; `0` is off.
    pub rps_cpus: Known<String>,
    /// Segmentation and checksum offloads.
    pub offloads: Known<String>,
}

impl Loopback {
    pub(super) fn read(tree: &Tree) -> Self {
        const LO: &str = "/sys/class/net/lo";
        let number = |name: &str| tree.parsed(&format!("{LO}/{name}"), |text| text.parse().ok());
        Self {
            mtu_bytes: number("mtu"),
            tx_queue_len: number("tx_queue_len"),
            rps_cpus: tree.text(&format!("{LO}/queues/rx-0/rps_cpus")),
            offloads: offloads(tree),
        }
    }
}

/// `rx-checksum=on … gro=on`, as the kernel answers; no file shows them.
fn offloads(tree: &Tree) -> Known<String> {
    if !tree.is_here() {
        return Known::unavailable("no file shows them: ethtool -k lo");
    }
    let word = |(name, is_on): (&str, bool)| format!("{name}={}", if is_on { "on" } else { "off" });
    match offload::offloads("lo") {
        Ok(offloads) => Known::Value(offloads.into_iter().map(word).collect::<Vec<_>>().join(" ")),
        Err(error) => Known::unavailable(format!("ioctl SIOCETHTOOL of lo: {error}")),
    }
}

/// What lies between this process and the hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Virtualisation {
    /// Whether the CPU says that a hypervisor runs it. Known on x86 only.
    pub hypervisor: Known<bool>,
    /// Maker and product that the firmware names, which in a virtual machine is the hypervisor.
    pub firmware: Known<String>,
    /// Signs of a container that were found. None found is no proof that there is no container.
    pub container_signs: Vec<String>,
    /// System call filter on this process: 0 none, 1 strict, 2 a filter, which may refuse io_uring.
    pub seccomp_mode: Known<u8>,
}

impl Virtualisation {
    pub(super) fn read(tree: &Tree) -> Self {
        let dmi = |name: &str| tree.text(&format!("/sys/class/dmi/id/{name}"));
        Self {
            hypervisor: tree.parsed("/proc/cpuinfo", |text| {
                Some(parse::field(text, "flags")?.split(' ').any(|flag| flag == "hypervisor"))
            }),
            firmware: dmi("sys_vendor")
                .and_then(|vendor| dmi("product_name").map(|product| format!("{vendor} {product}"))),
            container_signs: container_signs(tree),
            seccomp_mode: tree
                .parsed("/proc/self/status", |text| parse::field(text, "Seccomp")?.parse().ok()),
        }
    }
}

fn container_signs(tree: &Tree) -> Vec<String> {
    const FILES: [&str; 3] = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];
    const GROUPS: [&str; 5] = ["docker", "kubepods", "libpod", "containerd", "lxc"];
    let groups = tree.text("/proc/1/cgroup");
    let in_group = |name: &&str| groups.value().is_some_and(|text| text.contains(name));
    let files = FILES.into_iter().filter(|file| tree.exists(file)).map(str::to_owned);
    let groups = GROUPS.into_iter().filter(in_group).map(|name| format!("/proc/1/cgroup names {name}"));
    files.chain(groups).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::machine;
    use super::*;
    use std::path::Path;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let root = machine(files);
        let tree = Tree::new(root.path());
        (root, tree)
    }

    #[test]
    fn a_sysctl_of_several_columns_is_separated_by_single_spaces() {
        let (_root, tree) = tree(&[("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")]);
        let sysctls = sysctls(&tree);
        assert_eq!(sysctls["net.ipv4.tcp_rmem"], Known::Value("4096 131072 6291456".to_owned()));
        assert!(sysctls["kernel.io_uring_disabled"].value().is_none());
    }

    #[test]
    fn memory_is_counted_in_bytes() {
        let (_root, tree) = tree(&[
            ("proc/meminfo", "MemTotal:       24689140 kB\nMemFree: 1 kB\nSwapTotal:             0 kB\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
        ]);
        let memory = Memory::read(&tree);
        assert_eq!(memory.total_bytes, Known::Value(Bytes(24_689_140 * 1024)));
        assert_eq!(memory.swap_bytes, Known::Value(Bytes(0)));
        assert_eq!(memory.transparent_hugepages, Known::Value("always".to_owned()));
        assert!(memory.available_bytes.value().is_none());
    }

    #[test]
    fn an_unlimited_limit_is_no_number() {
        let (_root, tree) = tree(&[(
            "proc/self/limits",
            "Limit             Soft Limit    Hard Limit   Units\n\
             Max open files    1024          unlimited    files\n",
        )]);
        let limits = Limits::read(&tree);
        assert_eq!(limits.nofile, Known::Value(Limit { soft: Some(1024), hard: None }));
        assert!(limits.memlock_bytes.value().is_none());
    }

    #[test]
    fn a_virtual_machine_is_told_by_its_cpu_flag() {
        let hypervisor = |flags: &str| {
            let (_root, tree) = tree(&[("proc/cpuinfo", flags)]);
            Virtualisation::read(&tree).hypervisor.value().copied()
        };
        assert_eq!(hypervisor("flags\t\t: fpu hypervisor lahf_lm\n"), Some(true));
        assert_eq!(hypervisor("flags\t\t: fpu lahf_lm\n"), Some(false));
        assert_eq!(hypervisor("Features\t: fp asimd\n"), None);
    }

    #[test]
    fn offloads_are_asked_of_this_machine_and_of_no_copy_of_one() {
        let (_root, elsewhere) = tree(&[]);
        assert!(Loopback::read(&elsewhere).offloads.value().is_none());
        let here = Loopback::read(&Tree::new(Path::new("/"))).offloads;
        assert!(here.value().is_some_and(|text| text.contains("gro=o")), "{here:?}");
    }

    #[test]
    fn signs_of_a_container_are_listed() {
        let (_root, tree) = tree(&[(".dockerenv", ""), ("proc/1/cgroup", "0::/kubepods/pod42\n")]);
        let signs = Virtualisation::read(&tree).container_signs;
        assert_eq!(signs, ["/.dockerenv", "/proc/1/cgroup names kubepods"]);
    }

    #[test]
    fn a_system_call_filter_is_reported() {
        let (_root, tree) = tree(&[("proc/self/status", "Name:\turing-echo\nSeccomp:\t2\n")]);
        assert_eq!(Virtualisation::read(&tree).seccomp_mode, Known::Value(2));
    }
}
