//! Other processes: sending a signal, by pid, to one that the caller was given.

use super::Errno;

/// Sends SIGUSR1, which a server answers with a snapshot.
///
/// # Errors
/// ESRCH when the process is gone, EPERM when it belongs to someone else.
pub fn request_snapshot(pid: u32) -> Result<(), Errno> {
    send(pid, libc::SIGUSR1)
}

/// Sends SIGTERM.
///
/// # Errors
/// ESRCH when the process is gone, EPERM when it belongs to someone else.
pub fn terminate(pid: u32) -> Result<(), Errno> {
    send(pid, libc::SIGTERM)
}

fn send(pid: u32, signal: i32) -> Result<(), Errno> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| Errno(libc::ESRCH))?;
    // kill(2) gives 0 and negative ids the meaning of process groups.
    if pid <= 0 {
        return Err(Errno(libc::ESRCH));
    }
    // SAFETY: kill takes two integers and touches no memory of ours.
    Errno::check(unsafe { libc::kill(pid, signal) }).map(drop)
}
