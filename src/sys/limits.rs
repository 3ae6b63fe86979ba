//! Resource limits of this process.

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
    let wanted = libc::rlimit { rlim_cur: needed, rlim_max: now.hard };
    // SAFETY: `wanted` is initialised and only read.
    Errno::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) })?;
    nofile()
}
