//! Other processes: starting one that cannot outlive us, and sending a signal, by pid, to one we were given.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{io, mem, process, ptr};

use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::Errno;
use super::limits::Limit;

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
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A parent that died before that would never be noticed by it.
    let is_there = rustix::process::getppid().map(Pid::as_raw_pid) == Some(parent.cast_signed());
    if is_there { Ok(()) } else { Err(Errno(libc::ESRCH).into()) }
}

/// Has the child of `command` start under `limits`, whichever differ from ours.
pub fn limit_child(command: &mut Command, limits: ChildLimits) -> &mut Command {
    let set_limits = move || {
        for (resource, limit) in limits.all() {
            let Some(Limit { soft, hard }) = limit else { continue };
            rustix::process::setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe functions may run (signal-safety(7)). The closure makes bare
    // system calls; it allocates nothing and takes no lock, and what it captured is plain integers.
    unsafe { command.pre_exec(set_limits) }
}

/// What a child process starts under, where it differs from its parent.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChildLimits {
    /// RLIMIT_NOFILE.
    pub nofile: Option<Limit>,
    /// RLIMIT_MEMLOCK in bytes.
    pub memlock: Option<Limit>,
    /// RLIMIT_AS in bytes.
    pub address_space: Option<Limit>,
}

impl ChildLimits {
    const fn all(self) -> [(Resource, Option<Limit>); 3] {
        [
            (Resource::Nofile, self.nofile),
            (Resource::Memlock, self.memlock),
            (Resource::As, self.address_space),
        ]
    }
}

/// Sends SIGUSR1, which a server answers with a snapshot.
///
/// # Errors
/// ESRCH when the process is gone, EPERM when it belongs to someone else.
pub fn request_snapshot(pid: u32) -> Result<(), Errno> {
    send(pid, Signal::USR1)
}

/// Sends SIGTERM.
///
/// # Errors
/// ESRCH when the process is gone, EPERM when it belongs to someone else.
pub fn terminate(pid: u32) -> Result<(), Errno> {
    send(pid, Signal::TERM)
}

/// Sends SIGKILL to all that is left of the process group `group`, which a child of ours has led.
///
/// # Errors
/// ESRCH when nothing is left, which is the usual case.
pub fn kill_group(group: u32) -> Result<(), Errno> {
    let group = i32::try_from(group).ok().and_then(Pid::from_raw).ok_or(Errno(libc::ESRCH))?;
    Ok(rustix::process::kill_process_group(group, Signal::KILL)?)
}

fn send(pid: u32, signal: Signal) -> Result<(), Errno> {
    // kill(2) gives 0 and negative ids the meaning of process groups.
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno(libc::ESRCH))?;
    Ok(rustix::process::kill_process(pid, signal)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

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

    #[test]
    fn a_child_has_the_limits_that_it_was_given() {
        let limits = ChildLimits { nofile: Some(Limit { soft: 77, hard: 78 }), ..ChildLimits::default() };
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -Sn; ulimit -Hn"]).stdout(Stdio::piped());
        let output = limit_child(&mut command, limits).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.stdout, b"77\n78\n");
    }
}
