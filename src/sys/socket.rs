//! TCP sockets, non-blocking. What a server or client does to them once is asked for by rustix; what it does for each
//! connection and transfer is written out, so that one sees what is measured.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::{io, ptr};

use rustix::net::{self, AddressFamily, Shutdown, SocketFlags, SocketType, ipproto, sockopt};

use super::Errno;

fn open(addr: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?)
}

/// What accepted connections inherit from their listener (tcp(7), socket(7)).
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    /// TCP_NODELAY: send at once instead of waiting for an acknowledgement to coalesce small writes.
    pub nodelay: bool,
}

/// A listening socket bound to `addr`, with the address it really has (port 0 picks one).
///
/// SO_REUSEADDR, so that connections in TIME_WAIT do not block a restart; not SO_REUSEPORT, which would let a second
/// server share the port unnoticed. SO_OOBINLINE, so that an urgent byte is echoed in its place like any other.
///
/// # Errors
/// EADDRINUSE, EACCES (port below 1024), EADDRNOTAVAIL.
pub fn listen(addr: SocketAddr, backlog: u32, options: StreamOptions) -> io::Result<(OwnedFd, SocketAddr)> {
    let fd = open(addr)?;
    sockopt::set_socket_reuseaddr(&fd, true)?;
    sockopt::set_socket_oobinline(&fd, true)?;
    sockopt::set_tcp_nodelay(&fd, options.nodelay)?;
    net::bind(&fd, &addr)?;
    net::listen(&fd, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    let bound = local_addr(fd.as_fd())?;
    Ok((fd, bound))
}

/// The address `fd` is bound to.
///
/// # Errors
/// None for an open IP socket.
pub fn local_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    Ok(net::getsockname(fd)?.try_into()?)
}

/// Begins to connect to `addr`; the socket turns writable when that has ended, and [`take_error`] says how.
///
/// # Errors
/// EMFILE; EADDRNOTAVAIL when local ports ran out; ECONNREFUSED, which loopback may report at once.
pub fn connect(addr: SocketAddr, options: StreamOptions) -> Result<OwnedFd, Errno> {
    let fd = open(addr)?;
    sockopt::set_tcp_nodelay(&fd, options.nodelay)?;
    match net::connect(&fd, &addr) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(fd),
        Err(errno) => Err(errno.into()),
    }
}

/// Takes the pending error of `fd` (SO_ERROR): how a non-blocking connect ended.
///
/// # Errors
/// That error.
pub fn take_error(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    Ok(sockopt::socket_error(fd)??)
}

/// Has the peer of `fd` send segments of `len` bytes at most (TCP_MAXSEG), if asked before the connection is made.
///
/// # Errors
/// EINVAL for less than 88 or more than 32,767.
pub fn set_segment_bytes(fd: BorrowedFd<'_>, len: i32) -> Result<(), Errno> {
    let size = size_of::<i32>() as libc::socklen_t;
    let (level, option) = (libc::IPPROTO_TCP, libc::TCP_MAXSEG);
    // SAFETY: `len` is valid for reads of `size` bytes for the call.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const len).cast(), size) };
    Errno::check(result).map(drop)
}

/// Accepts one connection, non-blocking and closed on exec.
///
/// # Errors
/// EAGAIN when none waits; ECONNABORTED when its peer is gone; EMFILE, ENFILE, ENOBUFS, ENOMEM.
pub fn accept(listener: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: null address pointers ask for none to be stored.
    let fd = unsafe { libc::accept4(listener.as_raw_fd(), ptr::null_mut(), ptr::null_mut(), flags) };
    let fd = Errno::check(fd)?;
    // SAFETY: accept4 just returned this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Receives into `buffer`; 0 is the peer's end of stream.
///
/// # Errors
/// EAGAIN when nothing is queued; EINTR; ECONNRESET and other faults of the peer.
pub fn recv(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most `len` bytes into a buffer of that length.
    let result = unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    Errno::check_len(result)
}

/// Drops up to `len` received bytes without copying them out; 0 is the peer's end of stream. Source: tcp(7), MSG_TRUNC.
///
/// # Errors
/// As [`recv`].
pub fn discard(fd: BorrowedFd<'_>, len: usize) -> Result<usize, Errno> {
    // SAFETY: for a TCP socket MSG_TRUNC makes the kernel count bytes and write none, so the null buffer is not touched.
    let result = unsafe { libc::recv(fd.as_raw_fd(), ptr::null_mut(), len, libc::MSG_TRUNC) };
    Errno::check_len(result)
}

/// Sends from `buffer` and returns how many bytes the kernel took, which may be fewer. Raises no SIGPIPE.
///
/// # Errors
/// EAGAIN when the send buffer is full; EINTR; EPIPE, ECONNRESET and other faults of the peer.
pub fn send(fd: BorrowedFd<'_>, buffer: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads at most `len` bytes from a buffer of that length.
    let result =
        unsafe { libc::send(fd.as_raw_fd(), buffer.as_ptr().cast(), buffer.len(), libc::MSG_NOSIGNAL) };
    Errno::check_len(result)
}

/// Stops listening: connections in the backlog are reset, the port is free, a waiting accept fails.
///
/// # Errors
/// None for a listening socket.
pub fn stop_listening(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    Ok(net::shutdown(fd, Shutdown::Both)?)
}

/// Ends the sending direction: the peer reads end of stream after the bytes already sent.
///
/// # Errors
/// ENOTCONN when the peer is gone.
pub fn shutdown_send(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    Ok(net::shutdown(fd, Shutdown::Write)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_listener_binds_either_family_and_reports_its_port() {
        for addr in ["127.0.0.1:0", "[::1]:0"] {
            let (_fd, bound) = listen(addr.parse().unwrap(), 8, StreamOptions { nodelay: true }).unwrap();
            assert_eq!(bound.ip(), addr.parse::<SocketAddr>().unwrap().ip());
            TcpStream::connect(bound).unwrap();
        }
    }

    #[test]
    fn discarded_bytes_are_gone_and_the_rest_is_not() {
        use std::io::Write;
        let (fd, bound) = listen("127.0.0.1:0".parse().unwrap(), 8, StreamOptions { nodelay: true }).unwrap();
        let mut client = TcpStream::connect(bound).unwrap();
        let accepted = accept(fd.as_fd()).unwrap();
        client.write_all(b"abcdef").unwrap();
        assert_eq!(discard(accepted.as_fd(), 4), Ok(4));
        let mut rest = [0; 8];
        assert_eq!(recv(accepted.as_fd(), &mut rest), Ok(2));
        assert_eq!(&rest[..2], b"ef");
    }

    #[test]
    fn a_port_in_use_is_refused() {
        let (_fd, bound) =
            listen("127.0.0.1:0".parse().unwrap(), 8, StreamOptions { nodelay: true }).unwrap();
        let error = listen(bound, 8, StreamOptions { nodelay: true }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn an_accepted_socket_inherits_nodelay() {
        for nodelay in [false, true] {
            let (fd, bound) = listen("127.0.0.1:0".parse().unwrap(), 8, StreamOptions { nodelay }).unwrap();
            let _client = TcpStream::connect(bound).unwrap();
            let accepted = TcpStream::from(accept(fd.as_fd()).unwrap());
            assert_eq!(accepted.nodelay().unwrap(), nodelay);
        }
    }
}
