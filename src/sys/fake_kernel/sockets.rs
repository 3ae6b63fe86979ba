//! The half behind an epoll server: sockets that are ready when they like.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use proptest::prelude::RngExt;

use super::world::{FileNumber, Mark};
use super::{FIRST_DESCRIPTOR, Fate, Stop};
use crate::sys::Errno;
use crate::sys::epoll::{Events, Interest};
use crate::sys::readiness::Sockets;
use crate::token::{Op, Token};
use crate::units::Nanos;

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const RDHUP: u32 = libc::EPOLLRDHUP as u32;
const BROKEN: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
const EDGE: u32 = libc::EPOLLET.cast_unsigned();

/// Errors other than `EAGAIN` after which the same may be tried again.
const PASSING: [i32; 3] = [libc::EINTR, libc::ENOMEM, libc::ENOBUFS];

/// What epoll knows of a socket.
struct Watch {
    user_data: u64,
    interest: u32,
    /// Something happened that is to be told.
    woken: bool,
    /// It was told, and no receive has looked since.
    told: bool,
    /// Somebody found no room to send, so room is to be told.
    wants_room: bool,
    /// Its peer when it was last looked at.
    mark: Mark,
}

/// The socket of an accepted connection.
pub(crate) struct FakeSocket(FileNumber);

/// Sockets with a kernel of their own.
pub(crate) struct FakeSockets {
    /// Chance, and the peers.
    pub(crate) fate: Fate,
    watches: BTreeMap<FileNumber, Watch>,
    listener_woken: bool,
    connects_seen: usize,
    /// User data of connections that are closed.
    dead: Vec<u64>,
}

impl FakeSockets {
    pub(crate) const fn new(fate: Fate) -> Self {
        let watches = BTreeMap::new();
        Self { fate, watches, listener_woken: false, connects_seen: 0, dead: Vec::new() }
    }

    /// Lets a peer act. Returns whether any had something to do.
    fn step(&mut self) -> bool {
        let moved = self.fate.step();
        let world = &mut self.fate.world;
        self.listener_woken |= world.connects > std::mem::replace(&mut self.connects_seen, world.connects);
        for (&number, watch) in &mut self.watches {
            let peer = world.at(number);
            let mark = std::mem::replace(&mut watch.mark, peer.mark());
            watch.woken |= watch.mark.has_input_since(mark);
            if watch.mark.has_room_since(mark) && watch.wants_room {
                (watch.woken, watch.wants_room) = (true, false);
            }
        }
        moved
    }

    /// What `number` is ready for, of what its watch asks.
    fn ready(&mut self, number: FileNumber) -> u32 {
        let peer = self.fate.world.at(number);
        let input = if peer.arrived_bytes() > 0 || peer.finished || peer.reset { IN } else { 0 };
        let end = if peer.finished || peer.reset { RDHUP } else { 0 };
        let room = if peer.window_bytes() > 0 || peer.reset { OUT } else { 0 };
        let broken = if peer.reset { BROKEN } else { 0 };
        let watch = self.watches.get_mut(&number).expect("only what is watched is looked at");
        watch.wants_room |= room == 0;
        (input | end | room | broken) & (watch.interest | BROKEN)
    }

    /// Tells of what is ready, most of it.
    fn report(&mut self, events: &mut Events) {
        if std::mem::take(&mut self.listener_woken) {
            events.push(Token::global(Op::Listener).to_bits(), IN);
        }
        let woken: Vec<FileNumber> =
            self.watches.iter().filter(|(_, watch)| watch.woken).map(|(&number, _)| number).collect();
        for number in woken {
            if self.fate.errs() {
                continue;
            }
            let ready = self.ready(number);
            let watch = self.watches.get_mut(&number).expect("it is watched");
            watch.woken = ready != 0 && watch.interest & EDGE == 0;
            watch.told |= ready & (IN | RDHUP | BROKEN) != 0;
            if ready != 0 {
                events.push(watch.user_data, ready);
            }
        }
        if self.fate.stop == Stop::Raised {
            events.push(Token::global(Op::Signal).to_bits(), IN);
            self.fate.tell_stop();
        }
        if !self.dead.is_empty() && self.fate.errs() {
            let user_data = self.dead[self.fate.random.random_range(0..self.dead.len())];
            events.push(user_data, IN | OUT | RDHUP);
            self.fate.late += 1;
        }
    }

    fn set(&mut self, socket: &FakeSocket, user_data: u64, interest: Interest) -> Result<(), Errno> {
        if self.fate.errs() && self.fate.errs() {
            return Err(self.fate.any_of(&[libc::ENOMEM, libc::ENOSPC]));
        }
        let mark = self.fate.world.at(socket.0).mark();
        let interest = interest.bits();
        let watch = Watch { user_data, interest, woken: false, told: false, wants_room: false, mark };
        self.watches.insert(socket.0, watch);
        let ready = self.ready(socket.0);
        self.watches.get_mut(&socket.0).expect("just inserted").woken = ready != 0;
        Ok(())
    }
}

impl Sockets for FakeSockets {
    type Socket = FakeSocket;

    fn accept(&mut self, _: BorrowedFd<'_>) -> Result<FakeSocket, Errno> {
        self.fate.accept(FIRST_DESCRIPTOR).map(FakeSocket)
    }

    fn recv(&mut self, socket: &FakeSocket, buffer: &mut [u8]) -> Result<usize, Errno> {
        let told = self.watches.get_mut(&socket.0).is_some_and(|watch| std::mem::take(&mut watch.told));
        let count = self.fate.received_by(socket.0, buffer.len())?;
        if self.fate.errs() {
            // Nothing after all, though it was told: only the first receive may be told so.
            let denied = told && self.fate.random.random();
            return Err(if denied { Errno(libc::EAGAIN) } else { self.fate.any_of(&PASSING) });
        }
        buffer[..count].copy_from_slice(self.fate.world.at(socket.0).receive(count));
        Ok(count)
    }

    fn send(&mut self, socket: &FakeSocket, bytes: &[u8]) -> Result<usize, Errno> {
        self.fate.unless_reset(socket.0, &[libc::ECONNRESET, libc::EPIPE])?;
        let room = self.fate.world.at(socket.0).window_bytes().min(bytes.len());
        if room > 0 && self.fate.errs() {
            return Err(self.fate.any_of(&[libc::EAGAIN, libc::EINTR, libc::ENOMEM, libc::ENOBUFS]));
        }
        let count = if room > 0 && self.fate.errs() { self.fate.random.random_range(1..=room) } else { room };
        if let Some(watch) = self.watches.get_mut(&socket.0) {
            watch.wants_room |= count < bytes.len();
        }
        if count == 0 {
            return Err(Errno(libc::EAGAIN));
        }
        self.fate.world.at(socket.0).echo(&bytes[..count]);
        Ok(count)
    }

    fn close(&mut self, socket: FakeSocket) {
        let peer = self.fate.world.at(socket.0);
        let unread = peer.arrived_bytes() > 0 && !peer.broken;
        if let Some(watch) = self.watches.remove(&socket.0) {
            assert!(!(watch.told && unread), "closed with bytes that it was told of and never received");
            self.dead.push(watch.user_data);
        }
        self.fate.world.close(socket.0);
    }

    fn watch(&mut self, socket: &FakeSocket, user_data: u64, interest: Interest) -> Result<(), Errno> {
        assert!(!self.watches.contains_key(&socket.0), "watched already");
        // Nothing could tell of it, so the server has to let it go.
        self.set(socket, user_data, interest).inspect_err(|_| self.fate.world.at(socket.0).lose())
    }

    fn rewatch(&mut self, socket: &FakeSocket, user_data: u64, interest: Interest) -> Result<(), Errno> {
        assert!(self.watches.contains_key(&socket.0), "not watched yet");
        self.set(socket, user_data, interest)
    }

    fn rewatch_listener(&mut self, _: BorrowedFd<'_>, _: u64, _: Interest) -> Result<(), Errno> {
        if self.fate.errs() {
            return Err(Errno(libc::ENOMEM));
        }
        self.listener_woken = self.fate.world.has_waiting();
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Nanos>) -> Result<(), Errno> {
        events.clear();
        self.fate.begin_wait()?;
        for _ in 0..self.fate.random.random_range(0..12) {
            self.step();
        }
        loop {
            self.report(events);
            if !events.is_empty() || timeout == Some(Nanos(0)) {
                return Ok(());
            }
            let moved = self.step();
            let quiet = !moved && !self.watches.values().any(|watch| watch.woken) && !self.listener_woken;
            if self.fate.times_out(!quiet, timeout) {
                return Ok(());
            }
            if quiet {
                self.fate.on_exhausted();
            }
        }
    }
}
