//! TCP sockets, non-blocking.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::{io, mem, ptr};

use super::Errno;

/// A socket address in the kernel's form.
pub(super) struct RawAddr {
    pub(super) storage: libc::sockaddr_storage,
    pub(super) len: libc::socklen_t,
}

impl RawAddr {
    pub(super) fn new(addr: SocketAddr) -> Self {
        // SAFETY: sockaddr_storage is plain integers, for which zero is valid.
        let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let len = match addr {
            SocketAddr::V4(v4) => {
                let raw = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: v4.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                    sin_zero: [0; 8],
                };
                // SAFETY: sockaddr_storage is at least as large and aligned as every address family's struct.
                unsafe { (&raw mut storage).cast::<libc::sockaddr_in>().write(raw) };
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(v6) => {
                let raw = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                // SAFETY: as above.
                unsafe { (&raw mut storage).cast::<libc::sockaddr_in6>().write(raw) };
                size_of::<libc::sockaddr_in6>()
            }
        };
        Self { storage, len: len as libc::socklen_t }
    }

    fn decode(&self) -> io::Result<SocketAddr> {
        match i32::from(self.storage.ss_family) {
            libc::AF_INET => {
                // SAFETY: the family says which struct the storage holds, and it is large enough for either.
                let raw = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in>().read() };
                let ip = Ipv4Addr::from(raw.sin_addr.s_addr.to_ne_bytes());
                Ok(SocketAddr::new(IpAddr::V4(ip), u16::from_be(raw.sin_port)))
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let raw = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in6>().read() };
                let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
                Ok(SocketAddr::new(IpAddr::V6(ip), u16::from_be(raw.sin6_port)))
            }
            family => Err(io::Error::other(format!("address family {family} is not IP"))),
        }
    }
}

fn open(addr: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if addr.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the call takes three integers.
    let fd = Errno::check(unsafe { libc::socket(family, kind, libc::IPPROTO_TCP) })?;
    // SAFETY: socket just returned this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(super) fn set(fd: BorrowedFd<'_>, level: i32, option: i32, value: i32) -> Result<(), Errno> {
    let size = size_of::<i32>() as libc::socklen_t;
    // SAFETY: `value` is valid for reads of `size` bytes for the call.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), size) };
    Errno::check(result).map(drop)
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
    use std::os::fd::AsFd;
    let fd = open(addr)?;
    set(fd.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    set(fd.as_fd(), libc::SOL_SOCKET, libc::SO_OOBINLINE, 1)?;
    set(fd.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, i32::from(options.nodelay))?;
    let raw = RawAddr::new(addr);
    // SAFETY: `raw` holds an address of `raw.len` bytes and is only read.
    Errno::check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const raw.storage).cast(), raw.len) })?;
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    // SAFETY: the call takes two integers.
    Errno::check(unsafe { libc::listen(fd.as_raw_fd(), backlog) })?;
    let bound = local_addr(fd.as_fd())?;
    Ok((fd, bound))
}

/// The address `fd` is bound to.
///
/// # Errors
/// None for an open IP socket.
pub fn local_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    // SAFETY: sockaddr_storage is plain integers, for which zero is valid.
    let storage = unsafe { mem::zeroed() };
    let mut raw = RawAddr { storage, len: size_of::<libc::sockaddr_storage>() as libc::socklen_t };
    // SAFETY: `storage` has room for `len` bytes, and both are valid for the kernel to write.
    let result =
        unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut raw.storage).cast(), &raw mut raw.len) };
    Errno::check(result)?;
    raw.decode()
}

/// Begins to connect to `addr`; the socket turns writable when that has ended, and [`take_error`] says how.
///
/// # Errors
/// EMFILE; EADDRNOTAVAIL when local ports ran out; ECONNREFUSED, which loopback may report at once.
pub fn connect(addr: SocketAddr, options: StreamOptions) -> Result<OwnedFd, Errno> {
    use std::os::fd::AsFd;
    let fd = open(addr)?;
    set(fd.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, i32::from(options.nodelay))?;
    let raw = RawAddr::new(addr);
    // SAFETY: `raw` holds an address of `raw.len` bytes and is only read.
    match Errno::check(unsafe { libc::connect(fd.as_raw_fd(), (&raw const raw.storage).cast(), raw.len) }) {
        Ok(_) => Ok(fd),
        Err(Errno(libc::EINPROGRESS)) => Ok(fd),
        Err(errno) => Err(errno),
    }
}

/// Takes the pending error of `fd` (SO_ERROR): how a non-blocking connect ended.
///
/// # Errors
/// That error.
pub fn take_error(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let (mut value, mut len) = (0i32, size_of::<i32>() as libc::socklen_t);
    // SAFETY: `value` has room for `len` bytes, and both are valid for the kernel to write.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ERROR,
            (&raw mut value).cast(),
            &raw mut len,
        )
    };
    Errno::check(result)?;
    if value == 0 { Ok(()) } else { Err(Errno(value)) }
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
    // SAFETY: the call takes two integers.
    Errno::check(unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_RDWR) }).map(drop)
}

/// Ends the sending direction: the peer reads end of stream after the bytes already sent.
///
/// # Errors
/// ENOTCONN when the peer is gone.
pub fn shutdown_send(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the call takes two integers.
    Errno::check(unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_WR) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::os::fd::AsFd;

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
