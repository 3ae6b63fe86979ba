//! Kernel parameters that have one good value, or a smallest one.

use uring_echo::measure::host::Known;

use crate::doctor::facts::Facts;
use crate::doctor::finding::{Check, Finding, Level, Write};

/// A kernel parameter, what is wanted of it and why.
pub(super) struct Rule {
    /// Its name for sysctl(8), and that of the check.
    name: &'static str,
    why: &'static str,
    /// What to set it to.
    wanted: &'static str,
    /// The level of its value, whose columns are numbers.
    level: fn(&[u64]) -> Level,
}

/// Length of the servers' accept queue, which the kernel cuts down to the first of its limits.
const BACKLOG: u64 = 1024;

/// Ports that the largest experiment needs: one a connection to the one address of the server.
pub(super) const PORTS_MIN: u64 = 41_000;
/// Ports that the smallest experiment needs.
pub(super) const PORTS_FEW: u64 = 1_000;

/// Pages below which TCP lets sockets grow freely. A stream keeps 128 MiB on its way; they lie in a send and a receive
/// queue, both ways, and are accounted with their overhead.
const TCP_PAGES_MIN: u64 = (512 << 20) / 4096;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "kernel.io_uring_disabled",
        why: "at 2 the kernel refuses every ring, at 1 those of unprivileged users",
        wanted: "0",
        level: |value| match value {
            [0] => Level::Pass,
            [1] => Level::Warn,
            _ => Level::Fail,
        },
    },
    Rule {
        name: "kernel.randomize_va_space",
        why: "fresh processes at random addresses average over layouts; a fixed one measures its own luck",
        wanted: "2",
        level: |value| Level::warn_unless(value == [2]),
    },
    Rule {
        name: "kernel.nmi_watchdog",
        why: "it interrupts every core and takes a hardware counter",
        wanted: "0",
        level: |value| Level::warn_unless(value == [0]),
    },
    Rule {
        name: "kernel.timer_migration",
        why: "timers armed on idle cores move to busy ones, which is where the server runs",
        wanted: "0",
        level: |value| Level::warn_unless(value == [0]),
    },
    Rule {
        name: "kernel.numa_balancing",
        why: "the kernel unmaps pages to see who touches them, and the server takes the faults",
        wanted: "0",
        level: |value| Level::warn_unless(value == [0]),
    },
    Rule {
        name: "net.core.somaxconn",
        why: "it caps the accept queue: connections beyond it are retried after a second",
        wanted: "4096",
        level: |value| Level::warn_unless(value[0] >= BACKLOG),
    },
    Rule {
        name: "net.ipv4.tcp_max_syn_backlog",
        why: "half-open connections beyond it are dropped, and retried after a second",
        wanted: "4096",
        level: |value| Level::warn_unless(value[0] >= BACKLOG),
    },
    Rule {
        name: "net.ipv4.ip_local_port_range",
        why: "each connection to the server takes a port of the client",
        wanted: "1024 65535",
        level: |value| match ports(value) {
            count if count < PORTS_FEW => Level::Fail,
            count => Level::warn_unless(count >= PORTS_MIN),
        },
    },
    Rule {
        name: "net.ipv4.tcp_tw_reuse",
        why: "ports of ended runs stay taken for a minute unless they may be used again (2: on loopback)",
        wanted: "2",
        level: |value| Level::warn_unless(value[0] >= 1),
    },
    Rule {
        name: "net.ipv4.tcp_mem",
        why: "above its second value the kernel drops segments, on loopback too, and connections stall for seconds",
        wanted: "262144 524288 786432",
        level: |value| Level::warn_unless(value.get(1).is_some_and(|&pages| pages >= TCP_PAGES_MIN)),
    },
    Rule {
        name: "net.core.netdev_budget",
        why: "packets handled before the rest is left to ksoftirqd; figures of another value do not compare",
        wanted: "300",
        level: |value| Level::warn_unless(value == [300]),
    },
    Rule {
        name: "net.core.netdev_max_backlog",
        why: "packets queued for a core on loopback; those beyond it are dropped and sent again",
        wanted: "1000",
        level: |value| Level::warn_unless(value[0] >= 1000),
    },
];

/// Ports of a range of two columns, both ends included.
fn ports(range: &[u64]) -> u64 {
    match range {
        [first, last] => (last + 1).saturating_sub(*first),
        _ => 0,
    }
}

impl Rule {
    pub(super) fn judge(&self, facts: &Facts) -> Finding {
        let Self { name, why, wanted, level } = *self;
        let check = Check { name, why, remedy: "" };
        let absent = || Known::unavailable("not looked at");
        let text = facts.host.sysctls.get(name).cloned().unwrap_or_else(absent);
        let columns = text.value().map(|text| numbers(text));
        let mut finding = match columns {
            Some(None) => check.found(Level::Unavailable, format!("{text}, which is not in numbers")),
            Some(Some(columns)) => check.judge(&text, |_| level(&columns)),
            None => check.judge(&text, |_| Level::Pass),
        };
        finding.remedy = format!("sysctl -w {name}=\"{wanted}\"");
        finding.mended_by([Write::new(format!("/proc/sys/{}", name.replace('.', "/")), wanted)])
    }
}

/// The columns of a value; never empty.
fn numbers(text: &str) -> Option<Vec<u64>> {
    let columns: Vec<u64> = text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    (!columns.is_empty()).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;

    /// The level of `name` at `value`.
    fn level(name: &str, value: &str) -> Level {
        let rule = RULES.iter().find(|rule| rule.name == name).unwrap();
        (rule.level)(&numbers(value).unwrap())
    }

    #[test]
    fn the_value_that_a_rule_wants_passes_it() {
        for rule in RULES {
            assert_eq!(level(rule.name, rule.wanted), Level::Pass, "{}", rule.name);
        }
    }

    #[test]
    fn every_rule_is_about_a_parameter_that_records_hold() {
        let host = Machine::quiet().facts().host;
        let missing = RULES.iter().filter(|rule| !host.sysctls.contains_key(rule.name));
        assert_eq!(missing.map(|rule| rule.name).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn a_value_that_bends_warns_and_one_that_breaks_fails() {
        for (name, value, expected) in [
            ("kernel.io_uring_disabled", "1", Level::Warn),
            ("kernel.io_uring_disabled", "2", Level::Fail),
            ("kernel.randomize_va_space", "0", Level::Warn),
            ("kernel.nmi_watchdog", "1", Level::Warn),
            ("kernel.timer_migration", "1", Level::Warn),
            ("kernel.numa_balancing", "1", Level::Warn),
            ("net.core.somaxconn", "128", Level::Warn),
            ("net.ipv4.tcp_max_syn_backlog", "512", Level::Warn),
            ("net.ipv4.ip_local_port_range", "32768 60999", Level::Warn),
            ("net.ipv4.ip_local_port_range", "60000 60100", Level::Fail),
            ("net.ipv4.tcp_tw_reuse", "0", Level::Warn),
            ("net.ipv4.tcp_mem", "10000 20000 30000", Level::Warn),
            ("net.core.netdev_budget", "64", Level::Warn),
            ("net.core.netdev_max_backlog", "100", Level::Warn),
        ] {
            assert_eq!(level(name, value), expected, "{name} = {value}");
        }
    }

    #[test]
    fn a_parameter_in_an_unknown_form_is_not_judged() {
        let machine = Machine::quiet();
        let rule = RULES.iter().find(|rule| rule.name == "kernel.nmi_watchdog").unwrap();
        machine.write("proc/sys/kernel/nmi_watchdog", "often\n");
        assert_eq!(rule.judge(&machine.facts()).level, Level::Unavailable);
        machine.remove("proc/sys/kernel/nmi_watchdog");
        assert_eq!(rule.judge(&machine.facts()).level, Level::Unavailable);
        machine.write("proc/sys/kernel/nmi_watchdog", "1\n");
        assert_eq!(rule.judge(&machine.facts()).fix, [Write::new("/proc/sys/kernel/nmi_watchdog", "0")]);
    }
}
