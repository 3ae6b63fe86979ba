//! System calls that fail where they hardly ever do: strace(1) returns an error instead of making the call.
//!
//! While serving, a fault may cost the connection it hit, and nothing else: no panic, no hang, no byte of another
//! connection, and the server goes on. At start-up every call that fails is a refusal in one line.

#[path = "faults/strace.rs"]
mod strace;
#[allow(dead_code, unused_imports, reason = "the suites beside this one use the rest")]
#[path = "conformance/support/mod.rs"]
mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use uring_echo::sys::process;

use strace::{Fault, Strace};
use support::fleet::{Fleet, SocketBuffers};
use support::{Engine, Launch, Server, patience};

/// How often each call fails in a row.
const TIMES: usize = 20;

/// What a lack of resources, a signal or a false alarm looks like.
const ERRNOS: [&str; 5] = ["EINTR", "EAGAIN", "ENOMEM", "ENOBUFS", "EMFILE"];

/// Whether a connection may be lost to `fault`. A signal or a call to be repeated is no such reason, but where the
/// manual knows neither.
fn may_cost_a_connection(fault: Fault) -> bool {
    fault.syscall == "epoll_ctl" || !matches!(fault.errno, "EINTR" | "EAGAIN")
}

/// Lets `syscall` fail in each way under load: every connection gets exact bytes, or a prefix of them if it may be cut.
fn survives(engine: Engine, syscall: &'static str, errnos: &[&'static str]) {
    for &errno in errnos {
        let fault = Fault { syscall, errno };
        println!("{engine:?}: {fault:?}");
        let server = Launch::new(engine).args("--max-connections 256 --drain-ms 1000").start();
        let strace = Strace::attach(server.pid(), fault, TIMES);
        let mut bystander = Fleet::connect(server.addr, 1, SocketBuffers::default()).that_may_be_cut();
        let mut cut = bystander.echo_or_be_cut(1);
        let deadline = Instant::now() + patience();
        while strace.injected() < TIMES && Instant::now() < deadline {
            cut += load(&server);
        }
        assert!(strace.injected() > 0, "{fault:?} never happened");
        assert!(cut == 0 || may_cost_a_connection(fault), "{cut} connections lost to {fault:?}");
        server.assert_serves();
        if cut == 0 {
            bystander.echo(100_000);
            bystander.finish();
        }
        server.stop();
        strace.join();
    }
}

/// Connections that come, echo, block their server for a while, and go; returns how many were cut off.
fn load(server: &Server) -> usize {
    let mut fleet = Fleet::connect(server.addr, 10, SocketBuffers::default()).that_may_be_cut();
    process::request_snapshot(server.pid()).unwrap();
    fleet.send_only(8 << 20);
    fleet.echo_or_be_cut(10_000)
}

/// Makes each call of `syscall` that a server makes until it listens fail, one a start: it must refuse each time and
/// say why in words that contain one of `words`. A strategy with needs asks the kernel for them first: it may say instead that it
/// cannot have one, or have its answer from another call and serve.
fn refuses(engine: Engine, syscall: &'static str, errno: &'static str, words: &[&str]) {
    let fault = Fault { syscall, errno };
    let home = tempfile::tempdir().unwrap();
    let trace = home.path().join("trace");
    // A call far out of reach fails: this start counts the calls.
    Launch::new(engine).under(&strace::from_start(fault, 60_000, &trace)).start().stop();
    let calls = strace::calls(&trace).made;
    let needs = !engine.strategy().needs.is_empty();
    assert!(calls > 0, "{engine:?} never calls {syscall} at start-up");
    for nth in 1..=calls {
        let line = match Launch::new(engine).under(&strace::from_start(fault, nth, &trace)).try_start() {
            Err(line) => line,
            Ok(server) => {
                assert!(needs, "{syscall} {nth} of {calls} failed unnoticed");
                server.assert_serves();
                server.stop();
                assert_eq!(strace::calls(&trace).failed, 1, "call {nth} of {syscall} was not reached");
                continue;
            }
        };
        println!("{engine:?}: {syscall} {nth} of {calls} fails with {errno}: {}", line.trim_end());
        assert_eq!(strace::calls(&trace).failed, 1, "call {nth} of {syscall} was not reached");
        let told = words.iter().any(|word| line.contains(word)) || needs && line.contains("cannot have");
        assert!(told, "none of {words:?} is in: {line}");
    }
}

/// Tests of faults while serving: a name, the engine, the call, how it fails.
macro_rules! while_serving {
    ($($name:ident: $engine:ident, $syscall:literal, $errnos:expr;)+) => {$(
        #[test]
        #[ignore = "needs strace"]
        fn $name() {
            support::alone(|| survives(Engine::$engine, $syscall, $errnos));
        }
    )+};
}

while_serving! {
    epoll_survives_a_failing_accept4: Epoll, "accept4", &[&ERRNOS[..], &["ECONNABORTED", "ENFILE", "EPROTO"]].concat();
    epoll_survives_a_failing_recvfrom: Epoll, "recvfrom", &ERRNOS;
    epoll_survives_a_failing_sendto: Epoll, "sendto", &ERRNOS;
    epoll_survives_a_failing_epoll_wait: Epoll, "epoll_wait", &ERRNOS;
    epoll_survives_a_failing_epoll_ctl: Epoll, "epoll_ctl", &ERRNOS;
    epoll_survives_a_failing_read_of_its_signals: Epoll, "read", &ERRNOS;
    uring_survives_a_failing_io_uring_enter: Uring, "io_uring_enter", &[&ERRNOS[..], &["EBUSY"]].concat();
    uring_survives_a_failing_read_of_its_signals: Uring, "read", &ERRNOS;
}

/// Tests of faults at start-up: a name, the engines, the call, how it fails, a word of the refusal.
macro_rules! at_start_up {
    ($($name:ident: [$($engine:ident),+], $syscall:literal, $errno:literal, $words:expr;)+) => {$(
        #[test]
        #[ignore = "needs strace"]
        fn $name() {
            $(support::beside_others(|| refuses(Engine::$engine, $syscall, $errno, $words));)+
        }
    )+};
}

at_start_up! {
    a_refused_socket_is_a_refusal: [Epoll, Uring], "socket", "EMFILE", &["listen"];
    a_refused_bind_is_a_refusal: [Epoll, Uring], "bind", "ENOMEM", &["listen"];
    a_refused_listen_is_a_refusal: [Epoll, Uring], "listen", "EADDRINUSE", &["in use"];
    a_refused_signal_descriptor_is_a_refusal: [Epoll, Uring], "signalfd4", "EMFILE", &["signals"];
    a_refused_epoll_instance_is_a_refusal: [Epoll], "epoll_create1", "EMFILE", &["epoll"];
    a_refused_epoll_watch_is_a_refusal: [Epoll], "epoll_ctl", "ENOMEM", &["epoll"];
    a_ring_denied_by_policy_is_a_refusal: [Uring], "io_uring_setup", "EPERM", &["io_uring_disabled", "seccomp", "security module"];
    a_kernel_without_io_uring_is_a_refusal: [Uring], "io_uring_setup", "ENOSYS", &["io_uring"];
    a_kernel_too_old_is_a_refusal: [Uring], "io_uring_setup", "EINVAL", &["6.1"];
    a_ring_beyond_locked_memory_is_a_refusal: [Uring], "io_uring_setup", "ENOMEM", &["memory", "emlock"];
    a_registration_beyond_memory_is_a_refusal: [Uring], "io_uring_register", "ENOMEM", &["io_uring", "ring"];
    a_registration_unknown_to_the_kernel_is_a_refusal: [Uring], "io_uring_register", "EINVAL", &["io_uring", "ring"];
    a_registration_beyond_descriptors_is_a_refusal: [Uring], "io_uring_register", "EMFILE", &["io_uring", "ring"];
}

/// A descriptor whose close was skipped stays open, so nobody hears of the end: bytes and the exit are what counts.
#[test]
#[ignore = "needs strace"]
fn epoll_survives_a_failing_close() {
    for errno in ERRNOS {
        let server = Launch::new(Engine::Epoll).args("--max-connections 256 --drain-ms 500").start();
        let strace = Strace::attach(server.pid(), Fault { syscall: "close", errno }, TIMES);
        let deadline = Instant::now() + patience();
        while strace.injected() < TIMES && Instant::now() < deadline {
            assert_eq!(load(&server), 0, "a failing close cost a connection");
        }
        assert_eq!(strace.injected(), TIMES);
        server.assert_serves();
        server.stop();
        strace.join();
    }
}

/// A full disk, in effect: neither the stats nor the warning about them can be written.
#[test]
#[ignore = "needs strace"]
fn a_server_that_cannot_write_a_line_goes_on() {
    for engine in [Engine::Epoll, Engine::Uring] {
        for errno in ["ENOSPC", "EINTR", "EAGAIN", "EPIPE"] {
            let server = Server::start(engine);
            let strace = Strace::attach(server.pid(), Fault { syscall: "write", errno }, TIMES);
            let deadline = Instant::now() + patience();
            while strace.injected() < TIMES {
                assert!(Instant::now() < deadline, "the stats file was not written to");
                process::request_snapshot(server.pid()).unwrap();
                thread::sleep(Duration::from_millis(5));
            }
            server.assert_serves();
            server.stop();
            strace.join();
        }
    }
}

/// Lets only root, or nobody, set up rings while it lives, then restores what was.
struct RingsForbidden(String);

impl RingsForbidden {
    const SWITCH: &str = "/proc/sys/kernel/io_uring_disabled";

    fn to_plain_users() -> Self {
        let before = fs::read_to_string(Self::SWITCH).expect("Linux 6.6 or newer has the switch");
        let forbidden = Self(before);
        fs::write(Self::SWITCH, "1").expect("root may change the switch");
        forbidden
    }
}

impl Drop for RingsForbidden {
    fn drop(&mut self) {
        let _ = fs::write(Self::SWITCH, &self.0);
    }
}

/// Needs root. With 1 the kernel denies io_uring to processes without CAP_SYS_ADMIN, and to no other on this machine.
#[test]
#[ignore = "needs strace, like its neighbours, and root: changes kernel.io_uring_disabled for a moment"]
fn a_ring_denied_by_sysctl_is_a_refusal_that_names_it() {
    const NOBODY: u32 = 65_534;
    support::alone(|| {
        let _forbidden = RingsForbidden::to_plain_users();
        let line = Launch::new(Engine::Uring).uid(NOBODY).refused();
        assert!(line.contains("kernel.io_uring_disabled"), "{line}");
        // The other engine needs no ring.
        Launch::new(Engine::Epoll).uid(NOBODY).start().stop_clean();
    });
}
