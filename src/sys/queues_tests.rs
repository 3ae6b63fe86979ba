//! Pairs of entries on the kernel that runs: in order, broken by a send that falls short, cut in half by a submission.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use io_uring::opcode;
use io_uring::squeue::Flags;
use io_uring::types::Fd;

use super::*;

const SEND: u64 = 1;
const RECV: u64 = 2;

const SETUP: SetupFlags = SetupFlags {
    single_issuer: true,
    coop_taskrun: true,
    defer_taskrun: true,
    no_sqarray: false,
    sqpoll: false,
};

struct Pair {
    queues: KernelQueues,
    socket: UnixStream,
    peer: UnixStream,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Pair {
    /// A send of `sent`, and a receive that is linked to it, queued. The peer has written "hello".
    fn queued(sent: &[u8], quiet: bool) -> Self {
        let (socket, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"hello").unwrap();
        let queues = KernelQueues::new(SETUP, WaitMode::Plain, 4, 16).unwrap();
        let mut pair = Self { queues, socket, peer, sent: sent.to_vec(), received: vec![0; 16] };
        pair.push(quiet);
        pair
    }

    fn push(&mut self, quiet: bool) {
        let fd = Fd(self.socket.as_raw_fd());
        let send = opcode::Send::new(fd, self.sent.as_ptr(), self.sent.len() as u32)
            .flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL)
            .build()
            .flags(if quiet { Flags::IO_LINK | Flags::SKIP_SUCCESS } else { Flags::IO_LINK })
            .user_data(SEND);
        let recv = opcode::Recv::new(fd, self.received.as_mut_ptr(), self.received.len() as u32)
            .build()
            .user_data(RECV);
        // SAFETY: both buffers live in `self`, whose queues are dropped first.
        unsafe {
            self.queues.push_linked(send, quiet);
            self.queues.push(recv);
        }
    }

    /// What completes until nothing has for a while.
    fn completions(&mut self) -> Vec<(u64, i32)> {
        let mut all = Vec::new();
        loop {
            self.queues.enter(1, Some(Nanos::from_millis(100))).unwrap();
            let before = all.len();
            all.extend(std::iter::from_fn(|| self.queues.pop()).map(|cqe| (cqe.user_data, cqe.result)));
            if all.len() == before {
                return all;
            }
        }
    }

    /// Has the kernel take the first entry alone, as it does when it is short of memory.
    fn cut(&mut self) -> Result<(), Errno> {
        let taken = self.queues.submit(1, 0, None).unwrap();
        self.queues.chains.on_taken(taken, 2)
    }

    fn echoed(&mut self, len: usize) -> Vec<u8> {
        let mut echo = vec![0; len];
        self.peer.read_exact(&mut echo).unwrap();
        echo
    }
}

#[test]
fn the_second_of_a_pair_completes_after_the_first() {
    let mut pair = Pair::queued(b"echo", false);
    assert_eq!(pair.completions(), [(SEND, 4), (RECV, 5)]);
    assert_eq!(&pair.received[..5], b"hello");
}

#[test]
fn a_quiet_pair_completes_once_whether_its_first_falls_short_or_not() {
    let mut pair = Pair::queued(b"echo", true);
    assert_eq!(pair.completions(), [(RECV, 5)]);
    pair.push(true);
    drop(std::mem::replace(&mut pair.peer, UnixStream::pair().unwrap().0));
    assert_eq!(pair.completions(), [(SEND, -libc::EPIPE)]);
}

#[test]
fn the_second_of_a_pair_that_is_cut_in_half_is_cancelled_and_never_runs() {
    let mut pair = Pair::queued(b"echo", false);
    pair.cut().unwrap();
    let mut all = pair.completions();
    assert_eq!(all.remove(0), (RECV, -libc::ECANCELED));
    assert_eq!(all, [(SEND, 4)]);
    assert_eq!(pair.echoed(4), b"echo");
    assert_eq!(pair.received, [0; 16]);
    // The queue is as good as new: more pairs than it has entries.
    for _ in 0..5 {
        pair.peer.write_all(b"hello").unwrap();
        pair.push(false);
        let all = pair.completions();
        assert!(all[0] == (SEND, 4) && all[1].0 == RECV && all[1].1 >= 5, "{all:?}");
    }
}

#[test]
fn pairs_are_cut_where_a_submission_ends_and_nowhere_else() {
    let mut pair = Pair::queued(b"echo", false);
    pair.push(false);
    let taken = pair.queues.submit(2, 0, None).unwrap();
    pair.queues.chains.on_taken(taken, 4).unwrap();
    assert_eq!(pair.queues.chains.severed(), 0);
    pair.cut().unwrap();
    assert_eq!(pair.completions(), [(RECV, -libc::ECANCELED), (SEND, 4), (RECV, 5), (SEND, 4)]);
    pair.peer.write_all(b"for nobody").unwrap();
    assert_eq!(pair.completions(), []);
}

#[test]
fn the_half_of_a_quiet_pair_is_not_recovered_from() {
    let mut pair = Pair::queued(b"echo", true);
    assert_eq!(pair.cut(), Err(Errno(libc::ENOTRECOVERABLE)));
}

#[test]
#[should_panic(expected = "was not pushed")]
fn a_pair_is_not_submitted_before_both_are_queued() {
    let mut pair = Pair::queued(b"echo", false);
    let entry = opcode::Nop::new().build().flags(Flags::IO_LINK);
    // SAFETY: a NOP points at nothing.
    unsafe { pair.queues.push_linked(entry, false) };
    let _ = pair.queues.enter(0, None);
}
