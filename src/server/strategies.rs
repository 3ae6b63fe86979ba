//! What there is to choose from: every way to echo, of either engine.

use crate::server::shell::described::Described;
use crate::server::{epoll, uring};

/// Every way to echo, engine by engine.
pub fn all() -> impl Iterator<Item = &'static Described> {
    epoll::catalog::STRATEGIES.iter().chain(uring::catalog::STRATEGIES.iter().map(|entry| &entry.described))
}
