//! What the first process of a machine does: mounts, the loopback interface, reaping, power-off.
//!
//! Two of these calls act on the whole machine: killing every other process and switching the power off. They are
//! methods of [`Init`], which only the process with id 1 can hold, so that no test and no server can reach them.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitStatus};

use super::Errno;

/// Proof that the calling process is the first one of its machine.
#[derive(Debug)]
pub struct Init(());

/// A child that ended, and how. PID 1 also gets the children that others left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    /// Its process id.
    pub pid: u32,
    /// Exit code or signal.
    pub status: ExitStatus,
}

impl Init {
    /// The proof, or `None` for any process other than PID 1.
    pub fn claim() -> Option<Self> {
        (process::id() == 1).then_some(Self(()))
    }

    /// Collects one child that has ended, without waiting; `None` while all of them run. Source: waitpid(2).
    ///
    /// # Errors
    /// ECHILD when there is no child at all.
    pub fn reap(&self) -> Result<Option<Reaped>, Errno> {
        wait_any(libc::WNOHANG)
    }

    /// Kills every other process, waits until all are gone and returns how many were collected.
    ///
    /// # Errors
    /// What waitpid(2) says other than ECHILD and EINTR; neither is expected of PID 1.
    pub fn kill_others(&self) -> Result<usize, Errno> {
        // SAFETY: kill takes two integers. -1 spares the caller, and the kernel's own threads ignore signals.
        match Errno::check(unsafe { libc::kill(-1, libc::SIGKILL) }) {
            Ok(_) | Err(Errno(libc::ESRCH)) => {}
            Err(errno) => return Err(errno),
        }
        let mut count = 0;
        loop {
            match wait_any(0) {
                Ok(_) => count += 1,
                Err(Errno(libc::ECHILD)) => return Ok(count),
                Err(errno) if errno.interrupted() => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Writes back what is dirty and switches the machine off. Returns only on failure. Source: reboot(2).
    pub fn power_off(self) -> Errno {
        // SAFETY: sync takes nothing and cannot fail.
        unsafe { libc::sync() };
        // SAFETY: reboot takes one integer; `self` proves that this machine is ours to stop.
        unsafe { libc::reboot(libc::RB_POWER_OFF) };
        Errno::last()
    }
}

fn wait_any(flags: i32) -> Result<Option<Reaped>, Errno> {
    let mut status = 0;
    // SAFETY: `status` is valid for the kernel to fill.
    let pid = Errno::check(unsafe { libc::waitpid(-1, &raw mut status, flags) })?;
    let status = ExitStatus::from_raw(status);
    Ok((pid > 0).then(|| Reaped { pid: pid.cast_unsigned(), status }))
}

/// Mounts a new instance of the file system `kind` (proc, sysfs, devtmpfs, tmpfs) on the directory `target`.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN, ENODEV when the kernel lacks `kind`, ENOENT without `target`, EBUSY when it is mounted there.
pub fn mount(kind: &str, target: &str) -> io::Result<()> {
    let (kind, target) = (CString::new(kind)?, CString::new(target)?);
    // SAFETY: the three strings end in NUL and outlive the call; a null `data` means no options.
    let result = unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), 0, std::ptr::null()) };
    Ok(Errno::check(result).map(drop)?)
}

/// Brings the loopback interface up; the kernel then gives it 127.0.0.1 and ::1. Source: netdevice(7).
///
/// # Errors
/// EPERM without CAP_NET_ADMIN, ENODEV when there is no `lo`.
pub fn bring_up_loopback() -> Result<(), Errno> {
    // SAFETY: the call takes three integers.
    let fd = Errno::check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: socket just returned this descriptor and nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut request = loopback_request();
    // SAFETY: SIOCGIFFLAGS reads the name in `request` and writes the flags within it.
    Errno::check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) })?;
    // SAFETY: every byte of the union was initialised, and any bit pattern is a valid integer.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | libc::IFF_UP as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads the name and the flags in `request`.
    Errno::check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }).map(drop)
}

fn loopback_request() -> libc::ifreq {
    // SAFETY: ifreq is integers, addresses and pointers that nobody follows here; zero is valid for all.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request
}

/// Sets the soft and the hard RLIMIT_NOFILE to `limit`, for this process and its children.
///
/// # Errors
/// EPERM when that raises the hard limit without CAP_SYS_RESOURCE, or `limit` is above /proc/sys/fs/nr_open.
pub fn set_nofile(limit: u64) -> Result<(), Errno> {
    let wanted = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: `wanted` is initialised and only read.
    Errno::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) }).map(drop)
}

/// Waits until the terminal or serial line `line` has transmitted all that was written to it. Source: tcdrain(3).
///
/// # Errors
/// ENOTTY when `line` is no terminal, EINTR.
pub fn drain(line: &impl AsFd) -> Result<(), Errno> {
    // SAFETY: the call takes one integer, a descriptor that is open for as long as the borrow lasts.
    Errno::check(unsafe { libc::tcdrain(line.as_fd().as_raw_fd()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_process_but_the_first_can_stop_the_machine() {
        assert!(Init::claim().is_none());
    }

    #[test]
    fn bringing_up_a_loopback_that_is_up_succeeds_or_wants_privilege() {
        let outcome = bring_up_loopback();
        assert!(matches!(outcome, Ok(()) | Err(Errno(libc::EPERM))), "{outcome:?}");
    }

    #[test]
    fn mounting_an_unknown_file_system_is_refused() {
        let error = mount("no-such-file-system", "/").unwrap_err();
        assert!(matches!(error.raw_os_error(), Some(libc::ENODEV | libc::EPERM)), "{error}");
    }

    #[test]
    fn draining_what_is_no_terminal_is_refused() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(drain(&file), Err(Errno(libc::ENOTTY)));
    }
}
