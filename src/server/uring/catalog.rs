//! The strategies of this engine, by name.

use std::net::SocketAddr;

use super::UringServer;
use super::strategy::{
    Adaptive, AdaptiveLinked, Alternate, Bundle, Incremental, Inline, Linked, Multishot, MultishotGroup,
    MultishotLimit, MultishotQuota, Private, PrivateLinked, Strategy,
};
use crate::measure::counters::Counters;
use crate::server::shell::config::{Preset, UringConfig};
use crate::server::shell::described::{Described, described};
use crate::server::shell::error::{ServeError, StartError};
use crate::units::Bytes;

/// A strategy that can be chosen.
pub struct Entry {
    /// What `uring-echo strategies` tells of it.
    pub described: Described,
    /// Size of a buffer where nobody says, if not what the preset has.
    pub buffer_bytes: Option<Bytes>,
    start: fn(&UringConfig) -> Result<Box<dyn Engine>, StartError>,
    /// Serves the peers of a seed in a simulated kernel.
    #[cfg(test)]
    pub(super) simulate: fn(u64) -> Counters,
}

impl Entry {
    const fn of<S: Strategy>() -> Self {
        Self {
            described: Described {
                cured: S::CURED,
                deferred: S::DEFERRED.is_some(),
                ..described("uring", S::NAME, S::SINCE, S::NEEDS, S::SUMMARY)
            },
            buffer_bytes: S::BUFFER_BYTES,
            start: |config| Ok(Box::new(UringServer::<S>::start(config)?)),
            #[cfg(test)]
            simulate: super::simulation::simulate::<S>,
        }
    }
}

/// All of them: the default, then the simplest and those that differ least from it.
pub static STRATEGIES: &[Entry] = &[
    Entry::of::<Adaptive>(),
    Entry::of::<AdaptiveLinked>(),
    Entry::of::<Alternate>(),
    Entry::of::<Linked>(),
    Entry::of::<Private>(),
    Entry::of::<PrivateLinked>(),
    Entry::of::<Incremental>(),
    Entry::of::<Bundle>(),
    Entry::of::<Inline>(),
    Entry::of::<Multishot>(),
    Entry::of::<MultishotQuota>(),
    Entry::of::<MultishotGroup>(),
    Entry::of::<MultishotLimit>(),
];

/// The strategy that is chosen where nobody chooses. The study left all to the ring.
pub const fn default(preset: Preset) -> &'static str {
    match preset {
        Preset::Tuned => Adaptive::NAME,
        Preset::Study => Alternate::NAME,
    }
}

/// An engine with its strategy, listening.
pub trait Engine {
    /// Address the server listens on.
    fn addr(&self) -> SocketAddr;

    /// One iteration of its loop.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    fn iterate(&mut self) -> Result<(), ServeError>;

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the kernel refuses to wait.
    fn run(self: Box<Self>) -> Result<Counters, ServeError>;
}

impl<S: Strategy> Engine for UringServer<S> {
    fn addr(&self) -> SocketAddr {
        self.listener.addr()
    }

    fn iterate(&mut self) -> Result<(), ServeError> {
        self.iterate()
    }

    fn run(self: Box<Self>) -> Result<Counters, ServeError> {
        (*self).run()
    }
}

/// Starts the server that `config` asks for.
///
/// # Errors
/// When the kernel lacks something, or something does not go together, with cause and remedy.
///
/// # Panics
/// On a strategy that is not in the catalogue: the command line takes no other.
pub fn start(config: &UringConfig) -> Result<Box<dyn Engine>, StartError> {
    let known = STRATEGIES.iter().find(|entry| entry.described.name == config.strategy);
    let entry = known.expect("a strategy was chosen by its name");
    entry.described.require()?;
    (entry.start)(config)
}
