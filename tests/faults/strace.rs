//! Errors injected by strace(1): it stops the server at a system call, skips the call and returns the error.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::patience;
use crate::support::server::wait_for_exit;

/// A fault: calls of `syscall` return `errno`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) syscall: &'static str,
    pub(crate) errno: &'static str,
}

/// strace attached to a running server, or wrapped around one from its start.
pub(crate) struct Strace {
    child: Child,
    home: TempDir,
}

impl Strace {
    /// Makes the next `times` calls of `pid` that `fault` is about fail, and returns once that is in force.
    pub(crate) fn attach(pid: u32, fault: Fault, times: usize) -> Self {
        let home = tempfile::tempdir().unwrap();
        let Fault { syscall, errno } = fault;
        let child = Command::new("strace")
            .args(["-qq", "-o"])
            .arg(home.path().join("trace"))
            .arg(format!("--trace={syscall}"))
            .arg(format!("--inject={syscall}:error={errno}:when=1..{times}"))
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("strace is installed");
        let strace = Self { child, home };
        let deadline = Instant::now() + patience();
        while tracer_of(pid) == 0 {
            assert!(Instant::now() < deadline, "strace cannot attach to {pid}: is ptrace allowed here?");
            thread::sleep(Duration::from_millis(1));
        }
        strace
    }

    /// How many calls it has made fail so far.
    pub(crate) fn injected(&self) -> usize {
        read(&self.home.path().join("trace")).matches("(INJECTED)").count()
    }

    /// Waits for strace to end, as it does when the server has.
    pub(crate) fn join(mut self) {
        wait_for_exit(&mut self.child, patience()).expect("strace ends when its tracee does");
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Options that run a program under strace from its start. As a grandchild strace leaves the program its process id.
/// The call number `nth` that `fault` is about fails.
pub(crate) fn from_start(fault: Fault, nth: usize, trace: &Path) -> Vec<String> {
    let Fault { syscall, errno } = fault;
    let inject = format!("--inject={syscall}:error={errno}:when={nth}");
    let trace = trace.to_str().expect("a temporary path is UTF-8");
    ["strace", "-D", "-q", "-o", trace, &format!("--trace={syscall}"), &inject].map(String::from).into()
}

/// What became of a call over the life of a program that strace ran from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Calls {
    /// How often it was called.
    pub(crate) made: usize,
    /// How often it was made to fail.
    pub(crate) failed: usize,
}

/// Reads the trace at `path`, once it is complete: strace writes it on after its program has ended.
pub(crate) fn calls(path: &Path) -> Calls {
    let deadline = Instant::now() + patience();
    loop {
        let trace = read(path);
        if trace.contains("+++ exited") {
            let made = trace.lines().filter(|line| !line.starts_with("+++")).count();
            return Calls { made, failed: trace.matches("(INJECTED)").count() };
        }
        assert!(Instant::now() < deadline, "strace does not finish its trace:\n{trace}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Process id of whoever traces `pid`; 0 if nobody does.
fn tracer_of(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is alive");
    let line =
        status.lines().find_map(|line| line.strip_prefix("TracerPid:")).expect("proc(5) has a TracerPid");
    line.trim().parse().expect("a process id is a number")
}
