//! Other processes: starting one that cannot outlive us, and sending a signal, by pid, to one we were given.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{io, mem, process, ptr};

use super::Errno;

/// Has the child of `command` start with no signal blocked, out of reach of the terminal's Ctrl-C, and die with us.
///
/// A child inherits the signal mask, and one that does not know about it would never see a SIGTERM. It gets a
/// process group of its own because ending it is its parent's business, and SIGKILL when the thread that starts it
/// ends, even by SIGKILL itself: start it from the main thread. Source: prctl(2) PR_SET_PDEATHSIG.
pub fn tie_to_parent(command: &mut Command) -> &mut Command {
    let parent = process::id();
    // SAFETY: between fork and exec only async-signal-safe functions may run (signal-safety(7)). The closure calls
    // sigemptyset, pthread_sigmask, which that list holds, and prctl and getppid, which are bare system calls; it
    // allocates nothing and takes no lock.
    unsafe { command.process_group(0).pre_exec(move || tie_this_process_to(parent)) }
}

fn tie_this_process_to(parent: u32) -> io::Result<()> {
    // SAFETY: sigset_t is plain integers, for which zero is valid.
    let mut none: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: `none` is valid for the call to write.
    unsafe { libc::sigemptyset(&raw mut none) };
    // SAFETY: `none` is initialised; a null old set is not written.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) };
    // SAFETY: the call takes two integers.
    Errno::check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // SAFETY: the call takes nothing. A parent that died before the prctl would never be noticed by it.
    if unsafe { libc::getppid() }.cast_unsigned() == parent { Ok(()) } else { Err(Errno(libc::ESRCH).into()) }
}

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

pub(super) fn send(pid: u32, signal: i32) -> Result<(), Errno> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| Errno(libc::ESRCH))?;
    // kill(2) gives 0 and negative ids the meaning of process groups.
    if pid <= 0 {
        return Err(Errno(libc::ESRCH));
    }
    // SAFETY: kill takes two integers and touches no memory of ours.
    Errno::check(unsafe { libc::kill(pid, signal) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_child_of_a_parent_that_blocks_sigterm_still_dies_of_it() {
        let _blocked = crate::sys::signal::Signals::open().unwrap();
        let mut child = tie_to_parent(Command::new("sleep").arg("60")).spawn().unwrap();
        terminate(child.id()).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
    }

    #[test]
    fn a_child_dies_with_the_thread_that_started_it() {
        let starter = || tie_to_parent(Command::new("sleep").arg("60")).spawn().unwrap();
        let mut child = std::thread::spawn(starter).join().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
}
