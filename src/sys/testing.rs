//! What only the test suites ask of the kernel: children with other limits, signals that upset a server, and
//! sockets that misbehave on purpose.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{io, ptr};

use super::limits::Limit;
use super::socket::{self, RawAddr};
use super::{Errno, process};

/// A signal that a server has to live through or to obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upset {
    /// SIGINT: what a terminal sends for Ctrl-C.
    Interrupt,
    /// SIGPIPE: what a write to a socket without a reader raises unless told not to.
    BrokenPipe,
    /// SIGSTOP: freezes the process; cannot be caught.
    Stop,
    /// SIGCONT: thaws it, and interrupts the waiting system call it was frozen in.
    Continue,
    /// SIGKILL.
    Kill,
}

/// Sends `signal` to process `pid`.
///
/// # Errors
/// ESRCH when the process is gone, EPERM when it belongs to someone else.
pub fn upset(pid: u32, signal: Upset) -> Result<(), Errno> {
    let signal = match signal {
        Upset::Interrupt => libc::SIGINT,
        Upset::BrokenPipe => libc::SIGPIPE,
        Upset::Stop => libc::SIGSTOP,
        Upset::Continue => libc::SIGCONT,
        Upset::Kill => libc::SIGKILL,
    };
    process::send(pid, signal)
}

/// Changes the soft RLIMIT_NOFILE of the running process `pid`, keeps its hard one; returns the limit it had.
///
/// # Errors
/// ESRCH when the process is gone, EPERM when it belongs to someone else. Source: prlimit(2).
pub fn set_nofile_of(pid: u32, soft: u64) -> Result<Limit, Errno> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| Errno(libc::ESRCH))?;
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `old` is valid for the kernel to fill; a null new limit changes nothing.
    Errno::check(unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, ptr::null(), &raw mut old) })?;
    let new = libc::rlimit { rlim_cur: soft, rlim_max: old.rlim_max };
    // SAFETY: `new` is initialised and only read; a null old limit stores nothing.
    Errno::check(unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const new, ptr::null_mut()) })?;
    Ok(Limit { soft: old.rlim_cur, hard: old.rlim_max })
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

/// Makes `command` start its child under `limits`, and the child die when the thread that spawned it ends, so that
/// a test that is killed leaves no server behind.
pub fn confine(command: &mut Command, limits: ChildLimits) {
    let before_exec = move || {
        // SAFETY: the option takes a signal number and touches no memory.
        Errno::check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
        let all = [
            (libc::RLIMIT_NOFILE, limits.nofile),
            (libc::RLIMIT_MEMLOCK, limits.memlock),
            (libc::RLIMIT_AS, limits.address_space),
        ];
        for (resource, limit) in all {
            let Some(limit) = limit else { continue };
            let limit = libc::rlimit { rlim_cur: limit.soft, rlim_max: limit.hard };
            // SAFETY: `limit` is initialised and only read.
            Errno::check(unsafe { libc::setrlimit(resource, &raw const limit) })?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes async-signal-safe system calls only: it allocates nothing,
    // takes no lock, and what it captured is plain integers.
    unsafe { command.pre_exec(before_exec) };
}

/// Sizes of a socket's kernel buffers in bytes, as asked for: the kernel doubles them and has a minimum. `None`
/// leaves the size to its autotuning. Source: socket(7), tcp(7).
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketBuffers {
    /// SO_RCVBUF.
    pub receive_bytes: Option<i32>,
    /// SO_SNDBUF.
    pub send_bytes: Option<i32>,
    /// TCP_MAXSEG: the longest segment that the peer may send.
    pub segment_bytes: Option<i32>,
}

/// Connects a blocking socket to `addr`. Its buffers are sized before, since the window offered to the peer
/// follows from the receive buffer at that moment.
///
/// # Errors
/// EMFILE; EADDRNOTAVAIL when local ports ran out; ECONNREFUSED; ETIMEDOUT.
pub fn connect(addr: SocketAddr, buffers: SocketBuffers) -> io::Result<TcpStream> {
    let family = if addr.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: the call takes three integers.
    let fd = Errno::check(unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: socket just returned this descriptor and nobody else owns it.
    let stream = unsafe { TcpStream::from_raw_fd(fd) };
    if let Some(size) = buffers.receive_bytes {
        socket::set(stream.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, size)?;
    }
    if let Some(size) = buffers.send_bytes {
        socket::set(stream.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUF, size)?;
    }
    if let Some(size) = buffers.segment_bytes {
        socket::set(stream.as_fd(), libc::IPPROTO_TCP, libc::TCP_MAXSEG, size)?;
    }
    let raw = RawAddr::new(addr);
    // SAFETY: `raw` holds an address of `raw.len` bytes and is only read.
    Errno::check(unsafe { libc::connect(fd, (&raw const raw.storage).cast(), raw.len) })?;
    Ok(stream)
}

/// Makes closing `fd` send RST and drop what is queued in either direction (SO_LINGER with a timeout of zero).
///
/// # Errors
/// None for an open socket.
pub fn reset_on_close(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = size_of::<libc::linger>() as libc::socklen_t;
    let value = (&raw const linger).cast();
    // SAFETY: `value` points to `size` initialised bytes that are only read.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, value, size) };
    Errno::check(result).map(drop)
}

/// Sends one byte as urgent data (MSG_OOB, RFC 6093).
///
/// # Errors
/// Those of send(2).
pub fn send_urgent(fd: BorrowedFd<'_>, byte: u8) -> Result<(), Errno> {
    let flags = libc::MSG_OOB | libc::MSG_NOSIGNAL;
    // SAFETY: the kernel reads one byte from a place that holds one.
    let result = unsafe { libc::send(fd.as_raw_fd(), (&raw const byte).cast(), 1, flags) };
    Errno::check_len(result).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    fn pair(buffers: SocketBuffers) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = connect(listener.local_addr().unwrap(), buffers).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn a_socket_told_so_resets_its_peer_when_closed() {
        let (client, mut server) = pair(SocketBuffers::default());
        reset_on_close(client.as_fd()).unwrap();
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn an_urgent_byte_is_left_out_of_the_stream_unless_asked_for_inline() {
        let (client, mut server) = pair(SocketBuffers::default());
        send_urgent(client.as_fd(), b'!').unwrap();
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_small_receive_buffer_bounds_what_a_peer_can_send_ahead() {
        let (_client, server) = pair(SocketBuffers { receive_bytes: Some(4096), ..SocketBuffers::default() });
        socket::set(server.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUF, 4096).unwrap();
        server.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(count) = socket::send(server.as_fd(), &[0; 4096]) {
            sent += count;
        }
        assert!(sent < 65_536, "{sent} bytes fitted into two buffers of some 8 KiB");
    }

    #[test]
    fn a_confined_child_has_its_own_limit() {
        let mut command = Command::new("/proc/self/exe");
        let nofile = Some(Limit { soft: 77, hard: 78 });
        confine(&mut command, ChildLimits { nofile, ..ChildLimits::default() });
        let mut child = command.arg("--list").stdout(std::process::Stdio::null()).spawn().unwrap();
        let old = set_nofile_of(child.id(), 70).unwrap();
        child.wait().unwrap();
        assert_eq!((old.soft, old.hard), (77, 78));
    }
}
