//! What only the test suites ask of the kernel: signals that upset a server, children with other limits, and sockets that
//! misbehave on purpose.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::Duration;

use rustix::net::{self, AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};
pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, kill_process, prlimit};
use uring_echo::sys::limits::Limit;
use uring_echo::sys::process::{self, ChildLimits};
use uring_echo::sys::socket::set_segment_bytes;

fn process_of(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).expect("a process has a number above zero")
}

/// Sends `signal` to process `pid`, which is there.
pub(crate) fn upset(pid: u32, signal: Signal) {
    kill_process(process_of(pid), signal).unwrap();
}

/// Changes the soft RLIMIT_NOFILE of the running process `pid`, which keeps its hard one of `hard`.
pub(crate) fn set_nofile_of(pid: u32, soft: u64, hard: u64) {
    let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
    prlimit(Some(process_of(pid)), Resource::Nofile, limit).unwrap();
}

/// Makes `command` start its child under `limits`, and the child die when the thread that spawned it ends, so that a test
/// that is killed leaves no server behind.
pub(crate) fn confine(command: &mut Command, limits: ChildLimits) {
    process::limit_child(process::tie_to_parent(command), limits);
}

/// Sizes of a socket's kernel buffers in bytes, as asked for: the kernel doubles them and has a minimum. `None`
/// leaves the size to its autotuning. Source: socket(7), tcp(7).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SocketBuffers {
    /// SO_RCVBUF.
    pub(crate) receive_bytes: Option<usize>,
    /// SO_SNDBUF.
    pub(crate) send_bytes: Option<usize>,
    /// TCP_MAXSEG: the longest segment that the peer may send.
    pub(crate) segment_bytes: Option<i32>,
}

/// Connects a blocking socket to `addr`. Its buffers are sized before, since the window offered to the peer
/// follows from the receive buffer at that moment.
pub(crate) fn connect(addr: SocketAddr, buffers: SocketBuffers) -> io::Result<TcpStream> {
    let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    if let Some(size) = buffers.receive_bytes {
        sockopt::set_socket_recv_buffer_size(&socket, size)?;
    }
    if let Some(size) = buffers.send_bytes {
        sockopt::set_socket_send_buffer_size(&socket, size)?;
    }
    if let Some(size) = buffers.segment_bytes {
        set_segment_bytes(socket.as_fd(), size)?;
    }
    net::connect(&socket, &addr)?;
    Ok(socket.into())
}

/// Makes closing `socket` send RST and drop what is queued in either direction (SO_LINGER with a timeout of zero).
pub(crate) fn reset_on_close(socket: &TcpStream) {
    sockopt::set_socket_linger(socket, Some(Duration::ZERO)).unwrap();
}

/// Sends one byte as urgent data (MSG_OOB, RFC 6093).
pub(crate) fn send_urgent(socket: &TcpStream, byte: u8) {
    let count = net::send(socket, &[byte], SendFlags::OOB | SendFlags::NOSIGNAL).unwrap();
    assert_eq!(count, 1, "an urgent byte is taken");
}

/// Both ends of `socket` as the kernel has them: state, what is queued to send and to receive, timers. What is queued to receive at
/// the server's end is what the server was not woken for or did not ask for. Source: proc_pid_net(5).
pub(crate) fn both_ends(socket: &TcpStream) -> String {
    let ports = [socket.local_addr(), socket.peer_addr()].map(|addr| addr.map_or(0, |addr| addr.port()));
    let [own, other] = ports.map(|port| format!(":{port:04X}"));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let is_ours =
        |line: &&str| line.contains(&own) && line.contains(&other) || line.contains("local_address");
    table.lines().filter(is_ours).collect::<Vec<_>>().join("\n")
}
