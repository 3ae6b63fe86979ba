//! What the machine does right now.

use uring_echo::measure::host::Known;

use super::CheckFn;
use crate::doctor::facts::Facts;
use crate::doctor::finding::{Check, Finding, Level};

pub(super) const CHECKS: &[CheckFn] = &[load_average, pressure, steal, processes, irqbalance, memory, disk];

fn load_average(facts: &Facts) -> Finding {
    let check = Check {
        name: "load",
        why: "what ran in the last minute will run in the next one, too",
        remedy: "wait, or stop what runs",
    };
    check.judge(&facts.load_average, |&load| Level::warn_unless(load < 0.5))
}

fn pressure(facts: &Facts) -> Finding {
    let check = Check {
        name: "psi-cpu",
        why: "tasks wait for a CPU: the two ends will wait like them",
        remedy: "wait, or stop what runs",
    };
    let value = facts.pressure_avg10.clone().map(|percent| format!("{percent} % of the last 10 s"));
    check.judge(&value, |_| Level::warn_unless(facts.pressure_avg10.value().is_some_and(|&p| p < 5.0)))
}

fn steal(facts: &Facts) -> Finding {
    /// From here on a difference between engines drowns, and a tenth of it already shows.
    const DROWNS_PERCENT: f64 = 5.0;
    let check = Check {
        name: "steal",
        why: "time that the hypervisor gave to other guests is part of a core's busy time",
        remedy: "repeat at another time, or use a machine of your own",
    };
    let percent = facts.activity.steal_percent.clone();
    check.judge(&percent.clone().map(|percent| format!("{percent:.1} %")), |_| match percent.value() {
        Some(&percent) if percent >= DROWNS_PERCENT => Level::Fail,
        percent => Level::warn_unless(percent.is_some_and(|&percent| percent < DROWNS_PERCENT / 10.0)),
    })
}

fn processes(facts: &Facts) -> Finding {
    const WORTH_NAMING_PERCENT: f64 = 5.0;
    const HALF_A_CORE_PERCENT: f64 = 50.0;
    const NAMES_MAX: usize = 4;
    let check = Check {
        name: "processes",
        why: "whoever uses a CPU takes it from an end, or its caches and its memory bandwidth",
        remedy: "stop them, or move them off the cores of both ends (taskset -p)",
    };
    let busy: Vec<_> =
        facts.activity.busy.iter().filter(|busy| busy.percent >= WORTH_NAMING_PERCENT).collect();
    let named = busy.iter().take(NAMES_MAX);
    let names: Vec<String> =
        named.map(|busy| format!("{} ({}) {:.0} %", busy.name, busy.pid, busy.percent)).collect();
    let total: f64 = busy.iter().map(|busy| busy.percent).sum();
    match names.is_empty() {
        true => check.judge(&facts.sight.clone().map(|()| "none uses a CPU"), |_| Level::Pass),
        false if total >= HALF_A_CORE_PERCENT => check.found(Level::Fail, names.join(", ")),
        false => check.found(Level::Warn, names.join(", ")),
    }
}

fn irqbalance(facts: &Facts) -> Finding {
    let check = Check {
        name: "irqbalance",
        why: "it moves interrupts between cores, to the server's as well",
        remedy: "systemctl stop irqbalance, or IRQBALANCE_BANNED_CPULIST of it",
    };
    if facts.activity.names.iter().any(|name| name == "irqbalance") {
        return check.found(Level::Warn, "runs");
    }
    check.judge(&facts.sight.clone().map(|()| "does not run"), |_| Level::Pass)
}

fn memory(facts: &Facts) -> Finding {
    /// What the largest experiment may hold in buffers and sockets, and what the smallest needs.
    const PLENTY: u64 = 2 << 30;
    const LITTLE: u64 = 512 << 20;
    let check = Check {
        name: "memory",
        why: "a machine that must reclaim memory does it on the time of whoever asks for some",
        remedy: "stop what holds it, or use a machine with more",
    };
    let free = facts.host.memory.available_bytes.clone().map(|bytes| bytes.0 as u64);
    check.judge(&in_mebibytes(&free), |_| room(&free, PLENTY, LITTLE))
}

fn disk(facts: &Facts) -> Finding {
    const PLENTY: u64 = 2 << 30;
    const LITTLE: u64 = 100 << 20;
    let check = Check {
        name: "disk",
        why: "a recording that does not fit ends in the middle",
        remedy: "free some space, or record elsewhere (--out)",
    };
    check.judge(&in_mebibytes(&facts.disk_free_bytes), |_| room(&facts.disk_free_bytes, PLENTY, LITTLE))
}

fn in_mebibytes(bytes: &Known<u64>) -> Known<String> {
    bytes.clone().map(|bytes| format!("{} MiB", bytes >> 20))
}

fn room(free: &Known<u64>, plenty: u64, little: u64) -> Level {
    match free.value() {
        Some(&free) if free < little => Level::Fail,
        free => Level::warn_unless(free.is_some_and(|&free| free >= plenty)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::activity::Busy;
    use crate::doctor::testing::Machine;
    use uring_echo::units::Bytes;

    #[test]
    fn a_quiet_machine_passes_and_a_busy_one_is_told_from_it() {
        let mut facts = Machine::quiet().facts();
        assert_eq!((load_average(&facts).level, pressure(&facts).level), (Level::Pass, Level::Pass));
        (facts.load_average, facts.pressure_avg10) = (Known::Value(1.5), Known::Value(30.0));
        assert_eq!((load_average(&facts).level, pressure(&facts).level), (Level::Warn, Level::Warn));
    }

    #[test]
    fn steal_warns_before_it_fails() {
        let mut facts = Machine::quiet().facts();
        for (percent, expected) in [(0.1, Level::Pass), (1.0, Level::Warn), (7.0, Level::Fail)] {
            facts.activity.steal_percent = Known::Value(percent);
            assert_eq!(steal(&facts).level, expected, "{percent}");
        }
        facts.activity.steal_percent = Known::unavailable("hidden");
        assert_eq!(steal(&facts).level, Level::Unavailable);
    }

    #[test]
    fn processes_that_burn_are_named_and_idlers_are_not() {
        let mut facts = Machine::quiet().facts();
        let busy = |percent| Busy { pid: 7, name: "build".into(), percent };
        for (percent, expected) in [(1.0, Level::Pass), (20.0, Level::Warn), (90.0, Level::Fail)] {
            facts.activity.busy = vec![busy(percent)];
            assert_eq!(processes(&facts).level, expected, "{percent}");
        }
        assert_eq!(processes(&facts).value, "build (7) 90 %");
    }

    #[test]
    fn nobody_is_said_to_be_idle_whom_the_doctor_cannot_see() {
        let machine = Machine::quiet();
        let levels = |machine: &Machine| {
            let facts = machine.facts();
            (processes(&facts).level, irqbalance(&facts).level)
        };
        assert_eq!(levels(&machine), (Level::Pass, Level::Pass));
        machine.link("proc/self/ns/pid", "pid:[4026531836]");
        assert_eq!(levels(&machine), (Level::Pass, Level::Pass));
        machine.remove("proc/1");
        assert_eq!(levels(&machine), (Level::Unavailable, Level::Unavailable), "hidepid");
        machine.write("proc/1/stat", "1 (sh) S 0");
        machine.link("proc/self/ns/pid", "pid:[4026532177]");
        assert_eq!(levels(&machine), (Level::Unavailable, Level::Unavailable), "a container");
        machine.write("proc/7/stat", "7 (irqbalance) S 1 0 0 0 -1 0 0 0 0 0 1 1 0 0 20");
        let mut facts = machine.facts();
        facts.activity.busy = vec![Busy { pid: 7, name: "irqbalance".into(), percent: 90.0 }];
        assert_eq!(
            (processes(&facts).level, irqbalance(&facts).level),
            (Level::Fail, Level::Warn),
            "it is seen"
        );
    }

    #[test]
    fn a_mover_of_interrupts_is_found_by_its_name() {
        let machine = Machine::quiet();
        assert_eq!(irqbalance(&machine.facts()).level, Level::Pass);
        machine.write("proc/812/stat", "812 (irqbalance) S 1 0 0 0 -1 0 0 0 0 0 1 1 0 0 20");
        assert_eq!(irqbalance(&machine.facts()).level, Level::Warn);
    }

    #[test]
    fn little_room_warns_and_hardly_any_fails() {
        let mut facts = Machine::quiet().facts();
        for (mebibytes, expected) in [(9000, Level::Pass), (700, Level::Warn), (50, Level::Fail)] {
            facts.host.memory.available_bytes = Known::Value(Bytes(mebibytes << 20));
            facts.disk_free_bytes = Known::Value((mebibytes as u64) << 20);
            assert_eq!((memory(&facts).level, disk(&facts).level), (expected, expected), "{mebibytes}");
        }
    }
}
