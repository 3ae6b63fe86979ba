//! Resource limits of this process, and of the machine behind them.

use std::fs;

use rustix::process::{Resource, Rlimit};

use super::Errno;

/// A limit that is none.
pub const UNLIMITED: u64 = u64::MAX;

/// A soft and a hard limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is enforced.
    pub soft: u64,
    /// Up to where an unprivileged process may raise it.
    pub hard: u64,
}

fn get(resource: Resource) -> Limit {
    let Rlimit { current, maximum } = rustix::process::getrlimit(resource);
    Limit { soft: current.unwrap_or(UNLIMITED), hard: maximum.unwrap_or(UNLIMITED) }
}

/// RLIMIT_NOFILE: open descriptors, and the size of an io_uring direct-descriptor table.
///
/// # Errors
/// None on Linux.
pub fn nofile() -> Result<Limit, Errno> {
    Ok(get(Resource::Nofile))
}

/// fs.nr_open: what no process's RLIMIT_NOFILE can be raised above. No limit if nobody says.
pub fn nr_open() -> u64 {
    let text = fs::read_to_string("/proc/sys/fs/nr_open").ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(UNLIMITED)
}

/// Bytes of address space that RLIMIT_AS leaves to this process; [`UNLIMITED`] without such a limit.
pub fn unmapped_bytes() -> u64 {
    let limit = get(Resource::As).soft;
    if limit == UNLIMITED { UNLIMITED } else { limit.saturating_sub(mapped_bytes()) }
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
    let maximum = Some(now.hard.min(nr_open().max(needed))).filter(|&hard| hard != UNLIMITED);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })?;
    nofile()
}
