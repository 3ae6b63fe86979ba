//! A kernel for tests, in two halves: [`FakeQueues`] stands behind a [`Ring`](super::ring::Ring), [`FakeSockets`] behind an
//! epoll server. It completes and reports in an order drawn from a seed. Whatever Linux may do to a server it does, and
//! often; what Linux never does, it refuses to be asked.
//!
//! The other ends of its sockets are in [`world`]. Nothing depends on the time or on another thread, so a seed replays.

mod completion;
mod direct;
mod entry;
mod operations;
mod provided;
mod queues;
mod shared_buffers;
mod sockets;
mod world;

use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

pub(crate) use self::queues::{FakeQueues, ring};
pub(crate) use self::sockets::FakeSockets;
use self::world::FileNumber;
pub(crate) use self::world::World;
use super::{Errno, clock};
use crate::units::Nanos;

/// Where descriptors of accepted connections begin, when they go to no table.
const FIRST_DESCRIPTOR: FileNumber = 1000;

/// What kind of kernel this is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Connections that the server serves at most, and places in its table of direct descriptors.
    pub(crate) connections_max: usize,
    /// How often something goes wrong where it can, in a thousand.
    pub(crate) faults_per_mille: u32,
    /// The server is told to stop early, rather than when all are served.
    pub(crate) stops_early: bool,
}

/// How far the server has been told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    NotYet,
    /// The signal waits to be read.
    Raised,
    /// The server has been told that it does.
    Told,
}

/// What both halves share: chance, the peers, the end.
pub(crate) struct Fate {
    random: TestRng,
    rules: Rules,
    /// The peers.
    pub(crate) world: World,
    stop: Stop,
    /// Errors that end a connection, told to the server.
    pub(crate) fatal_errors: u64,
    /// Completions or events of dead connections.
    pub(crate) late: u64,
    /// Nobody will ever know what became of something that was asked.
    pub(crate) is_lost: bool,
}

impl Fate {
    /// A kernel that behaves as `rules` and `random` say, with the other ends of its connections in `world`.
    pub(crate) const fn new(rules: Rules, world: World, random: TestRng) -> Self {
        Self { random, rules, world, stop: Stop::NotYet, fatal_errors: 0, late: 0, is_lost: false }
    }

    /// Whether something goes wrong this time.
    fn errs(&mut self) -> bool {
        self.random.random_ratio(self.rules.faults_per_mille, 1000)
    }

    fn any_of(&mut self, errnos: &[i32]) -> Errno {
        Errno(errnos[self.random.random_range(0..errnos.len())])
    }

    /// An error that the connection does not outlive.
    fn fatal(&mut self, errnos: &[i32]) -> Errno {
        self.fatal_errors += 1;
        self.any_of(errnos)
    }

    /// Lets one peer act, or tells the server to stop. Returns whether there was anything to do.
    fn step(&mut self) -> bool {
        let early = self.rules.stops_early && self.random.random_ratio(1, 400);
        if early && self.stop == Stop::NotYet {
            self.raise_stop();
            return true;
        }
        self.world.step(&mut self.random)
    }

    fn raise_stop(&mut self) {
        // SAFETY: the call takes an integer; the signal is blocked in this thread, which is the one it goes to.
        Errno::check(unsafe { libc::raise(libc::SIGTERM) }).expect("a thread may signal itself");
        self.stop = Stop::Raised;
    }

    /// The server learns of the stop, and stops to listen.
    fn tell_stop(&mut self) {
        self.stop = Stop::Told;
        self.world.stop_listening();
    }

    /// Nothing moves any more, and the server waits without a limit: all must be served. First those who read, beside those
    /// who do not; then these, who begin to.
    fn on_exhausted(&mut self) {
        assert!(self.stop == Stop::NotYet, "the server stops and waits for ever");
        let most = self.rules.connections_max;
        assert!(
            self.world.is_served_but_stubborn(most),
            "who does not read keeps others waiting: {:?}",
            self.world
        );
        if self.world.soften() {
            return;
        }
        self.world.assert_served(self.rules.connections_max);
        self.raise_stop();
    }

    /// Whether a wait ends before anything has happened, time having passed: for certain if nothing `moved`.
    fn times_out(&mut self, moved: bool, timeout: Option<Nanos>) -> bool {
        let Some(timeout) = timeout else { return false };
        let ends = !moved || self.random.random_ratio(1, 50);
        if ends {
            clock::pass(timeout);
        }
        ends
    }

    /// Some time passes, now and then as long as if others had had the core. Perhaps the wait that begins is refused.
    fn begin_wait(&mut self) -> Result<(), Errno> {
        let most = if self.random.random_ratio(1, 40) { Nanos::from_millis(300) } else { Nanos(50_000) };
        clock::pass(Nanos(self.random.random_range(0..most.0)));
        if self.errs() && self.errs() {
            return Err(self.any_of(&[libc::EINTR, libc::EAGAIN, libc::EBUSY, libc::ENOMEM]));
        }
        Ok(())
    }

    /// How much a receive of `len` bytes from `number` would bring: none at the end of the stream.
    fn received_by(&mut self, number: FileNumber, len: usize) -> Result<usize, Errno> {
        let peer = self.world.at(number);
        let (count, finished) = (peer.arrived_bytes().min(len), peer.finished);
        self.unless_reset(number, &[libc::ECONNRESET, libc::ETIMEDOUT])?;
        if count == 0 && !finished { Err(Errno(libc::EAGAIN)) } else { Ok(count) }
    }

    /// Fails with one of `errnos` if the peer of `number` has reset its connection, which is then broken.
    fn unless_reset(&mut self, number: FileNumber, errnos: &[i32]) -> Result<(), Errno> {
        let peer = self.world.at(number);
        if !peer.reset {
            return Ok(());
        }
        peer.broken = true;
        Err(self.fatal(errnos))
    }

    /// Takes the next peer out of the backlog, or says why not.
    fn accept(&mut self, first_number: FileNumber) -> Result<FileNumber, Errno> {
        if !self.world.listening {
            return Err(Errno(libc::EINVAL));
        }
        if !self.world.has_waiting() {
            return Err(Errno(libc::EAGAIN));
        }
        if self.errs() {
            let errno = self.any_of(&[libc::ECONNABORTED, libc::EMFILE, libc::ENFILE, libc::ENOMEM]);
            if errno.0 == libc::ECONNABORTED {
                self.world.abort();
            }
            return Err(errno);
        }
        assert!(
            self.world.open() < self.rules.connections_max,
            "accepted past the table: a connection is lost"
        );
        let number = self.world.free_number(first_number);
        self.world.accept(number);
        Ok(number)
    }
}
