//! What the first process of a machine asks of its kernel: mounts, limits, reaping, power-off.
//!
//! Two of these calls act on the whole machine: killing every other process and switching the power off. They are
//! methods of [`Init`], which only the process with id 1 can hold, so that no test can reach them.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitStatus};

use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions};
use rustix::system::RebootCommand;

/// Proof that the calling process is the first one of its machine.
#[derive(Debug)]
pub(crate) struct Init(());

/// A child that ended, and how. PID 1 also gets the children that others left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reaped {
    /// Its process id.
    pub(crate) pid: u32,
    /// Exit code or signal.
    pub(crate) status: ExitStatus,
}

impl Init {
    /// The proof, or `None` for any process other than PID 1.
    pub(crate) fn claim() -> Option<Self> {
        (process::id() == 1).then_some(Self(()))
    }

    /// Collects one child that has ended, without waiting; `None` while all of them run. Source: waitpid(2).
    ///
    /// # Errors
    /// ECHILD when there is no child at all.
    pub(crate) fn reap(&self) -> io::Result<Option<Reaped>> {
        Ok(rustix::process::wait(WaitOptions::NOHANG)?.map(|(pid, status)| Reaped {
            pid: pid.as_raw_pid().cast_unsigned(),
            status: ExitStatus::from_raw(status.as_raw()),
        }))
    }

    /// Kills every other process, waits until all are gone and returns how many were collected.
    ///
    /// # Errors
    /// What waitpid(2) says other than ECHILD and EINTR; neither is expected of PID 1.
    pub(crate) fn kill_others(&self) -> io::Result<usize> {
        // To the "group" of PID 1, which kill(2) reads as everybody but the caller; kernel threads ignore signals.
        match rustix::process::kill_process_group(Pid::INIT, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut count = 0;
        loop {
            match rustix::process::wait(WaitOptions::empty()) {
                Ok(_) => count += 1,
                Err(Errno::CHILD) => return Ok(count),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Writes back what is dirty and switches the machine off. Returns only on failure. Source: reboot(2).
    pub(crate) fn power_off(self) -> io::Error {
        rustix::fs::sync();
        let Err(errno) = rustix::system::reboot(RebootCommand::PowerOff) else {
            return io::Error::other("the kernel went on");
        };
        errno.into()
    }
}

/// Mounts a new instance of the file system `kind` (proc, sysfs, devtmpfs, tmpfs) on the directory `target`.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN, ENODEV when the kernel lacks `kind`, ENOENT without `target`, EBUSY when it is mounted there.
pub(crate) fn mount(kind: &str, target: &str) -> io::Result<()> {
    Ok(rustix::mount::mount(kind, target, kind, MountFlags::empty(), None)?)
}

/// Sets the soft and the hard RLIMIT_NOFILE to `limit`, for this process and its children.
///
/// # Errors
/// EPERM when that raises the hard limit without CAP_SYS_RESOURCE, or `limit` is above /proc/sys/fs/nr_open.
pub(crate) fn set_nofile(limit: u64) -> io::Result<()> {
    let both = Rlimit { current: Some(limit), maximum: Some(limit) };
    Ok(rustix::process::setrlimit(Resource::Nofile, both)?)
}

/// Waits until the terminal or serial line `line` has transmitted all that was written to it. Source: tcdrain(3).
///
/// # Errors
/// ENOTTY when `line` is no terminal, EINTR.
pub(crate) fn drain(line: &impl AsFd) -> io::Result<()> {
    Ok(rustix::termios::tcdrain(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_process_but_the_first_can_stop_the_machine() {
        assert!(Init::claim().is_none());
    }

    #[test]
    fn mounting_an_unknown_file_system_is_refused() {
        let error = mount("no-such-file-system", "/").unwrap_err();
        let expected = [Errno::NODEV, Errno::PERM].map(Errno::raw_os_error).map(Some);
        assert!(expected.contains(&error.raw_os_error()), "{error}");
    }

    #[test]
    fn draining_what_is_no_terminal_is_refused() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(drain(&file).unwrap_err().raw_os_error(), Some(Errno::NOTTY.raw_os_error()));
    }
}
