//! Turns a freshly booted kernel into a machine that servers and tests can run on.

use std::{fs, thread};

use anyhow::{Context, Result};
use guest::record::Boot;
use uring_echo::sys::{boot, clock};

/// File systems and where they go, in this order: /dev/shm lies inside /dev.
const MOUNTS: [(&str, &str); 5] =
    [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/dev/shm")];

/// Descriptors a process may open: enough for 10,000 connections with both ends in one test, and a direct-descriptor
/// table beside. Below the kernel's default fs.nr_open of 1,048,576.
const NOFILE: u64 = 262_144;

/// Mounts the file systems, brings loopback up and raises the descriptor limit.
///
/// # Errors
/// Names the operation that the kernel refused.
pub(crate) fn prepare() -> Result<()> {
    for (kind, target) in MOUNTS {
        fs::create_dir_all(target).with_context(|| format!("cannot create {target}"))?;
        boot::mount(kind, target).with_context(|| format!("cannot mount {kind} on {target}"))?;
    }
    boot::bring_up_loopback().context("cannot bring the loopback interface up")?;
    boot::set_nofile(NOFILE).with_context(|| format!("cannot set RLIMIT_NOFILE to {NOFILE}"))
}

/// What kernel this is, by its own account.
///
/// # Errors
/// When /proc cannot be read.
pub(crate) fn describe() -> Result<Boot> {
    let read = |path: &str| {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        anyhow::Ok(text.trim_end().to_string())
    };
    Ok(Boot {
        release: read("/proc/sys/kernel/osrelease")?,
        version: read("/proc/sys/kernel/version")?,
        command_line: read("/proc/cmdline")?,
        cpus: thread::available_parallelism().map_or(1, usize::from),
        uptime_ns: clock::monotonic(),
    })
}
