//! What is told of a way to echo before it is chosen: its name, and the kernel that it needs.

use crate::kernel_version::KernelVersion;
use crate::probe;
use crate::refusal::Refusal;

/// One way to echo, as it is told of.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// `epoll` or `uring`.
    pub engine: &'static str,
    /// What selects it.
    pub name: &'static str,
    /// The first release of Linux that can run it.
    pub since: KernelVersion,
    /// Features it uses beyond those of the default settings, as `uring-echo probe` calls them.
    pub needs: &'static [&'static str],
    /// What it does.
    pub summary: &'static str,
    /// Whether peers that do not read, or that send as fast as they can, leave the others their share.
    pub cured: bool,
    /// Whether it wants completion work only inside of the server's own wait (`--setup defer`).
    pub deferred: bool,
}

/// A description of a way to echo.
pub const fn described(
    engine: &'static str,
    name: &'static str,
    since: KernelVersion,
    needs: &'static [&'static str],
    summary: &'static str,
) -> Described {
    Described { engine, name, since, needs, summary, cured: true, deferred: false }
}

impl Described {
    /// Tries what it needs.
    ///
    /// # Errors
    /// The first feature that this kernel lacks.
    pub fn require(&self) -> Result<(), Refusal> {
        self.needs.iter().find_map(|name| probe::obstacle(name)).map_or(Ok(()), Err)
    }
}
