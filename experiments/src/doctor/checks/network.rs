//! The loopback device, through which every measured byte goes.

use uring_echo::measure::host::Known;

use super::CheckFn;
use super::sysctl::{PORTS_FEW, PORTS_MIN};
use crate::doctor::facts::Facts;
use crate::doctor::finding::{Check, Finding, Level, Write};

pub(super) const CHECKS: &[CheckFn] = &[mtu, offloads, reserved_ports];

/// What the kernel gives the device, and what published figures were made with.
const LOOPBACK_MTU_BYTES: u32 = 65_536;

fn mtu(facts: &Facts) -> Finding {
    let check = Check {
        name: "lo-mtu",
        why: "a smaller one cuts a message into more packets: more work a byte, for both engines",
        remedy: "ip link set dev lo mtu 65536",
    };
    check
        .judge(&facts.host.loopback.mtu_bytes, |&mtu| Level::warn_unless(mtu == LOOPBACK_MTU_BYTES))
        .mended_by([Write::new("/sys/class/net/lo/mtu", LOOPBACK_MTU_BYTES.to_string())])
}

fn offloads(facts: &Facts) -> Finding {
    let check = Check {
        name: "lo-offloads",
        why: "without segmentation offload each packet climbs the stack alone; by default all are on",
        remedy: "ethtool -k lo shows them, ethtool -K lo tso on gso on gro on sets them",
    };
    check.judge(&facts.host.loopback.offloads, |text| Level::warn_unless(!text.contains("off")))
}

fn reserved_ports(facts: &Facts) -> Finding {
    let check = Check {
        name: "reserved-ports",
        why: "a port of the range that is reserved is none that a connection to the server gets",
        remedy: "empty net.ipv4.ip_local_reserved_ports, or widen net.ipv4.ip_local_port_range",
    };
    let value = facts.ports.clone().map(|[all, free]| format!("{} of the range's {all}", all - free));
    check.judge(&value, |_| match facts.ports {
        Known::Value([all, free]) if all == free || free >= PORTS_MIN => Level::Pass,
        Known::Value([_, free]) if free < PORTS_FEW => Level::Fail,
        _ => Level::Warn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;

    #[test]
    fn reserved_ports_are_taken_from_the_range() {
        let machine = Machine::quiet();
        let judge = |reserved: &str| {
            machine.write("proc/sys/net/ipv4/ip_local_reserved_ports", reserved);
            let finding = reserved_ports(&machine.facts());
            (finding.level, finding.value)
        };
        assert_eq!(judge("\n"), (Level::Pass, "0 of the range's 64512".into()));
        assert_eq!(judge("80,9919\n"), (Level::Pass, "1 of the range's 64512".into()));
        assert_eq!(judge("2000-39999\n"), (Level::Warn, "38000 of the range's 64512".into()));
        assert_eq!(judge("1024-65000\n"), (Level::Fail, "63977 of the range's 64512".into()));
    }

    #[test]
    fn another_packet_size_than_the_kernels_is_put_back() {
        let machine = Machine::quiet();
        assert_eq!(mtu(&machine.facts()).level, Level::Pass);
        machine.write("sys/class/net/lo/mtu", "1500\n");
        assert_eq!(mtu(&machine.facts()).fix, [Write::new("/sys/class/net/lo/mtu", "65536")]);
    }

    #[test]
    fn an_offload_that_is_off_is_pointed_out() {
        let mut facts = Machine::quiet().facts();
        facts.host.loopback.offloads = Known::Value("tso=on gso=on gro=on".into());
        assert_eq!(offloads(&facts).level, Level::Pass);
        facts.host.loopback.offloads = Known::Value("tso=off gso=on gro=on".into());
        assert_eq!(offloads(&facts).level, Level::Warn);
    }
}
