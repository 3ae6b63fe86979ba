//! What would make a run fail for certain, said before the first one starts.

use std::fs;

use anyhow::{bail, ensure};
use uring_echo::sys::limits;

use crate::plan::Run;

/// Descriptors of a client or a server that are no connections.
const DESCRIPTORS_BESIDE: u64 = 128;

/// Checks that this machine has the descriptors and the ports that `runs` need.
///
/// # Errors
/// What there is too little of, and how to have more.
pub fn check(runs: &[Run]) -> anyhow::Result<()> {
    let Some(largest) = runs.iter().max_by_key(|run| run.cell.factors.sockets()) else {
        bail!("there is nothing to run");
    };
    let sockets = largest.cell.factors.sockets() as u64;
    let leave_out = "or leave the larger cells out with --filter";
    let hard = limits::nofile()?.hard;
    ensure!(
        sockets + DESCRIPTORS_BESIDE <= hard,
        "{} needs {} descriptors and the hard limit is {hard}: raise it (as root: ulimit -Hn 131072), {leave_out}",
        largest.cell.factors,
        sockets + DESCRIPTORS_BESIDE
    );
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    if let Some(ports) = port_count(&range) {
        ensure!(
            sockets <= ports,
            "{} needs {sockets} local ports and there are {ports}: have more (as root: sysctl -w \
             net.ipv4.ip_local_port_range=\"1024 65535\"), {leave_out}",
            largest.cell.factors
        );
    }
    Ok(())
}

/// Ports in a range as the kernel writes it.
fn port_count(range: &str) -> Option<u64> {
    let (first, last) = range.trim().split_once(char::is_whitespace)?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.trim().parse().ok()?);
    Some((last + 1).saturating_sub(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::spec::{Size, find};

    #[test]
    fn a_range_of_ports_counts_both_its_ends() {
        assert_eq!(port_count("32768\t60999\n"), Some(28_232));
        assert_eq!(port_count(""), None);
    }

    #[test]
    fn more_connections_than_descriptors_are_refused_before_the_start() {
        let (spec, _) = find("quick", Size::Quick).unwrap().unwrap();
        let mut runs = plan(&spec, 1);
        assert!(check(&runs).is_ok());
        runs[0].cell.factors.idle = usize::try_from(limits::nofile().unwrap().hard).unwrap();
        let error = check(&runs).unwrap_err().to_string();
        assert!(error.contains("hard limit") && error.contains("--filter"), "{error}");
    }
}
