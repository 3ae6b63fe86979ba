//! What machine is this: everything outside the program that is known to move a measurement.
//!
//! All of it is read from text files of the kernel, without privileges. What cannot be read stays in the
//! document, with the reason ([`Known`]): a record that merely omitted the governor would look like one of a
//! machine that has none. Names that identify the machine or its owner (host name, addresses) are not read.

mod cpu;
mod known;
mod parse;
mod settings;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use cpu::{Cache, Cpu, Isolation};
pub use known::{Known, Unavailable};
pub use settings::{Limit, Limits, Loopback, Memory, Virtualisation};
pub use tree::Tree;

/// The machine and its settings at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The kernel.
    pub kernel: Kernel,
    /// The processors, and what the kernel may do with them.
    pub cpu: Cpu,
    /// State of each CPU vulnerability, `Mitigation: …` or `Vulnerable…` or `Not affected`, by its sysfs name.
    pub vulnerabilities: Known<BTreeMap<String, Known<String>>>,
    /// Memory and huge pages.
    pub memory: Memory,
    /// Resource limits of the process that looked.
    pub limits: Limits,
    /// Kernel parameters that bear on sockets, io_uring and scheduling, by their sysctl(8) name.
    pub sysctls: BTreeMap<String, Known<String>>,
    /// The loopback device, through which every measured byte goes.
    pub loopback: Loopback,
    /// CPU mask that new interrupts are delivered to, in hexadecimal.
    pub irq_default_affinity: Known<String>,
    /// Clock source behind CLOCK_MONOTONIC: reading `tsc` costs nanoseconds, others up to microseconds.
    pub clocksource: Known<String>,
    /// Whether pressure stall information is on (/proc/pressure), which a noise gate needs.
    pub pressure_stall_information: bool,
    /// Virtual machine, container, system call filter.
    pub virtualisation: Virtualisation,
}

/// Which kernel, built how, told what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Release, as `uname -r`.
    pub release: Known<String>,
    /// Version, as `uname -v`: build number, preemption model, date.
    pub version: Known<String>,
    /// Machine, as `uname -m`. The file it is read from exists since Linux 6.1.
    pub arch: Known<String>,
    /// Boot parameters of the kernel; those handed through to init are left out.
    pub cmdline: Known<String>,
}

impl Host {
    /// Looks at this machine. Takes a few milliseconds and changes nothing.
    pub fn capture() -> Self {
        Self::below(Path::new("/"))
    }

    /// Looks at the machine whose /proc and /sys lie below `root`: a copy of them, or what a test made up.
    pub fn below(root: &Path) -> Self {
        let tree = &Tree::new(root);
        Self {
            kernel: Kernel::read(tree),
            cpu: Cpu::read(tree),
            vulnerabilities: cpu::vulnerabilities(tree),
            memory: Memory::read(tree),
            limits: Limits::read(tree),
            sysctls: settings::sysctls(tree),
            loopback: Loopback::read(tree),
            irq_default_affinity: tree.text("/proc/irq/default_smp_affinity"),
            clocksource: tree.text("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            pressure_stall_information: tree.exists("/proc/pressure/cpu"),
            virtualisation: Virtualisation::read(tree),
        }
    }
}

impl Kernel {
    fn read(tree: &Tree) -> Self {
        Self {
            release: tree.text("/proc/sys/kernel/osrelease"),
            version: tree.text("/proc/sys/kernel/version"),
            arch: tree.text("/proc/sys/kernel/arch"),
            cmdline: tree.text("/proc/cmdline").map(|text| parse::kernel_parameters(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory that holds `files`, laid out as a machine's root.
    pub(super) fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_machine_that_shows_nothing_is_described_as_such() {
        let host = Host::below(machine(&[]).path());
        assert!(host.kernel.release.value().is_none());
        assert!(host.vulnerabilities.value().is_none());
        assert!(!host.pressure_stall_information);
        assert!(host.sysctls.values().all(|sysctl| sysctl.value().is_none()));
    }

    #[test]
    fn the_kernel_is_named_without_what_init_was_told() {
        let root = machine(&[
            ("proc/sys/kernel/osrelease", "6.1.0-37-amd64\n"),
            ("proc/cmdline", "mitigations=off isolcpus=15 -- --key=1234\n"),
        ]);
        let kernel = Host::below(root.path()).kernel;
        assert_eq!(kernel.release, Known::Value("6.1.0-37-amd64".to_owned()));
        assert_eq!(kernel.cmdline, Known::Value("mitigations=off isolcpus=15".to_owned()));
    }

    #[test]
    fn a_description_survives_json() {
        let host = Host::capture();
        let json = serde_json::to_string(&host).unwrap();
        assert_eq!(serde_json::from_str::<Host>(&json).unwrap(), host);
    }

    #[test]
    fn this_machine_has_a_kernel_and_a_cpu() {
        let host = Host::capture();
        assert!(host.kernel.release.value().is_some_and(|release| !release.is_empty()));
        assert!(host.cpu.online_count.value().is_some_and(|&count| count > 0));
    }
}
