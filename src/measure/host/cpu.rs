//! The processors: what they are, how fast they may run, and which of them the scheduler leaves alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::known::Known;
use super::parse;
use super::tree::Tree;
use crate::cpu_list::CpuList;
use crate::units::Bytes;

const CPUS: &str = "/sys/devices/system/cpu";

/// The processors of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// Marketing name of the first one.
    pub model: Known<String>,
    /// What they call themselves, each kind once: `family/model/stepping` on x86, `implementer/variant/part/revision` on
    /// Arm. Clouds sell several generations under one name.
    #[serde(default = "not_kept")]
    pub signature: Known<String>,
    /// Microcode revision of the first one.
    pub microcode: Known<String>,
    /// The ones in use, as a list such as `0-3,8`.
    pub online: Known<String>,
    /// How many are in use.
    pub online_count: Known<usize>,
    /// NUMA nodes, as a list.
    pub numa_nodes: Known<String>,
    /// Caches that CPU 0 sees, from the nearest to the farthest.
    pub caches: Known<Vec<Cache>>,
    /// Whether two threads of one core are in use.
    pub smt_active: Known<bool>,
    /// Frequency governors in force; more than one when the CPUs differ.
    pub governors: Known<BTreeSet<String>>,
    /// Whether frequencies above the nominal one are allowed.
    pub turbo: Known<bool>,
    /// Idle driver and governor, `driver/governor`: deep idle states delay wake-ups.
    pub idle: Known<String>,
    /// CPUs that were set aside at boot.
    pub isolation: Isolation,
}

fn not_kept() -> Known<String> {
    Known::unavailable("records before version 3 do not keep it")
}

/// A cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// Distance from the core, 1 the nearest.
    pub level: Known<u32>,
    /// `Data`, `Instruction` or `Unified`.
    pub kind: Known<String>,
    /// Size in bytes.
    pub size_bytes: Known<Bytes>,
    /// CPUs that share it, as a list.
    pub shared_cpus: Known<String>,
}

/// CPUs that were set aside at boot, as lists. An empty list means none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Without load balancing (`isolcpus=`).
    pub isolated: Known<String>,
    /// Without a scheduling tick while one task runs (`nohz_full=`).
    pub nohz_full: Known<String>,
    /// Without RCU callbacks (`rcu_nocbs=`).
    pub rcu_nocbs: Known<String>,
}

impl Cpu {
    pub(super) fn read(tree: &Tree) -> Self {
        let info =
            |key: &str| tree.parsed("/proc/cpuinfo", |text| parse::field(text, key).map(str::to_owned));
        let online = tree.text(&format!("{CPUS}/online"));
        Self {
            model: info("model name"),
            signature: tree.parsed("/proc/cpuinfo", parse::signature),
            microcode: info("microcode"),
            online_count: online.clone().and_then(|list| {
                Known::from_option(
                    CpuList::of_kernel(&list).map(|CpuList(cpus)| cpus.len()),
                    format!("'{list}' is not a list of CPUs"),
                )
            }),
            online,
            numa_nodes: tree.text("/sys/devices/system/node/online"),
            caches: caches(tree),
            smt_active: tree.parsed(&format!("{CPUS}/smt/active"), parse::flag),
            governors: governors(tree),
            turbo: turbo(tree),
            idle: idle(tree),
            isolation: Isolation::read(tree),
        }
    }
}

impl Isolation {
    fn read(tree: &Tree) -> Self {
        let at_boot = |name: &str| tree.text("/proc/cmdline").map(|text| parse::boot_parameter(&text, name));
        Self {
            isolated: tree.text(&format!("{CPUS}/isolated")),
            // A kernel built without full dynticks has no such file and ignores the parameter.
            nohz_full: tree.text(&format!("{CPUS}/nohz_full")),
            rcu_nocbs: at_boot("rcu_nocbs"),
        }
    }
}

fn caches(tree: &Tree) -> Known<Vec<Cache>> {
    const DIR: &str = "/sys/devices/system/cpu/cpu0/cache";
    tree.names(DIR).map(|names| {
        let indices = names.iter().filter(|name| name.starts_with("index"));
        indices.map(|name| Cache::read(tree, &format!("{DIR}/{name}"))).collect()
    })
}

impl Cache {
    fn read(tree: &Tree, dir: &str) -> Self {
        Self {
            level: tree.parsed(&format!("{dir}/level"), |text| text.parse().ok()),
            kind: tree.text(&format!("{dir}/type")),
            size_bytes: tree.parsed(&format!("{dir}/size"), parse::kibibytes),
            shared_cpus: tree.text(&format!("{dir}/shared_cpu_list")),
        }
    }
}

fn governors(tree: &Tree) -> Known<BTreeSet<String>> {
    tree.names(CPUS).and_then(|names| {
        let governor = |name: &String| tree.text(&format!("{CPUS}/{name}/cpufreq/scaling_governor"));
        let found: BTreeSet<String> =
            names.iter().filter_map(|name| governor(name).value().cloned()).collect();
        let reason = "no CPU has cpufreq/scaling_governor: this kernel does not scale frequencies";
        Known::from_option((!found.is_empty()).then_some(found), reason)
    })
}

/// Intel's driver says whether turbo is off, the generic file whether boost is on.
fn turbo(tree: &Tree) -> Known<bool> {
    let off = tree.parsed(&format!("{CPUS}/intel_pstate/no_turbo"), parse::flag);
    off.map(|off| !off).or_else(|| tree.parsed(&format!("{CPUS}/cpufreq/boost"), parse::flag))
}

fn idle(tree: &Tree) -> Known<String> {
    let driver = tree.text(&format!("{CPUS}/cpuidle/current_driver"));
    // Linux 5.6 and older offer only the read-only name.
    let governor = tree
        .text(&format!("{CPUS}/cpuidle/current_governor"))
        .or_else(|| tree.text(&format!("{CPUS}/cpuidle/current_governor_ro")));
    driver.and_then(|driver| governor.map(|governor| format!("{driver}/{governor}")))
}

/// State of each CPU vulnerability by its sysfs name.
pub(super) fn vulnerabilities(tree: &Tree) -> Known<BTreeMap<String, Known<String>>> {
    let dir = format!("{CPUS}/vulnerabilities");
    tree.names(&dir).map(|names| {
        let with_state = |name: String| {
            let state = tree.text(&format!("{dir}/{name}"));
            (name, state)
        };
        names.into_iter().map(with_state).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::machine;
    use super::*;

    fn cpu(files: &[(&str, &str)]) -> Cpu {
        Cpu::read(&Tree::new(machine(files).path()))
    }

    #[test]
    fn cpus_are_named_and_counted() {
        let cpu = cpu(&[
            (
                "proc/cpuinfo",
                "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 167\nmodel name\t: Intel(R) Core(TM) i9-11900K\n\
                 stepping\t: 1\nmicrocode\t: 0x57\n",
            ),
            ("sys/devices/system/cpu/online", "0-7,12\n"),
        ]);
        assert_eq!(cpu.model, Known::Value("Intel(R) Core(TM) i9-11900K".to_owned()));
        assert_eq!(cpu.signature, Known::Value("6/167/1".to_owned()));
        assert_eq!(cpu.microcode, Known::Value("0x57".to_owned()));
        assert_eq!(cpu.online_count, Known::Value(9));
    }

    #[test]
    fn governors_that_differ_are_all_named_and_governors_that_agree_once() {
        let cpu = cpu(&[
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
            ("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpuidle/current_governor", "menu\n"),
        ]);
        let expected = BTreeSet::from(["performance".to_owned(), "powersave".to_owned()]);
        assert_eq!(cpu.governors, Known::Value(expected));
    }

    #[test]
    fn turbo_is_read_from_either_driver() {
        assert_eq!(
            cpu(&[("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n")]).turbo,
            Known::Value(false)
        );
        assert_eq!(cpu(&[("sys/devices/system/cpu/cpufreq/boost", "1\n")]).turbo, Known::Value(true));
        assert!(cpu(&[]).turbo.value().is_none());
    }

    #[test]
    fn caches_carry_level_kind_and_size() {
        let cpu = cpu(&[
            ("sys/devices/system/cpu/cpu0/cache/uevent", ""),
            ("sys/devices/system/cpu/cpu0/cache/index2/level", "2\n"),
            ("sys/devices/system/cpu/cpu0/cache/index2/type", "Unified\n"),
            ("sys/devices/system/cpu/cpu0/cache/index2/size", "1024K\n"),
            ("sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list", "0\n"),
        ]);
        let expected = Cache {
            level: Known::Value(2),
            kind: Known::Value("Unified".to_owned()),
            size_bytes: Known::Value(Bytes(1 << 20)),
            shared_cpus: Known::Value("0".to_owned()),
        };
        assert_eq!(cpu.caches, Known::Value(vec![expected]));
    }

    #[test]
    fn cpus_set_aside_at_boot_are_told_from_none() {
        let isolation = cpu(&[
            ("proc/cmdline", "isolcpus=15 rcu_nocbs=15\n"),
            ("sys/devices/system/cpu/isolated", "15\n"),
        ])
        .isolation;
        assert_eq!(isolation.isolated, Known::Value("15".to_owned()));
        assert_eq!(isolation.rcu_nocbs, Known::Value("15".to_owned()));
        assert!(isolation.nohz_full.value().is_none());
        let none = cpu(&[("proc/cmdline", "quiet\n"), ("sys/devices/system/cpu/isolated", "\n")]).isolation;
        assert_eq!(none.isolated, Known::Value(String::new()));
    }

    #[test]
    fn each_vulnerability_is_kept_under_its_own_name() {
        let root = machine(&[
            ("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n"),
            ("sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow", "Vulnerable: Safe RET\n"),
        ]);
        let found = vulnerabilities(&Tree::new(root.path()));
        let found = found.value().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found["meltdown"], Known::Value("Not affected".to_owned()));
        assert_eq!(found["spec_rstack_overflow"], Known::Value("Vulnerable: Safe RET".to_owned()));
    }
}
