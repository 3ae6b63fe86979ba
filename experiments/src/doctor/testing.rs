//! A machine made of files, for tests.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::facts::{Facts, Look};

/// A directory that looks like the root of a machine. It is gone when dropped.
pub(super) struct Machine(tempfile::TempDir);

/// A machine of four cores on which every check passes, but for offloads, which no file shows.
const QUIET: &[(&str, &str)] = &[
    ("proc/1/stat", "1 (init) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20"),
    ("proc/self/status", "Name:\tdoctor\nCpus_allowed_list:\t0-3\nSeccomp:\t0\n"),
    ("proc/self/limits", "Max open files  1024  524288  files\nMax locked memory  65536  unlimited  bytes\n"),
    ("proc/cmdline", "isolcpus=3 nohz_full=3 rcu_nocbs=3\n"),
    ("proc/cpuinfo", "flags\t: fpu tsc\n"),
    ("proc/loadavg", "0.01 0.02 0.03 1/100 1234\n"),
    ("proc/meminfo", "MemAvailable: 9000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"),
    ("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"),
    ("proc/stat", "cpu  1 0 1 100 0 0 0 0 0 0\ncpu0 1\ncpu1 1\ncpu2 1\ncpu3 1\n"),
    ("proc/irq/24/smp_affinity_list", "0-2\n"),
    ("proc/irq/24/eth0/x", ""),
    ("proc/sys/kernel/io_uring_disabled", "0\n"),
    ("proc/sys/kernel/randomize_va_space", "2\n"),
    ("proc/sys/kernel/nmi_watchdog", "0\n"),
    ("proc/sys/kernel/timer_migration", "0\n"),
    ("proc/sys/kernel/numa_balancing", "0\n"),
    ("proc/sys/net/core/somaxconn", "4096\n"),
    ("proc/sys/net/core/netdev_budget", "300\n"),
    ("proc/sys/net/core/netdev_max_backlog", "1000\n"),
    ("proc/sys/net/ipv4/tcp_max_syn_backlog", "2048\n"),
    ("proc/sys/net/ipv4/ip_local_port_range", "1024\t65535\n"),
    ("proc/sys/net/ipv4/ip_local_reserved_ports", "\n"),
    ("proc/sys/net/ipv4/tcp_tw_reuse", "2\n"),
    ("proc/sys/net/ipv4/tcp_mem", "262144\t524288\t786432\n"),
    ("proc/sys/kernel/random/boot_id", "0000-1111\n"),
    ("sys/class/net/lo/mtu", "65536\n"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
    ("sys/devices/system/cpu/online", "0-3\n"),
    ("sys/devices/system/cpu/isolated", "3\n"),
    ("sys/devices/system/cpu/nohz_full", "3\n"),
    ("sys/devices/system/cpu/cpuidle/current_driver", "none\n"),
    ("sys/devices/system/cpu/cpuidle/current_governor", "menu\n"),
    ("sys/devices/system/cpu/cpufreq/boost", "0\n"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n"),
    ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3\n"),
    ("sys/devices/system/cpu/vulnerabilities/l1tf", "Not affected\n"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
];

impl Machine {
    /// On which all is as a measurement wants it.
    pub(super) fn quiet() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        QUIET.iter().for_each(|(path, text)| machine.write(path, text));
        machine
    }

    /// Its root.
    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Puts `text` into `path`.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Makes `path` a symbolic link to `target`, whatever it was.
    pub(super) fn link(&self, path: &str, target: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// What `path` holds, without the white space around it.
    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap().trim().to_owned()
    }

    /// Takes `path` away, be it a file or a directory.
    pub(super) fn remove(&self, path: &str) {
        let path = self.root().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// What the doctor sees of it, the server on core 3 and the client on core 0.
    pub(super) fn facts(&self) -> Facts {
        Facts::gather(&self.look()).unwrap()
    }

    /// How the doctor looks at it.
    pub(super) fn look(&self) -> Look<'_> {
        let (server_cpu, client_cpus) = (None, &[]);
        Look { root: self.root(), server_cpu, client_cpus, out: self.root(), watch: Duration::ZERO }
    }
}
