//! The strategies of this engine, by name. They are one loop: they differ in what the kernel is asked to tell.

use crate::kernel_version::KernelVersion;
use crate::refusal::{Refusal, Request};
use crate::server::shell::config::Readying;
use crate::server::shell::described::{Described, described};
use crate::sys::epoll::Epoll;
use crate::units::Nanos;

/// The ways in which this engine echoes.
pub(in crate::server) static STRATEGIES: [Described; 3] = [
    described(
        "epoll",
        "edge",
        RELEASE,
        &[],
        "readiness is told once; a ring of ready connections remembers it",
    ),
    described("epoll", "level", RELEASE, &[], "readiness is told at every wait, as long as it lasts"),
    described(
        "epoll",
        "busy",
        BUSY_RELEASE,
        &["epoll busy poll"],
        "edge, and a wait polls the network card, where there is one",
    ),
];

/// The first release with epoll.
const RELEASE: KernelVersion = KernelVersion::new(2, 6);

/// The first release whose epoll instances can be told to poll the network card.
const BUSY_RELEASE: KernelVersion = KernelVersion::new(6, 9);

/// What then is asked for.
const BUSY: Request = Request::Feature { name: "epoll busy poll (--strategy busy)", since: BUSY_RELEASE };

/// How long a wait polls the network card before it sleeps: a few round trips within a data centre.
const BUSY_POLL: Nanos = Nanos(50_000);

/// Tells a new instance what `strategy` asks of it as a whole.
///
/// # Errors
/// When the kernel does not know it.
pub(super) fn prepare(epoll: &Epoll, strategy: Readying) -> Result<(), Refusal> {
    match strategy {
        Readying::Edge | Readying::Level => Ok(()),
        Readying::Busy => epoll.poll_card(BUSY_POLL).map_err(|errno| Refusal::here(errno, BUSY)),
    }
}
