//! How many system calls another process makes, counted by the kernel: perf_event_open(2) on the tracepoint
//! raw_syscalls:sys_enter.
//!
//! While it counts, every system call of that process passes the tracepoint and costs more: a run that counts is no run
//! to time.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Mutex;

use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use super::Errno;

/// The tracepoint's number below the root of a tracefs.
const ID: &str = "events/raw_syscalls/sys_enter/id";

/// Where a tracefs is mounted, if it is.
const MOUNTED: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// The first version of `struct perf_event_attr`, which every kernel takes. Source: `linux/perf_event.h`.
#[repr(C)]
#[derive(Default)]
struct PerfEventAttr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    config1: u64,
}

const PERF_TYPE_TRACEPOINT: u32 = 2;
/// Bit of `flags`: threads and processes that are begun later count, too.
const INHERIT: u64 = 1 << 1;

/// Counts the system calls of a process and of all that it begins from now on.
#[derive(Debug)]
pub struct SyscallCounter {
    /// One for each thread that there was.
    threads: Vec<Mutex<fs::File>>,
}

impl SyscallCounter {
    /// Counts from now on those of process `pid`.
    ///
    /// # Errors
    /// What the kernel refused, in words, and what it takes.
    pub fn attach(pid: u32) -> Result<Self, String> {
        let id = tracepoint()?;
        let cause = |cause: String| format!("cannot count the system calls of process {pid}: {cause}");
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| cause(error.to_string()))?;
        let tids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse::<i32>().ok());
        let open =
            |tid| open(id, tid).map_err(|error| cause(format!("{error}; it takes root or CAP_PERFMON")));
        Ok(Self { threads: tids.map(open).collect::<Result<_, _>>()? })
    }

    /// System calls so far.
    ///
    /// # Errors
    /// When a counter cannot be read.
    pub fn count(&self) -> io::Result<u64> {
        let one = |file: &Mutex<fs::File>| {
            let mut value = [0; 8];
            file.lock().unwrap_or_else(|broken| broken.into_inner()).read_exact(&mut value)?;
            Ok(u64::from_ne_bytes(value))
        };
        self.threads.iter().map(one).sum()
    }
}

fn open(tracepoint: u64, tid: i32) -> Result<Mutex<fs::File>, Errno> {
    let attr = PerfEventAttr {
        kind: PERF_TYPE_TRACEPOINT,
        size: size_of::<PerfEventAttr>() as u32,
        config: tracepoint,
        flags: INHERIT,
        ..PerfEventAttr::default()
    };
    const ANY_CPU: i32 = -1;
    const NO_GROUP: i32 = -1;
    const CLOSE_ON_EXEC: libc::c_ulong = 1 << 3;
    // SAFETY: the kernel reads `size` bytes of `attr`, which lives until the call returns and is laid out as version 0 of
    // the structure is. The call writes to no memory of ours.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attr, tid, ANY_CPU, NO_GROUP, CLOSE_ON_EXEC)
    };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(Errno::last)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(Mutex::new(fs::File::from(fd)))
}

/// The tracepoint's number: from a tracefs that is mounted, else from one that is mounted nowhere and goes with its
/// descriptor.
fn tracepoint() -> Result<u64, String> {
    let mounted = MOUNTED.iter().find_map(|root| fs::read_to_string(format!("{root}/{ID}")).ok());
    let text = mounted.map_or_else(detached, Ok).map_err(|error| {
        format!("cannot count system calls: tracefs has no raw_syscalls: {error}; it takes root and a kernel with CONFIG_FTRACE_SYSCALLS")
    })?;
    text.trim()
        .parse()
        .map_err(|_| format!("cannot count system calls: {ID} of tracefs says '{}'", text.trim()))
}

fn detached() -> io::Result<String> {
    let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let root = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)?;
    let mut text = String::new();
    fs::File::from(openat(&root, ID, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// A shell that makes some system calls, begins a process that makes more, and waits until it is told to end.
    #[test]
    fn calls_of_a_process_and_of_its_children_are_counted_and_others_are_not() {
        let mut shell = Command::new("sh")
            .args([
                "-c",
                "read go; dd if=/dev/zero of=/dev/null bs=1 count=5000 2>/dev/null; echo done; read end",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let counter = match SyscallCounter::attach(shell.id()) {
            Ok(counter) => counter,
            Err(cause) => {
                shell.kill().and_then(|()| shell.wait()).unwrap();
                assert!(!rustix::process::geteuid().is_root(), "{cause}");
                return eprintln!("skipped: {cause}");
            }
        };
        let idle = counter.count().unwrap();
        for _ in 0..10_000 {
            let _ = rustix::process::getppid();
        }
        assert_eq!(counter.count().unwrap(), idle, "our own calls do not count");
        use std::io::Write;
        let mut input = shell.stdin.take().unwrap();
        input.write_all(b"go\n").unwrap();
        let mut done = [0; 5];
        shell.stdout.as_mut().unwrap().read_exact(&mut done).unwrap();
        let made = counter.count().unwrap() - idle;
        assert!(
            (10_000..11_000).contains(&made),
            "5000 reads, 5000 writes and what it takes to begin: {made}"
        );
        drop(input);
        shell.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_gone_is_told() {
        let cause = SyscallCounter::attach(u32::MAX >> 1).unwrap_err();
        assert!(cause.contains("cannot count"), "{cause}");
    }
}
