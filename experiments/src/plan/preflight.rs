//! What would make a run fail for certain, said before the first one starts.

use std::fs;

use anyhow::{bail, ensure};
use uring_echo::client;
use uring_echo::server::shell::config::CONNECTIONS_MAX_DEFAULT;
use uring_echo::server::shell::fit;
use uring_echo::sys::limits;

use crate::plan::Run;
use crate::spec::EngineLevel;

/// What a machine has of what every connection takes one of.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Descriptors that a process may have open: its hard limit, up to which both ends raise their own.
    descriptors: u64,
    /// Ports that connections may start from. `None` where the kernel does not tell.
    ports: Option<u64>,
}

/// Checks that this machine has the descriptors and the ports that `runs` need, with a client of `threads` threads.
///
/// # Errors
/// What there is too little of, and how to have more.
pub fn check(runs: &[Run], threads: usize) -> anyhow::Result<()> {
    let file = |name| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
    let ports = port_count(&file("ip_local_port_range"), &file("ip_local_reserved_ports"));
    Room { descriptors: limits::nofile()?.hard, ports }.check(runs, threads)
}

impl Room {
    fn check(self, runs: &[Run], threads: usize) -> anyhow::Result<()> {
        let leave_out = "or leave the larger cells out with --filter";
        let descriptors = |run: &&Run| descriptors_needed(run, threads);
        let Some(most) = runs.iter().max_by_key(descriptors) else { bail!("there is nothing to run") };
        let (needed, hard) = (descriptors(&most), self.descriptors);
        ensure!(
            needed <= hard,
            "{most} needs {needed} descriptors and the hard limit is {hard}: raise it (as root: ulimit -Hn 131072), \
             {leave_out}"
        );
        // The server listens on one, which no connection starts from then.
        let ports_needed = |run: &&Run| run.cell.factors.sockets() as u64 + 1;
        let most = runs.iter().max_by_key(ports_needed).unwrap_or(most);
        if let (needed, Some(ports)) = (ports_needed(&most), self.ports) {
            ensure!(
                needed <= ports,
                "{most} needs {needed} local ports and there are {ports}: have more (as root: sysctl -w \
                 net.ipv4.ip_local_port_range=\"1024 65535\", or fewer in net.ipv4.ip_local_reserved_ports), {leave_out}"
            );
        }
        Ok(())
    }
}

/// Descriptors of the client of `run`, or of its server if that takes more.
fn descriptors_needed(run: &Run, threads: usize) -> u64 {
    let sockets = run.cell.factors.sockets();
    let served = own_connections_max(&run.engine).unwrap_or(sockets);
    client::descriptors_needed(sockets, threads).max(fit::descriptors_needed(served))
}

/// What the server of `run` has to be told of the connections it may have: its option and how many. `None` when it needs no
/// telling.
///
/// Its default is for a machine of ordinary limits and loads. Below such limits it would not start, and connections
/// beyond it would wait for ever.
pub fn connections_max(run: &Run) -> anyhow::Result<Option<[String; 2]>> {
    let Some(option) = &run.engine.program.connections else { return Ok(None) };
    let most = connections_max_within(limits::nofile()?.hard, run);
    Ok(most.map(|most| [option.clone(), most.to_string()]))
}

fn connections_max_within(descriptors: u64, run: &Run) -> Option<usize> {
    let (sockets, default) = (run.cell.factors.sockets(), CONNECTIONS_MAX_DEFAULT as usize);
    let fitting = descriptors.saturating_sub(fit::descriptors_needed(0));
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX).min(default);
    let is_to_tell = own_connections_max(&run.engine).is_none();
    (is_to_tell && (sockets > default || fitting < default)).then_some(fitting.max(sockets))
}

/// The number that the arguments of `level` give themselves.
fn own_connections_max(level: &EngineLevel) -> Option<usize> {
    let option = level.program.connections.as_deref()?;
    let args = level.args.iter();
    let after = args.clone().zip(args.clone().skip(1)).filter(|(arg, _)| *arg == option);
    let joined = args.filter_map(|arg| arg.strip_prefix(option)?.strip_prefix('='));
    after.map(|(_, value)| value.as_str()).chain(joined).next()?.parse().ok()
}

/// Ports in `range` less those `reserved`, both as the kernel writes them. `None` when `range` is none.
pub fn port_count(range: &str, reserved: &str) -> Option<u64> {
    let (first, last) = range.trim().split_once(char::is_whitespace)?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.trim().parse().ok()?);
    let among = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
        Some((to.min(last) + 1).saturating_sub(from.max(first)))
    };
    let reserved: u64 = reserved.trim().split(',').filter_map(among).sum();
    Some((last + 1).saturating_sub(first).saturating_sub(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::spec::{Size, find};

    const PLENTY: Room = Room { descriptors: 1 << 20, ports: Some(60_000) };

    /// The runs of the first look, the first of them with the connections of `factors`.
    fn runs(connections: usize, hogs: usize, idle: usize) -> Vec<Run> {
        let (spec, _) = find("quick", Size::Quick).unwrap().unwrap();
        let mut runs = plan(&spec, 1);
        let factors = &mut runs[0].cell.factors;
        (factors.connections, factors.hogs, factors.idle) = (connections, hogs, idle);
        runs
    }

    fn refusal(room: Room, runs: &[Run]) -> String {
        room.check(runs, 1).unwrap_err().to_string()
    }

    #[test]
    fn a_range_of_ports_counts_both_its_ends_and_not_what_is_reserved_of_it() {
        assert_eq!(port_count("32768\t60999\n", "\n"), Some(28_232));
        assert_eq!(port_count("40000\t40799\n", "40100-40699\n"), Some(200));
        assert_eq!(port_count("40000\t40799\n", "8080,39000-40000,40799,50000-50001\n"), Some(798));
        assert_eq!(port_count("", ""), None);
    }

    #[test]
    fn connections_of_every_kind_and_both_ends_count_against_the_limit_of_descriptors() {
        for (connections, hogs, idle) in [(5000, 0, 0), (8, 4992, 0), (8, 0, 4992)] {
            let runs = runs(connections, hogs, idle);
            assert!(Room { descriptors: 5067, ..PLENTY }.check(&runs, 1).is_ok());
            let error = refusal(Room { descriptors: 5066, ..PLENTY }, &runs);
            assert!(error.contains("needs 5067 descriptors and the hard limit is 5066"), "{error}");
            assert!(error.contains("--filter"), "{error}");
        }
        let mut runs = runs(8, 0, 0);
        runs[1].engine.args = vec!["--max-connections".into(), "9000".into()];
        let error = refusal(Room { descriptors: 9000, ..PLENTY }, &runs);
        assert!(error.contains("needs 9016 descriptors"), "{error}");
    }

    #[test]
    fn the_port_that_the_server_listens_on_is_none_of_the_connections() {
        let runs = runs(600, 0, 0);
        assert!(Room { ports: Some(601), ..PLENTY }.check(&runs, 1).is_ok());
        assert!(Room { ports: None, ..PLENTY }.check(&runs, 1).is_ok());
        let error = refusal(Room { ports: Some(600), ..PLENTY }, &runs);
        assert!(error.contains("needs 601 local ports and there are 600"), "{error}");
        assert!(error.contains("ip_local_reserved_ports"), "{error}");
    }

    #[test]
    fn a_server_is_told_of_its_connections_only_where_its_default_does_not_do() {
        let told = |descriptors, run: &Run| connections_max_within(descriptors, run);
        let mut run = runs(8, 0, 0).swap_remove(0);
        run.engine = EngineLevel::named("epoll").unwrap();
        assert_eq!(told(1 << 20, &run), None);
        assert_eq!(told(4096, &run), Some(4080));
        run.cell.factors.idle = 20_000;
        assert_eq!(told(1 << 20, &run), Some(20_008));
        for own in [vec!["--max-connections", "2"], vec!["--max-connections=2"]] {
            run.engine.args = own.into_iter().map(String::from).collect();
            assert_eq!(told(4096, &run), None);
        }
        run.engine = EngineLevel::named("mio").unwrap();
        assert_eq!(connections_max(&run).unwrap(), None);
    }
}
