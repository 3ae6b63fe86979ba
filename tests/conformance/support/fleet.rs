//! Many connections driven by one thread.
//!
//! The sockets are non-blocking and watched edge-triggered. Every operation first tries each member once, so that an
//! edge consumed by an earlier operation is never waited for again.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use uring_echo::sys::epoll::{Epoll, Events, Interest};
use uring_echo::sys::limits;

pub(crate) use super::kernel::SocketBuffers;

use super::kernel;
use super::pattern::Pattern;
use super::scale::patience;
use super::stream::next_id;

const CHUNK_BYTES: usize = 64 << 10;

/// How long nothing may move before a fleet that only sends counts as blocked.
const STILL: Duration = Duration::from_millis(300);

/// More than the kernels at both ends buffer for a connection that nobody reads from, as long as they have memory for
/// it: a fleet filled with so much ends up blocked.
pub(crate) const MORE_THAN_KERNELS_HOLD: usize = 256 << 20;

/// Kernel buffers as small as the kernel makes them, so that few bytes block a connection; segments of an Ethernet's
/// size. With loopback's own, of 64 KiB, a window this small stays shut until timers open it (RFC 9293, 3.8.6.2.2).
pub(crate) const TINY: SocketBuffers =
    SocketBuffers { receive_bytes: Some(4096), send_bytes: Some(4096), segment_bytes: Some(1460) };

/// Small, but not so small that thousands of connections take minutes to empty.
pub(crate) const SMALL: SocketBuffers =
    SocketBuffers { receive_bytes: Some(65_536), send_bytes: Some(4096), segment_bytes: Some(4096) };

/// One connection of a fleet.
struct Member {
    socket: TcpStream,
    pattern: Pattern,
    sent: u64,
    received: u64,
    /// Position up to which to send.
    goal: u64,
    /// The server has ended the stream.
    ended: bool,
    /// The server may end the stream early.
    may_be_cut: bool,
}

fn is_cut(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// Connections that share a thread.
pub(crate) struct Fleet {
    epoll: Epoll,
    events: Events,
    members: Vec<Member>,
    buffer: Box<[u8]>,
}

impl Fleet {
    /// Connects `count` times to `addr`, one after the other.
    pub(crate) fn connect(addr: SocketAddr, count: usize, buffers: SocketBuffers) -> Self {
        limits::raise_nofile(count as u64 + 512)
            .expect("the hard RLIMIT_NOFILE allows this many connections");
        let epoll = Epoll::new().unwrap();
        let members: Vec<Member> = (0..count).map(|_| Member::connect(addr, buffers)).collect();
        for (index, member) in members.iter().enumerate() {
            epoll.add(member.socket.as_fd(), index as u64, Interest::STREAM_EDGE).unwrap();
        }
        Self { epoll, events: Events::with_capacity(1024), members, buffer: vec![0; CHUNK_BYTES].into() }
    }

    /// Lets the server end streams early, with a reset even. What came until then still has to be right.
    pub(crate) fn that_may_be_cut(mut self) -> Self {
        for member in &mut self.members {
            member.may_be_cut = true;
        }
        self
    }

    /// Bytes all members sent.
    pub(crate) fn sent(&self) -> u64 {
        self.members.iter().map(|member| member.sent).sum()
    }

    /// Every member sends `len` more bytes and receives, checked, all that it is owed.
    pub(crate) fn echo(&mut self, len: usize) {
        self.set_goals(len as u64);
        self.run(Member::exchange);
    }

    /// Every member sends until the kernel takes no more, at most `len` bytes, and none receives.
    pub(crate) fn fill(&mut self, len: usize) {
        self.set_goals(len as u64);
        self.members.iter_mut().for_each(Member::send);
        let mut moved = Instant::now();
        while moved.elapsed() < STILL {
            let before = self.sent();
            self.wait(Duration::from_millis(20));
            for index in 0..self.events.len() {
                self.members[self.events.get(index).0 as usize].send();
            }
            if self.sent() != before {
                moved = Instant::now();
            }
        }
        for member in &mut self.members {
            member.goal = member.sent;
        }
    }

    /// Every member sends what the kernel takes at once, at most `len` bytes.
    pub(crate) fn send_only(&mut self, len: usize) {
        self.set_goals(len as u64);
        self.members.iter_mut().for_each(Member::send);
    }

    /// Every member receives, checked, all that it is owed.
    pub(crate) fn drain(&mut self) {
        self.echo(0);
    }

    /// As [`echo`](Self::echo) for members that may be cut; returns how many were. Those are checked up to their end.
    pub(crate) fn echo_or_be_cut(&mut self, len: usize) -> usize {
        self.set_goals(len as u64);
        self.run(|member, buffer| member.exchange(buffer) || member.ended);
        self.members.iter().filter(|member| member.received < member.goal).count()
    }

    /// Every member, all of which may be cut, sends up to `len` more bytes and receives, checked, until the server ends
    /// the stream; returns how many bytes that were in all.
    pub(crate) fn echo_to_end(&mut self, len: usize) -> u64 {
        self.set_goals(len as u64);
        self.run(|member, buffer| {
            member.exchange(buffer);
            member.ended
        });
        self.members.iter().map(|member| member.received).sum()
    }

    /// Every member ends its sending direction, receives what it is owed and then end of stream.
    pub(crate) fn finish(mut self) {
        self.set_goals(0);
        for member in &self.members {
            member.socket.shutdown(Shutdown::Write).unwrap();
        }
        self.run(|member, buffer| {
            member.receive(buffer);
            member.ended
        });
        for member in &self.members {
            assert_eq!(member.received, member.sent, "bytes before the end of stream");
        }
    }

    /// Every member closes with RST, dropping what is queued.
    pub(crate) fn reset(self) {
        for member in &self.members {
            kernel::reset_on_close(&member.socket);
        }
    }

    /// Every member sends `len` more bytes; returns how many have them all back, checked, within `span`.
    pub(crate) fn answered_within(&mut self, len: usize, span: Duration) -> usize {
        self.set_goals(len as u64);
        self.members.len() - self.run_until(Instant::now() + span, Member::exchange)
    }

    /// Members play request and response, `len` bytes each way and one request in flight each, for `span`; returns
    /// the response times of each member.
    pub(crate) fn request_response(&mut self, len: usize, span: Duration) -> Vec<Vec<Duration>> {
        let mut rounds: Vec<Vec<Duration>> = vec![Vec::new(); self.members.len()];
        let end = Instant::now() + span;
        let mut begun = vec![Instant::now(); self.members.len()];
        self.set_goals(len as u64);
        self.members.iter_mut().for_each(Member::send);
        while self.members.iter().any(|member| member.received < member.goal) {
            assert!(Instant::now() < end + patience(), "{}", self.progress());
            self.wait(Duration::from_millis(50));
            for event in 0..self.events.len() {
                let index = self.events.get(event).0 as usize;
                let member = &mut self.members[index];
                member.send();
                member.receive(&mut self.buffer);
                let now = Instant::now();
                if member.received == member.goal && now < end {
                    rounds[index].push(now - begun[index]);
                    begun[index] = now;
                    member.goal += len as u64;
                    member.send();
                }
            }
        }
        rounds
    }

    fn set_goals(&mut self, len: u64) {
        for member in &mut self.members {
            member.goal = member.sent + len;
        }
    }

    /// Lets every member act, at once and whenever it is ready, until `done` says so of each.
    fn run(&mut self, act: impl FnMut(&mut Member, &mut [u8]) -> bool) {
        let left = self.run_until(Instant::now() + patience(), act);
        assert_eq!(left, 0, "connections hang; {}", self.progress());
    }

    /// As [`run`](Self::run), at most until `deadline`; returns how many members are not done.
    fn run_until(&mut self, deadline: Instant, mut act: impl FnMut(&mut Member, &mut [u8]) -> bool) -> usize {
        let mut pending: Vec<bool> =
            self.members.iter_mut().map(|member| !act(member, &mut self.buffer)).collect();
        let mut left = pending.iter().filter(|&&pending| pending).count();
        while left > 0 && Instant::now() < deadline {
            let span = deadline.saturating_duration_since(Instant::now());
            self.wait(span);
            for event in 0..self.events.len() {
                let index = self.events.get(event).0 as usize;
                if act(&mut self.members[index], &mut self.buffer) && pending[index] {
                    pending[index] = false;
                    left -= 1;
                }
            }
        }
        left
    }

    /// Waits for readiness, at most `span`. Whoever freezes and thaws the machine, a debugger or a hypervisor, ends the
    /// wait early and for nothing.
    fn wait(&mut self, span: Duration) {
        match self.epoll.wait(&mut self.events, Some(span.into())) {
            Err(errno) if errno.interrupted() => {}
            outcome => _ = outcome.unwrap(),
        }
    }

    fn progress(&self) -> String {
        let received: u64 = self.members.iter().map(|member| member.received).sum();
        format!("{received} bytes came back of {} sent", self.sent())
    }
}

impl Member {
    fn connect(addr: SocketAddr, buffers: SocketBuffers) -> Self {
        let socket =
            kernel::connect(addr, buffers).unwrap_or_else(|error| panic!("connect to {addr}: {error}"));
        socket.set_nodelay(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            socket,
            pattern: Pattern::new(next_id()),
            sent: 0,
            received: 0,
            goal: 0,
            ended: false,
            may_be_cut: false,
        }
    }

    /// Sends towards the goal what the kernel takes.
    fn send(&mut self) {
        while self.sent < self.goal {
            let piece = self.pattern.slice(self.sent, CHUNK_BYTES.min((self.goal - self.sent) as usize));
            match (&self.socket).write(piece) {
                Ok(count) => self.sent += count as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if self.may_be_cut && is_cut(&error) => return,
                Err(error) => panic!("send failed after {} bytes: {error}", self.sent),
            }
        }
    }

    /// Sends and receives what it can; whether the goal has come back whole.
    fn exchange(&mut self, buffer: &mut [u8]) -> bool {
        self.send();
        self.receive(buffer);
        self.received == self.goal
    }

    /// Receives what is there and checks it.
    fn receive(&mut self, buffer: &mut [u8]) {
        while !self.ended {
            match (&self.socket).read(buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    let bytes = &buffer[..count];
                    self.pattern.check(self.received, bytes).unwrap_or_else(|mismatch| panic!("{mismatch}"));
                    self.received += count as u64;
                    assert!(self.received <= self.sent, "more came back than was sent");
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if self.may_be_cut && is_cut(&error) => self.ended = true,
                Err(error) => {
                    panic!("receive failed after {} of {} bytes: {error}", self.received, self.sent)
                }
            }
        }
        assert!(self.may_be_cut || self.received == self.goal, "end of stream with bytes still owed");
    }
}
