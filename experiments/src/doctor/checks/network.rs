//! The loopback device, through which every measured byte goes.

use super::CheckFn;
use crate::doctor::facts::Facts;
use crate::doctor::finding::{Check, Finding, Level, Write};

pub(super) const CHECKS: &[CheckFn] = &[mtu, offloads];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;
    use uring_echo::measure::host::Known;

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
