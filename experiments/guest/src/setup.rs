//! Turns a freshly booted kernel into a machine that servers and tests can run on.

use std::fs;

use anyhow::{Context, Result};
use guest::record::Boot;
use uring_echo::cpu_list;
use uring_echo::sys::{affinity, clock};

use crate::{init, loopback};

/// File systems and where they go, in this order: /dev/shm lies inside /dev.
const MOUNTS: [(&str, &str); 5] =
    [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/dev/shm")];

/// Descriptors a process may open: enough for 10,000 connections with both ends in one test, and a direct-descriptor
/// table beside. Below the kernel's default fs.nr_open of 1,048,576.
const NOFILE: u64 = 262_144;

/// Mounts the file systems, brings loopback up, raises the descriptor limit and permits every CPU.
///
/// # Errors
/// Names the operation that the kernel refused.
pub(crate) fn prepare() -> Result<()> {
    for (kind, target) in MOUNTS {
        fs::create_dir_all(target).with_context(|| format!("cannot create {target}"))?;
        init::mount(kind, target).with_context(|| format!("cannot mount {kind} on {target}"))?;
    }
    loopback::bring_up().context("cannot bring the loopback interface up")?;
    init::set_nofile(NOFILE).with_context(|| format!("cannot set RLIMIT_NOFILE to {NOFILE}"))?;
    permit_every_cpu()
}

/// CPUs that isolcpus= set aside are not in the first process's affinity; a step may only use what it inherits.
fn permit_every_cpu() -> Result<()> {
    let cpus: Vec<usize> = (0..online_cpus(&read("/proc/stat")?)).collect();
    affinity::pin(&cpus)
        .map(drop)
        .with_context(|| format!("cannot permit the CPUs {}", cpu_list::written(&cpus)))
}

/// What kernel this is, by its own account.
///
/// # Errors
/// When /proc cannot be read.
pub(crate) fn describe() -> Result<Boot> {
    Ok(Boot {
        release: read("/proc/sys/kernel/osrelease")?,
        version: read("/proc/sys/kernel/version")?,
        command_line: read("/proc/cmdline")?,
        cpus: online_cpus(&read("/proc/stat")?),
        uptime_ns: clock::monotonic(),
    })
}

fn read(path: &str) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(text.trim_end().to_string())
}

/// CPUs with a line of their own in /proc/stat. The affinity of this process would leave isolated ones out.
fn online_cpus(stat: &str) -> usize {
    let numbered = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    stat.lines().filter(numbered).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolated_cpus_are_counted_and_the_sum_is_not() {
        assert_eq!(online_cpus("cpu  1 2\ncpu0 1 2\ncpu1 0 0\nintr 5\n"), 2);
    }
}
