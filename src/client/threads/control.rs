//! How the coordinator and the load threads talk: one phase number down, a few reports up.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use crate::client::load::phase::Phase;

/// What a load thread says, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// Its connections are established.
    Connected,
    /// Its ledgers were copied at the beginning of the window.
    WindowBegun(Tally),
    /// Its ledgers were copied at the end of the window.
    WindowEnded(Tally),
    /// Everything its flows sent has come back.
    Drained,
    /// Its flows read the end of their streams.
    Closed,
    /// It returned early; its outcome says why.
    Failed,
}

/// What came back to the flows of a thread, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Connections established.
    pub(crate) connections: u64,
    /// Bytes since the run began.
    pub(crate) received_bytes: u64,
    /// Messages since the run began.
    pub(crate) messages: u64,
}

impl Tally {
    /// Both together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            received_bytes: self.received_bytes + other.received_bytes,
            messages: self.messages + other.messages,
        }
    }
}

/// A thread's tally where the coordinator can see it. On a cache line of its own: it is written every iteration.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Published {
    connections: AtomicU64,
    received_bytes: AtomicU64,
    messages: AtomicU64,
}

/// A load thread's end.
pub(crate) struct Control {
    phase: Arc<AtomicU8>,
    published: Arc<Published>,
    wake: UnixStream,
    reports: Sender<Report>,
}

impl Control {
    /// The phase the run is in.
    pub(crate) fn phase(&self) -> Phase {
        Phase::ALL[self.phase.load(Ordering::Acquire) as usize]
    }

    /// Readable once for each change of phase. Never read from: its edges are all that is needed, and there are
    /// fewer of them than its buffer has bytes.
    pub(crate) fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Shows the coordinator how far the thread has got.
    pub(crate) fn publish(&self, tally: Tally) {
        self.published.connections.store(tally.connections, Ordering::Relaxed);
        self.published.received_bytes.store(tally.received_bytes, Ordering::Relaxed);
        self.published.messages.store(tally.messages, Ordering::Relaxed);
    }

    /// Tells the coordinator.
    pub(crate) fn report(&self, report: Report) {
        // A coordinator that no longer listens has given up and waits for the thread to end.
        let _ = self.reports.send(report);
    }
}

/// The coordinator's end.
pub(crate) struct Command {
    phase: Arc<AtomicU8>,
    threads: Vec<(Arc<Published>, UnixStream)>,
    /// What the threads say.
    pub(crate) reports: Receiver<Report>,
}

impl Command {
    /// Both ends, for `thread_count` threads.
    ///
    /// # Errors
    /// EMFILE, ENFILE or ENOMEM.
    pub(crate) fn new(thread_count: usize) -> io::Result<(Self, Vec<Control>)> {
        let phase = Arc::new(AtomicU8::new(Phase::Connect as u8));
        let (sender, reports) = mpsc::channel();
        let (mut threads, mut controls) = (Vec::new(), Vec::new());
        for _ in 0..thread_count {
            let (ours, theirs) = UnixStream::pair()?;
            ours.set_nonblocking(true)?;
            let published = Arc::new(Published::default());
            threads.push((Arc::clone(&published), ours));
            controls.push(Control {
                phase: Arc::clone(&phase),
                published,
                wake: theirs,
                reports: sender.clone(),
            });
        }
        Ok((Self { phase, threads, reports }, controls))
    }

    /// Puts the run into `phase` and wakes every thread.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
        for (_, wake) in &self.threads {
            // Fails only if the thread has ended, and then there is nobody to wake.
            let _ = (&*wake).write(&[0]);
        }
    }

    /// What all threads have published.
    pub(crate) fn tally(&self) -> Tally {
        let read = |published: &Published| Tally {
            connections: published.connections.load(Ordering::Relaxed),
            received_bytes: published.received_bytes.load(Ordering::Relaxed),
            messages: published.messages.load(Ordering::Relaxed),
        };
        self.threads.iter().fold(Tally::default(), |sum, (published, _)| sum.plus(read(published)))
    }
}
