//! Memory, limits, the clock, and what stands between this process and the hardware.

use uring_echo::measure::host::{Known, Limit};

use super::CheckFn;
use crate::doctor::facts::Facts;
use crate::doctor::finding::{Check, Finding, Level, Write};

pub(super) const CHECKS: &[CheckFn] =
    &[hugepages, swap, clocksource, nofile, memlock, pressure_information, hypervisor, seccomp];

fn hugepages(facts: &Facts) -> Finding {
    let check = Check {
        name: "thp",
        why: "under 'always' buffers get huge pages or not by the luck of their address, and a daemon moves pages",
        remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    };
    check
        .judge(&facts.host.memory.transparent_hugepages, |mode| Level::warn_unless(mode != "always"))
        .mended_by([Write::new("/sys/kernel/mm/transparent_hugepage/enabled", "madvise")])
}

fn swap(facts: &Facts) -> Finding {
    let check = Check {
        name: "swap",
        why: "a server whose pages come back from a disk measures the disk",
        remedy: "swapoff -a",
    };
    let total = facts.host.memory.swap_bytes.clone();
    let used = facts.swap_used_bytes.clone();
    let amounts = total.and_then(|total| used.map(|used| (total.0, used)));
    let value = amounts.clone().map(|(total, used)| format!("{} MiB, {} in use", total >> 20, used >> 20));
    check.judge(&value, |_| Level::warn_unless(amounts.value().is_some_and(|&(total, _)| total == 0)))
}

fn clocksource(facts: &Facts) -> Finding {
    let check = Check {
        name: "clocksource",
        why: "a clock that is read outside the processor costs a microsecond a look, twice a message",
        remedy: "boot with tsc=reliable if the firmware's warning is wrong; else use another machine",
    };
    check.judge(&facts.host.clocksource, |name| match name.as_str() {
        "tsc" | "arch_sys_counter" => Level::Pass,
        "hpet" | "acpi_pm" | "jiffies" | "refined-jiffies" => Level::Fail,
        _ => Level::Warn,
    })
}

fn nofile(facts: &Facts) -> Finding {
    /// What the smallest experiment opens, and what the largest does: a descriptor a connection and some to spare.
    const FEW: u64 = 600;
    const MANY: u64 = 41_000;
    let check = Check {
        name: "nofile",
        why: "each connection takes a descriptor at both ends, which raise their own limit up to the hard one",
        remedy: "ulimit -Hn 65536, or LimitNOFILE= of the service, or /etc/security/limits.conf",
    };
    let hard = hard(&facts.host.limits.nofile);
    check.judge(&hard.clone().map(bound), |_| match hard.value().copied().flatten() {
        Some(hard) if hard < FEW => Level::Fail,
        Some(hard) => Level::warn_unless(hard >= MANY),
        None => Level::Pass,
    })
}

fn memlock(facts: &Facts) -> Finding {
    /// What rings, their buffers and their tables take under the default settings.
    const RINGS: u64 = 8 << 20;
    let check = Check {
        name: "memlock",
        why: "memory registered with a ring counts as locked; beyond the limit registering fails",
        remedy: "ulimit -Hl unlimited, or LimitMEMLOCK= of the service",
    };
    let hard = hard(&facts.host.limits.memlock_bytes);
    let level =
        |_: &String| Level::warn_unless(hard.value().copied().flatten().is_none_or(|hard| hard >= RINGS));
    check.judge(&hard.clone().map(bound), level)
}

fn hard(limit: &Known<Limit>) -> Known<Option<u64>> {
    limit.clone().map(|limit| limit.hard)
}

fn bound(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".into(), |limit| limit.to_string())
}

fn pressure_information(facts: &Facts) -> Finding {
    let check = Check {
        name: "psi",
        why: "without pressure stall information a record cannot say that tasks waited for a CPU",
        remedy: "boot with psi=1 (needs CONFIG_PSI)",
    };
    let is_kept = facts.host.pressure_stall_information;
    check.found(Level::warn_unless(is_kept), if is_kept { "kept" } else { "not kept" })
}

fn hypervisor(facts: &Facts) -> Finding {
    let check = Check {
        name: "hypervisor",
        why: "neighbours take time, caches and frequency, and only the time shows, as steal",
        remedy: "measure on a machine of your own; in a virtual one pin its CPUs and repeat more",
    };
    let found = &facts.host.virtualisation;
    let value = found.hypervisor.clone().map(|is_virtual| match (is_virtual, found.firmware.value()) {
        (true, Some(firmware)) => format!("yes ({firmware})"),
        (true, None) => "yes".into(),
        (false, _) => "no".into(),
    });
    check.judge(&value, |_| Level::warn_unless(found.hypervisor == Known::Value(false)))
}

fn seccomp(facts: &Facts) -> Finding {
    let check = Check {
        name: "seccomp",
        why: "a filter runs at every system call, and container runtimes' filters refuse io_uring",
        remedy: "run outside the container, or with --security-opt seccomp=unconfined",
    };
    let mode = facts.host.virtualisation.seccomp_mode.clone();
    let value = mode.clone().map(|mode| if mode == 0 { "no filter" } else { "a filter" });
    check.judge(&value, |_| Level::warn_unless(mode == Known::Value(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;

    fn level(check: CheckFn, files: &[(&str, &str)]) -> Level {
        let machine = Machine::quiet();
        files.iter().for_each(|(path, text)| machine.write(path, text));
        check(&machine.facts()).level
    }

    #[test]
    fn huge_pages_by_luck_are_turned_into_huge_pages_on_demand() {
        const FILE: &str = "sys/kernel/mm/transparent_hugepage/enabled";
        assert_eq!(level(hugepages, &[]), Level::Pass);
        assert_eq!(level(hugepages, &[(FILE, "[always] madvise never\n")]), Level::Warn);
    }

    #[test]
    fn swap_space_bends_a_measurement_even_before_it_is_used() {
        let meminfo = "MemAvailable: 9000000 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n";
        assert_eq!(level(swap, &[]), Level::Pass);
        assert_eq!(level(swap, &[("proc/meminfo", meminfo)]), Level::Warn);
        assert_eq!(level(swap, &[("proc/meminfo", "MemTotal: 1 kB\n")]), Level::Unavailable);
    }

    #[test]
    fn a_clock_outside_the_processor_fails_and_an_unknown_one_warns() {
        const FILE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
        let expected = [("tsc", Level::Pass), ("kvm-clock", Level::Warn), ("hpet", Level::Fail)];
        for (name, expected) in expected {
            assert_eq!(level(clocksource, &[(FILE, name)]), expected, "{name}");
        }
    }

    #[test]
    fn limits_are_judged_by_what_they_can_be_raised_to() {
        let limits = |nofile: &str, memlock: &str| {
            format!("Max open files  64  {nofile}  files\nMax locked memory  64  {memlock}  bytes\n")
        };
        let judge = |check: CheckFn, nofile: &str, memlock: &str| {
            level(check, &[("proc/self/limits", &limits(nofile, memlock))])
        };
        assert_eq!(judge(nofile, "unlimited", "0"), Level::Pass);
        assert_eq!(judge(nofile, "20000", "0"), Level::Warn);
        assert_eq!(judge(nofile, "256", "0"), Level::Fail);
        assert_eq!(judge(memlock, "0", "unlimited"), Level::Pass);
        assert_eq!(judge(memlock, "0", "65536"), Level::Warn);
    }

    #[test]
    fn a_virtual_machine_and_a_filter_are_said_to_bend() {
        assert_eq!(level(hypervisor, &[]), Level::Pass);
        assert_eq!(level(hypervisor, &[("proc/cpuinfo", "flags : fpu hypervisor\n")]), Level::Warn);
        assert_eq!(level(hypervisor, &[("proc/cpuinfo", "Features : asimd\n")]), Level::Unavailable);
        let filtered = "Cpus_allowed_list:\t0-3\nSeccomp:\t2\n";
        assert_eq!(level(seccomp, &[]), Level::Pass);
        assert_eq!(level(seccomp, &[("proc/self/status", filtered)]), Level::Warn);
    }

    #[test]
    fn a_kernel_without_pressure_information_is_pointed_out() {
        let machine = Machine::quiet();
        assert_eq!(pressure_information(&machine.facts()).level, Level::Pass);
        machine.remove("proc/pressure");
        assert_eq!(pressure_information(&machine.facts()).level, Level::Warn);
    }
}
