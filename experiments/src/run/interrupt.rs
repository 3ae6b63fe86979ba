//! Ctrl-C and SIGTERM, noticed between steps, so that whatever is half done can be ended in order.

use std::cell::Cell;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use uring_echo::sys::signal::{Signal, Signals};

/// What a shell reports of a program that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

/// Whether the user wants the runner to stop.
#[derive(Debug)]
pub struct Interrupt {
    signals: Signals,
    requested: Cell<bool>,
}

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited<T> {
    /// With what was waited for.
    Done(T),
    /// Because the time was up.
    TimedOut,
    /// Because the user wants the runner to stop.
    Interrupted,
}

impl Interrupt {
    /// From now on SIGINT and SIGTERM do not end this process.
    ///
    /// # Errors
    /// When descriptors or memory have run out.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { signals: Signals::open()?, requested: Cell::new(false) })
    }

    /// Whether to stop. Once true, always true.
    pub fn requested(&self) -> bool {
        while let Ok(Some(signal)) = self.signals.next() {
            self.requested.set(self.requested.get() || signal == Signal::Stop);
        }
        self.requested.get()
    }

    /// Asks `step` every `pause` until it has something, `limit` is over or the user wants to stop.
    ///
    /// # Errors
    /// What `step` says.
    pub fn wait<T, E>(
        &self,
        limit: Duration,
        pause: Duration,
        mut step: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Waited<T>, E> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(value) = step()? {
                return Ok(Waited::Done(value));
            }
            if self.requested() {
                return Ok(Waited::Interrupted);
            }
            if Instant::now() >= deadline {
                return Ok(Waited::TimedOut);
            }
            thread::sleep(pause);
        }
    }
}
