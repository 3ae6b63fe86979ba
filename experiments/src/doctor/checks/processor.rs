//! The cores: how fast they run, with whom they are shared, and what the scheduler may put on them.

use uring_echo::cpu_list;
use uring_echo::measure::host::Known;

use super::CheckFn;
use crate::doctor::facts::{Facts, cpus};
use crate::doctor::finding::{Check, Finding, Level, Write};

pub(super) const CHECKS: &[CheckFn] = &[
    cores,
    core_kinds,
    governor,
    turbo,
    idle,
    siblings,
    isolated,
    nohz_full,
    rcu_nocbs,
    mitigations,
    interrupts,
];

const CPUS: &str = "/sys/devices/system/cpu";

fn cores(facts: &Facts) -> Finding {
    let check = Check {
        name: "cores",
        why: "server and client need a core each, or busy time is that of both; a third keeps the rest away",
        remedy: "use a machine with more cores, or widen what this process may use (taskset, cpuset)",
    };
    let level = match facts.permitted_count {
        _ if facts.cores.are_shared() => Level::Fail,
        0..=2 => Level::Warn,
        _ => Level::Pass,
    };
    let (server, client) = (facts.cores.server, &facts.cores.client);
    check.found(level, format!("server {server}, client {client:?} of {} permitted", facts.permitted_count))
}

fn core_kinds(facts: &Facts) -> Finding {
    let check = Check {
        name: "core-kinds",
        why: "on a slower kind of core an end takes longer for the same work, and a client of that kind cannot fill the \
              server",
        remedy: "choose --server-cpu and --client-cpus of one kind (/sys/devices/cpu_core/cpus, cpu_capacity)",
    };
    match facts.kinds.difference(facts.cores.server, &facts.cores.client) {
        Some(difference) => check.found(Level::Warn, difference),
        None => check.found(Level::Pass, "both ends have the same"),
    }
}

fn governor(facts: &Facts) -> Finding {
    let check = Check {
        name: "governor",
        why: "a core that follows its load in frequency measures the governor",
        remedy: "cpupower frequency-set --governor performance",
    };
    let governors = &facts.host.cpu.governors;
    let names = governors.clone().map(|names| names.into_iter().collect::<Vec<_>>().join(", "));
    let ends = facts.siblings.keys();
    let file = |cpu: &usize| format!("{CPUS}/cpu{cpu}/cpufreq/scaling_governor");
    check
        .judge(&names, |names| Level::warn_unless(names == "performance"))
        .mended_by(ends.map(|cpu| Write::new(file(cpu), "performance")))
}

fn turbo(facts: &Facts) -> Finding {
    let check = Check {
        name: "turbo",
        why: "how long a core may run above its nominal frequency depends on heat and on its neighbours",
        remedy: "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or 0 > …/cpufreq/boost",
    };
    let allowed = facts.host.cpu.turbo.clone();
    let value = allowed.clone().map(|allowed| if allowed { "allowed" } else { "off" });
    let (switch, off) =
        if facts.has_intel_pstate { ("intel_pstate/no_turbo", "1") } else { ("cpufreq/boost", "0") };
    check
        .judge(&value, |_| Level::warn_unless(allowed == Known::Value(false)))
        .mended_by([Write::new(format!("{CPUS}/{switch}"), off)])
}

fn idle(facts: &Facts) -> Finding {
    let check = Check {
        name: "idle",
        why: "a core that sleeps deeply wakes late: latency at low load is its exit latency",
        remedy: "boot with cpuidle.off=1, or hold /dev/cpu_dma_latency open at 0 (tuned: latency-performance)",
    };
    let sleeps_lightly = |name: &String| name.starts_with("none/") || name.starts_with("haltpoll/");
    check.judge(&facts.host.cpu.idle, |name| Level::warn_unless(sleeps_lightly(name)))
}

fn siblings(facts: &Facts) -> Finding {
    let check = Check {
        name: "smt",
        why: "two threads of a physical core share its units: the one is slower whenever the other works",
        remedy: "choose --server-cpu and --client-cpus on different physical cores; echo off > \
                 /sys/devices/system/cpu/smt/control",
    };
    let server = facts.siblings.get(&facts.cores.server);
    let Some(Known::Value(siblings)) = server else {
        return check
            .judge(&Known::<String>::unavailable("no topology of the server's core"), |_| Level::Pass);
    };
    let others: Vec<usize> = siblings.iter().copied().filter(|&cpu| cpu != facts.cores.server).collect();
    let shared = others.iter().any(|cpu| facts.cores.client.contains(cpu));
    let level = if shared { Level::Fail } else { Level::warn_unless(others.is_empty()) };
    let value = match others.as_slice() {
        [] => "the server's core has no sibling".to_owned(),
        _ => format!("the server's core is also CPU {}", cpu_list::written(&others)),
    };
    check.found(level, value)
}

fn isolated(facts: &Facts) -> Finding {
    let check = Check {
        name: "isolcpus",
        why: "without it the scheduler may put any task on the server's core",
        remedy: "boot with isolcpus=CORE of the server, see README",
    };
    set_aside(check, facts, &facts.host.cpu.isolation.isolated)
}

fn nohz_full(facts: &Facts) -> Finding {
    let check = Check {
        name: "nohz_full",
        why: "the scheduling tick interrupts the server a hundred to a thousand times a second",
        remedy: "boot with nohz_full=CORE of the server (needs CONFIG_NO_HZ_FULL)",
    };
    set_aside(check, facts, &facts.host.cpu.isolation.nohz_full)
}

fn rcu_nocbs(facts: &Facts) -> Finding {
    let check = Check {
        name: "rcu_nocbs",
        why: "memory that other cores freed under RCU is released on the server's time",
        remedy: "boot with rcu_nocbs=CORE of the server",
    };
    set_aside(check, facts, &facts.host.cpu.isolation.rcu_nocbs)
}

/// Whether the server's core is among those `list` sets aside.
fn set_aside(check: Check, facts: &Facts, list: &Known<String>) -> Finding {
    let server = facts.cores.server;
    let is_among = |list: &String| cpus(list).is_some_and(|cpus| cpus.contains(&server));
    let mut finding = check.judge(list, |list| Level::warn_unless(is_among(list)));
    if finding.value.is_empty() {
        finding.value = "none".into();
    }
    finding
}

fn mitigations(facts: &Facts) -> Finding {
    let check = Check {
        name: "mitigations",
        why: "they make each system call dearer, so that the engine with fewer calls gains by them",
        remedy: "boot with mitigations=auto (what servers run with) or mitigations=off (the engines alone); never compare \
                 figures across the two",
    };
    let states = facts.host.vulnerabilities.clone().map(|states| {
        let count = |begin: &str| {
            states.values().filter_map(Known::value).filter(|state| state.starts_with(begin)).count()
        };
        (count("Mitigation"), count("Vulnerable"))
    });
    let value = states.clone().map(|(mitigated, open)| format!("{mitigated} mitigated, {open} open"));
    let is_mixed = |(mitigated, open): &(usize, usize)| *mitigated > 0 && *open > 0;
    check.judge(&value, |_| Level::warn_unless(!states.value().is_some_and(is_mixed)))
}

fn interrupts(facts: &Facts) -> Finding {
    let check = Check {
        name: "irq-affinity",
        why: "interrupts of devices on the server's core are accounted to the server",
        remedy: "write the other cores to /proc/irq/N/smp_affinity_list; boot with irqaffinity=",
    };
    let online = facts.host.cpu.online.value().and_then(|list| cpus(list)).unwrap_or_default();
    let others: Vec<usize> = online.into_iter().filter(|&cpu| cpu != facts.cores.server).collect();
    let list = cpu_list::written(&others);
    let value = facts.irqs.clone().map(|irqs| match irqs.as_slice() {
        [] => "no interrupt comes to the server's core".to_owned(),
        _ => format!("{} come to the server's core: {}", irqs.len(), irqs.join(" ")),
    });
    let irqs = facts.irqs.value().map_or(&[][..], Vec::as_slice);
    let fix = irqs.iter().filter(|_| !others.is_empty());
    check
        .judge(&value, |_| Level::warn_unless(irqs.is_empty()))
        .mended_by(fix.map(|irq| Write::new(format!("/proc/irq/{irq}/smp_affinity_list"), list.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::facts::Look;
    use crate::doctor::testing::Machine;
    use crate::run::kinds::testing;

    #[test]
    fn one_core_for_both_ends_fails_and_two_leave_none_for_the_rest() {
        let mut facts = Machine::quiet().facts();
        assert_eq!(cores(&facts).level, Level::Pass);
        facts.permitted_count = 2;
        assert_eq!(cores(&facts).level, Level::Warn);
        facts.cores.client = vec![facts.cores.server];
        assert_eq!(cores(&facts).level, Level::Fail);
    }

    #[test]
    fn cores_of_two_kinds_are_told_of_and_not_chosen_by_default() {
        for (files, cpus, server, client) in
            [(testing::i9_13900k(), "0-31", 31, 0), (testing::big_little(), "0-7", 6, 0)]
        {
            let machine = Machine::quiet();
            files.iter().for_each(|(path, text)| machine.write(path, text));
            machine.write("proc/self/status", &format!("Cpus_allowed_list:\t{cpus}\n"));
            assert_eq!(core_kinds(&machine.facts()).level, Level::Pass);
            let look = Look { server_cpu: Some(server), client_cpus: &[client], ..machine.look() };
            let finding = core_kinds(&Facts::gather(&look).unwrap());
            assert_eq!(finding.level, Level::Warn, "{}", finding.value);
        }
    }

    #[test]
    fn a_governor_that_follows_the_load_is_replaced_on_the_cores_of_both_ends() {
        let machine = Machine::quiet();
        assert_eq!(governor(&machine.facts()).level, Level::Pass);
        machine.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
        let finding = governor(&machine.facts());
        assert_eq!((finding.level, finding.value.as_str()), (Level::Warn, "performance, powersave"));
        assert_eq!(finding.fix.len(), 2);
        machine.remove("sys/devices/system/cpu/cpu0/cpufreq");
        machine.remove("sys/devices/system/cpu/cpu3/cpufreq");
        assert_eq!(governor(&machine.facts()).level, Level::Unavailable);
    }

    #[test]
    fn turbo_is_turned_off_where_the_driver_in_use_has_its_switch() {
        let machine = Machine::quiet();
        assert_eq!(turbo(&machine.facts()).level, Level::Pass);
        machine.write("sys/devices/system/cpu/cpufreq/boost", "1\n");
        assert_eq!(turbo(&machine.facts()).fix, [Write::new("/sys/devices/system/cpu/cpufreq/boost", "0")]);
        machine.write("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
        let expected = Write::new("/sys/devices/system/cpu/intel_pstate/no_turbo", "1");
        assert_eq!(turbo(&machine.facts()).fix, [expected]);
    }

    #[test]
    fn a_sibling_bends_and_a_sibling_under_the_client_breaks_a_measurement() {
        let machine = Machine::quiet();
        const SIBLINGS: &str = "sys/devices/system/cpu/cpu3/topology/thread_siblings_list";
        assert_eq!(siblings(&machine.facts()).level, Level::Pass);
        machine.write(SIBLINGS, "1,3\n");
        assert_eq!(siblings(&machine.facts()).level, Level::Warn);
        machine.write(SIBLINGS, "0,3\n");
        assert_eq!(siblings(&machine.facts()).level, Level::Fail);
        machine.remove(SIBLINGS);
        assert_eq!(siblings(&machine.facts()).level, Level::Unavailable);
    }

    #[test]
    fn only_the_core_of_the_server_needs_to_be_set_aside() {
        let machine = Machine::quiet();
        assert_eq!(isolated(&machine.facts()).level, Level::Pass);
        machine.write("sys/devices/system/cpu/isolated", "1-2\n");
        assert_eq!(isolated(&machine.facts()).level, Level::Warn);
        machine.write("sys/devices/system/cpu/isolated", "\n");
        assert_eq!(isolated(&machine.facts()).value, "none");
        machine.remove("sys/devices/system/cpu/nohz_full");
        assert_eq!(nohz_full(&machine.facts()).level, Level::Unavailable);
        machine.write("proc/cmdline", "rcu_nocbs=0-2\n");
        assert_eq!(rcu_nocbs(&machine.facts()).level, Level::Warn);
    }

    #[test]
    fn mitigations_may_be_on_or_off_but_not_half() {
        let machine = Machine::quiet();
        const FOLDER: &str = "sys/devices/system/cpu/vulnerabilities";
        machine.write(&format!("{FOLDER}/meltdown"), "Mitigation: PTI\n");
        assert_eq!(mitigations(&machine.facts()).level, Level::Pass);
        machine.write(&format!("{FOLDER}/retbleed"), "Vulnerable\n");
        let finding = mitigations(&machine.facts());
        assert_eq!((finding.level, finding.value.as_str()), (Level::Warn, "1 mitigated, 1 open"));
    }

    #[test]
    fn deep_idle_states_are_named_and_polling_ones_pass() {
        let machine = Machine::quiet();
        assert_eq!(idle(&machine.facts()).level, Level::Pass);
        machine.write("sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n");
        assert_eq!(idle(&machine.facts()).level, Level::Warn);
    }

    #[test]
    fn interrupts_are_moved_to_every_core_but_the_servers() {
        let machine = Machine::quiet();
        assert_eq!(interrupts(&machine.facts()).level, Level::Pass);
        machine.write("proc/irq/24/smp_affinity_list", "0-3\n");
        machine.write("proc/irq/24/eth0/x", "");
        let finding = interrupts(&machine.facts());
        assert_eq!(finding.level, Level::Warn);
        assert_eq!(finding.fix, [Write::new("/proc/irq/24/smp_affinity_list", "0,1,2")]);
    }
}
