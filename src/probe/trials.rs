//! Features that the kernel does not list: each is used once, on loopback, and has to do what it promises.
//!
//! A feature counts as absent only when the kernel says that it does not know it. Whatever else goes wrong (no
//! loopback device, no descriptor left) leaves the question open, with the reason.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;

use crate::sys::Errno;
use crate::sys::epoll::Epoll;
use crate::sys::epoll_probe;
use crate::sys::uring_probe::{BUFFER_BYTES, Completion, Recv, Trial};
use crate::units::Nanos;

/// A trial that did not show its feature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The kernel does not know the feature.
    Absent,
    /// It remains open whether the kernel does.
    Open(String),
}

impl From<Errno> for Miss {
    fn from(errno: Errno) -> Self {
        match errno.0 {
            libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS => Self::Absent,
            _ => Self::Open(errno.to_string()),
        }
    }
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        Self::Open(format!("no connection over loopback to try it on: {error}"))
    }
}

type Outcome = Result<(), Miss>;

const POLL_FIRST: u16 = 1 << 0;
const MULTISHOT: u16 = 1 << 1;
const BUNDLE: u16 = 1 << 4;

pub(super) fn own_descriptor() -> Outcome {
    Ok(Trial::new()?.register_own_descriptor()?)
}

pub(super) fn direct_descriptors() -> Outcome {
    Ok(Trial::new()?.register_direct_descriptors(4)?)
}

pub(super) fn buffer_ring() -> Outcome {
    Ok(Trial::new()?.provide_buffers(false)?)
}

pub(super) fn synchronous_cancellation() -> Outcome {
    let (_peer, mut trial) = quiet_recv()?;
    trial.cancel_all_now()?;
    let completion = trial.wait()?;
    expect(is_canceled(completion), || format!("the receive ended with {completion:?}"))
}

pub(super) fn cancel_all() -> Outcome {
    let (_peer, mut trial) = quiet_recv()?;
    trial.start_cancel_all()?;
    // The two completions come in either order.
    let both = [trial.wait()?, trial.wait()?];
    if let Some(refused) =
        both.iter().find_map(|one| one.result.err().filter(|errno| errno.0 == libc::EINVAL))
    {
        return Err(refused.into());
    }
    expect(both.into_iter().any(is_canceled), || format!("the receive was not cancelled: {both:?}"))
}

pub(super) fn accept_multishot() -> Outcome {
    let mut trial = Trial::new()?;
    trial.register_direct_descriptors(4)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    trial.start_accept(listener.as_fd(), true)?;
    let _peer = TcpStream::connect(listener.local_addr()?)?;
    let completion = trial.wait()?;
    completion.result?;
    expect(completion.more(), || "it ended after one connection".to_owned())
}

pub(super) fn recv_provided() -> Outcome {
    let completion = recv(Recv::default(), 2)?;
    expect_len(completion, 2)
}

pub(super) fn recv_poll_first() -> Outcome {
    let completion = recv(Recv { ioprio: POLL_FIRST, ..Recv::default() }, 2)?;
    expect_len(completion, 2)
}

pub(super) fn socket_nonempty() -> Outcome {
    let completion = recv(Recv { len: 1, ..Recv::default() }, 2)?;
    expect_len(completion, 1)?;
    if completion.socket_nonempty() { Ok(()) } else { Err(Miss::Absent) }
}

pub(super) fn recv_multishot() -> Outcome {
    let completion = recv(Recv { ioprio: MULTISHOT, ..Recv::default() }, 2)?;
    expect_len(completion, 2)?;
    expect(completion.more(), || "it ended after one completion".to_owned())
}

pub(super) fn recv_multishot_len() -> Outcome {
    let completion = recv(Recv { ioprio: MULTISHOT, len: 1, total_len: 0 }, 2)?;
    expect_len(completion, 1)
}

pub(super) fn recv_multishot_total() -> Outcome {
    let limited = Recv { ioprio: MULTISHOT, len: 0, total_len: BUFFER_BYTES };
    let completion = recv(limited, 2 * BUFFER_BYTES as usize)?;
    expect_len(completion, BUFFER_BYTES)?;
    expect(!completion.more(), || "it went on past its limit".to_owned())
}

pub(super) fn recv_bundle() -> Outcome {
    let two_buffers = Recv { ioprio: BUNDLE, len: 2 * BUFFER_BYTES, total_len: 0 };
    let completion = recv(two_buffers, 2 * BUFFER_BYTES as usize)?;
    let received = completion.result?;
    // Whether the first completion spans buffers already differs between releases. A kernel that knows no bundles
    // refuses the flag.
    expect(received >= BUFFER_BYTES, || format!("{received} bytes came where a buffer was due"))
}

pub(super) fn incremental_buffers() -> Outcome {
    let mut trial = Trial::new()?;
    trial.provide_buffers(true)?;
    let completion = recv_in(&mut trial, Recv::default(), 1)?;
    expect_len(completion, 1)?;
    expect(completion.buffer_more(), || "a buffer was given up after one byte".to_owned())
}

pub(super) fn epoll_instance() -> Outcome {
    Epoll::new()?;
    Ok(())
}

pub(super) fn epoll_exclusive() -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(epoll_probe::try_exclusive(listener.as_fd())?)
}

pub(super) fn epoll_pwait2() -> Outcome {
    Ok(epoll_probe::try_pwait2()?)
}

pub(super) fn epoll_busy_poll() -> Outcome {
    match Epoll::new()?.poll_card(Nanos(1000)) {
        Err(Errno(libc::ENOTTY)) => Err(Miss::Absent),
        tried => Ok(tried?),
    }
}

/// Both ends of a connection over loopback.
fn connected() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let peer = TcpStream::connect(listener.local_addr()?)?;
    let (socket, _) = listener.accept()?;
    Ok((peer, socket))
}

/// A receive for which nothing arrives, and the peer that keeps its connection open.
fn quiet_recv() -> Result<(TcpStream, Trial), Miss> {
    let (peer, socket) = connected()?;
    let mut trial = Trial::new()?;
    trial.provide_buffers(false)?;
    trial.start_recv(socket.as_fd(), Recv::default())?;
    Ok((peer, trial))
}

fn recv(recv: Recv, sent_len: usize) -> Result<Completion, Miss> {
    let mut trial = Trial::new()?;
    trial.provide_buffers(false)?;
    recv_in(&mut trial, recv, sent_len)
}

/// The first completion of `recv` on a connection that holds `sent_len` bytes.
fn recv_in(trial: &mut Trial, recv: Recv, sent_len: usize) -> Result<Completion, Miss> {
    let (mut peer, socket) = connected()?;
    peer.write_all(&vec![b'x'; sent_len])?;
    // So few bytes travel in one segment: when one of them is here, all are.
    socket.peek(&mut [0])?;
    trial.start_recv(socket.as_fd(), recv)?;
    Ok(trial.wait()?)
}

fn is_canceled(completion: Completion) -> bool {
    completion.result == Err(Errno(libc::ECANCELED))
}

fn expect_len(completion: Completion, len: u32) -> Outcome {
    let received = completion.result?;
    expect(received == len, || format!("{received} bytes came where {len} were due"))
}

fn expect(kept: bool, complaint: impl FnOnce() -> String) -> Outcome {
    if kept { Ok(()) } else { Err(Miss::Open(complaint())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kernel_that_does_not_know_a_feature_lacks_it() {
        for unknown in [libc::EINVAL, libc::EOPNOTSUPP, libc::ENOSYS] {
            assert_eq!(Miss::from(Errno(unknown)), Miss::Absent);
        }
        for other in [libc::EPERM, libc::ENOMEM, libc::EMFILE, libc::ETIME] {
            assert!(matches!(Miss::from(Errno(other)), Miss::Open(_)));
        }
    }

    #[test]
    fn a_flag_that_no_kernel_knows_is_absent() {
        match recv(Recv { ioprio: 1 << 15, ..Recv::default() }, 1).and_then(|done| expect_len(done, 1)) {
            Err(Miss::Absent) => {}
            Err(Miss::Open(_)) if Trial::new().is_err() => {}
            other => panic!("{other:?}"),
        }
    }
}
