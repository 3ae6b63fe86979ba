//! Resource limits of this process, and of the machine behind them.

use std::fs;

use super::Errno;

/// A soft and a hard limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is enforced.
    pub soft: u64,
    /// Up to where an unprivileged process may raise it.
    pub hard: u64,
}

fn get(resource: libc::__rlimit_resource_t) -> Result<Limit, Errno> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for the kernel to fill.
    Errno::check(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    Ok(Limit { soft: limit.rlim_cur, hard: limit.rlim_max })
}

/// RLIMIT_NOFILE: open descriptors, and the size of an io_uring direct-descriptor table.
///
/// # Errors
/// None on Linux.
pub fn nofile() -> Result<Limit, Errno> {
    get(libc::RLIMIT_NOFILE)
}

/// RLIMIT_MEMLOCK in bytes: before Linux 5.12 it bounds io_uring's rings.
///
/// # Errors
/// None on Linux.
pub fn memlock() -> Result<Limit, Errno> {
    get(libc::RLIMIT_MEMLOCK)
}

/// fs.nr_open: what no process's RLIMIT_NOFILE can be raised above. No limit if nobody says.
pub fn nr_open() -> u64 {
    let text = fs::read_to_string("/proc/sys/fs/nr_open").ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
}

/// Bytes of address space that RLIMIT_AS leaves to this process; `u64::MAX` without such a limit.
pub fn unmapped_bytes() -> u64 {
    let limit = get(libc::RLIMIT_AS).map_or(libc::RLIM_INFINITY, |limit| limit.soft);
    if limit == libc::RLIM_INFINITY { u64::MAX } else { limit.saturating_sub(mapped_bytes()) }
}

fn mapped_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Raises the soft RLIMIT_NOFILE to at least `needed` if the hard limit allows it; returns the limit in force.
///
/// # Errors
/// EMFILE when the hard limit is below `needed`.
pub fn raise_nofile(needed: u64) -> Result<Limit, Errno> {
    let now = nofile()?;
    if now.soft >= needed {
        return Ok(now);
    }
    if now.hard < needed {
        return Err(Errno(libc::EMFILE));
    }
    // A hard limit above fs.nr_open, left from a time when that was higher, is refused even if it stays as it is.
    let wanted = libc::rlimit { rlim_cur: needed, rlim_max: now.hard.min(nr_open().max(needed)) };
    // SAFETY: `wanted` is initialised and only read.
    Errno::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) })?;
    nofile()
}
