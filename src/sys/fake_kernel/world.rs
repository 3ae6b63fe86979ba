//! The other ends of the fake kernel's sockets: peers that write, read, stop reading, finish, reset, or stay.

use std::collections::VecDeque;

use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

/// Number of an accepted connection, in the table or among the descriptors.
pub(super) type FileNumber = i32;

/// How much a socket keeps that nobody has received, or that its peer has not read.
const SOCKET_BYTES: usize = 200;

/// How a peer's connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It shuts down its write side and reads on.
    HalfClose,
    /// It is reset at some moment.
    Reset,
    /// It stays, until the server goes.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Backlogged,
    Open(FileNumber),
    Closed,
}

/// One peer and its socket in the server's kernel.
#[derive(Debug)]
pub(super) struct Peer {
    /// All it ever writes, of which `written` bytes have arrived and `received` have been received.
    input: Vec<u8>,
    written: usize,
    received: usize,
    /// What came back, of which it has read `read` bytes.
    echoed: Vec<u8>,
    read: usize,
    end: End,
    /// It does not read until all others have what they are owed.
    stubborn: bool,
    state: State,
    pub(super) finished: bool,
    pub(super) reset: bool,
    /// The server was told of an error that is the end of this connection.
    pub(super) broken: bool,
}

/// How far a peer has got, to be compared with an earlier mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    written: usize,
    read: usize,
    finished: bool,
    reset: bool,
}

impl Mark {
    /// Whether something came in since `earlier`.
    pub(super) fn has_input_since(self, earlier: Self) -> bool {
        Self { read: earlier.read, ..self } != earlier
    }

    /// Whether there is more room to send, or a failure to be fetched by sending.
    pub(super) fn has_room_since(self, earlier: Self) -> bool {
        self.read != earlier.read || self.reset != earlier.reset
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Connect,
    Write,
    Read,
    Finish,
    Reset,
}

impl Peer {
    fn new(input: Vec<u8>, end: End, stubborn: bool) -> Self {
        Self {
            input,
            written: 0,
            received: 0,
            echoed: Vec::new(),
            read: 0,
            end,
            stubborn,
            state: State::Absent,
            finished: false,
            reset: false,
            broken: false,
        }
    }

    /// Bytes that wait to be received.
    pub(super) fn arrived_bytes(&self) -> usize {
        self.written - self.received
    }

    /// How much more can be sent to it.
    pub(super) fn window_bytes(&self) -> usize {
        SOCKET_BYTES - (self.echoed.len() - self.read)
    }

    pub(super) const fn mark(&self) -> Mark {
        let Self { written, read, finished, reset, .. } = *self;
        Mark { written, read, finished, reset }
    }

    /// The server cannot but close it.
    pub(super) const fn lose(&mut self) {
        (self.reset, self.broken) = (true, true);
    }

    /// Lets the server close it, if it had no reason to. Returns whether that was needed.
    pub(super) fn excuse(&mut self) -> bool {
        let complete = self.finished && self.arrived_bytes() == 0;
        let needed = !complete && !self.broken;
        if needed {
            self.lose();
        }
        needed
    }

    pub(super) fn receive(&mut self, count: usize) -> &[u8] {
        self.received += count;
        &self.input[self.received - count..self.received]
    }

    /// # Panics
    /// If `bytes` are not what comes next of what it wrote.
    pub(super) fn echo(&mut self, bytes: &[u8]) {
        let start = self.echoed.len();
        assert!(start + bytes.len() <= self.received, "echoed more than was received");
        assert!(
            self.input[start..].starts_with(bytes),
            "echoed other bytes than were received, from {start} on"
        );
        self.echoed.extend_from_slice(bytes);
    }

    /// Whether all that it wrote came back, and the connection is over if it should be; if it got in.
    fn is_served(&self, full: bool) -> bool {
        let all = self.received == self.input.len() && self.echoed == self.input;
        match self.state {
            State::Absent | State::Backlogged => full,
            State::Open(_) => all && self.end == End::Never,
            State::Closed => all || self.reset,
        }
    }

    fn can(&self, act: Act) -> bool {
        let here = matches!(self.state, State::Backlogged | State::Open(_)) && !self.reset;
        match act {
            Act::Connect => self.state == State::Absent,
            Act::Write => here && self.written < self.input.len() && self.arrived_bytes() < SOCKET_BYTES,
            Act::Read => self.read < self.echoed.len() && !self.stubborn,
            Act::Finish => {
                here && !self.finished && self.end == End::HalfClose && self.written == self.input.len()
            }
            Act::Reset => here && self.end == End::Reset,
        }
    }
}

/// All peers, and the listener's backlog.
#[derive(Debug)]
pub(crate) struct World {
    peers: Vec<Peer>,
    backlog: VecDeque<usize>,
    pub(super) backlog_max: usize,
    pub(super) listening: bool,
    /// How many peers have connected.
    pub(super) connects: usize,
}

impl World {
    /// `count` peers, each of which writes bytes of its own.
    pub(crate) fn new(count: usize, backlog_max: usize, random: &mut TestRng) -> Self {
        let ends = [End::HalfClose, End::HalfClose, End::HalfClose, End::Reset, End::Never];
        let stubborn_per_mille = [0, 0, 300, 800][random.random_range(0..4)];
        let peer = |random: &mut TestRng| {
            let len = if random.random_ratio(1, 8) { 0 } else { random.random_range(1..1500) };
            let input = (0..len).map(|_| random.random_range(0..=255)).collect();
            let stubborn = random.random_ratio(stubborn_per_mille, 1000);
            Peer::new(input, ends[random.random_range(0..ends.len())], stubborn)
        };
        let peers = (0..count).map(|_| peer(random)).collect();
        Self { peers, backlog: VecDeque::new(), backlog_max, listening: true, connects: 0 }
    }

    /// Lets one peer do one thing that it can do. Returns whether any could.
    pub(super) fn step(&mut self, random: &mut TestRng) -> bool {
        let acts = [Act::Connect, Act::Write, Act::Read, Act::Finish, Act::Reset];
        let may_connect = self.listening && self.backlog.len() < self.backlog_max;
        let possible: Vec<(usize, Act)> = (0..self.peers.len())
            .flat_map(|peer| acts.map(|act| (peer, act)))
            .filter(|&(peer, act)| self.peers[peer].can(act))
            .filter(|&(_, act)| may_connect || !matches!(act, Act::Connect))
            .collect();
        if possible.is_empty() {
            return false;
        }
        let (number, act) = possible[random.random_range(0..possible.len())];
        let peer = &mut self.peers[number];
        match act {
            Act::Connect => {
                peer.state = State::Backlogged;
                self.connects += 1;
                self.backlog.push_back(number);
            }
            Act::Write => {
                let room = (peer.input.len() - peer.written).min(SOCKET_BYTES - peer.arrived_bytes());
                peer.written += random.random_range(1..=room);
            }
            Act::Read => peer.read += random.random_range(1..=peer.echoed.len() - peer.read),
            Act::Finish => peer.finished = true,
            Act::Reset => peer.reset = true,
        }
        true
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Takes the peer that waits longest out of the backlog and lets it be file `number`.
    pub(super) fn accept(&mut self, number: FileNumber) {
        let peer = self.backlog.pop_front().expect("somebody waits");
        self.peers[peer].state = State::Open(number);
    }

    /// Loses the peer that waits longest.
    pub(super) fn abort(&mut self) {
        let peer = self.backlog.pop_front().expect("somebody waits");
        (self.peers[peer].state, self.peers[peer].reset) = (State::Closed, true);
    }

    /// Ends listening, which resets who waits.
    pub(super) fn stop_listening(&mut self) {
        self.listening = false;
        while self.has_waiting() {
            self.abort();
        }
    }

    /// # Panics
    /// If no such file is open.
    pub(super) fn at(&mut self, number: FileNumber) -> &mut Peer {
        let mut peers = self.peers.iter_mut();
        peers
            .find(|peer| peer.state == State::Open(number))
            .unwrap_or_else(|| panic!("file {number} is not open"))
    }

    /// The lowest number from `base` on that no open file has.
    pub(super) fn free_number(&self, base: FileNumber) -> FileNumber {
        let is_free = |number: &FileNumber| !self.peers.iter().any(|peer| peer.state == State::Open(*number));
        (base..).find(is_free).expect("there are more numbers than peers")
    }

    /// Closes file `number`.
    ///
    /// # Panics
    /// If its peer is owed bytes, or is sent away without a reason.
    pub(super) fn close(&mut self, number: FileNumber) {
        let stopping = !self.listening;
        let peer = self.at(number);
        let owed_bytes = peer.received - peer.echoed.len();
        assert!(peer.broken || owed_bytes == 0, "closed while {owed_bytes} bytes were owed");
        let complete = peer.finished && peer.arrived_bytes() == 0;
        assert!(peer.broken || complete || stopping, "closed, though neither finished nor broken: {peer:?}");
        peer.state = State::Closed;
    }

    /// Whether everybody is served who does not refuse to read.
    pub(crate) fn is_served_but_stubborn(&self, connections_max: usize) -> bool {
        let full = self.open() >= connections_max;
        self.peers.iter().all(|peer| peer.stubborn || peer.is_served(full))
    }

    /// Makes the stubborn read. Returns whether there were any.
    pub(crate) fn soften(&mut self) -> bool {
        let any = self.peers.iter().any(|peer| peer.stubborn);
        self.peers.iter_mut().for_each(|peer| peer.stubborn = false);
        any
    }

    /// # Panics
    /// If a peer still waits for something that a server of at most `connections_max` owes it.
    pub(super) fn assert_served(&self, connections_max: usize) {
        let full = self.open() >= connections_max;
        for (number, peer) in self.peers.iter().enumerate() {
            assert!(peer.is_served(full), "peer {number} waits for ever: {peer:?}");
        }
    }

    /// Bytes received from all peers, and sent to them.
    pub(crate) fn moved_bytes(&self) -> (u64, u64) {
        let bytes = |of: fn(&Peer) -> usize| self.peers.iter().map(|peer| of(peer) as u64).sum();
        (bytes(|peer| peer.received), bytes(|peer| peer.echoed.len()))
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.peers.iter().filter(|peer| matches!(peer.state, State::Open(_))).count()
    }
}
