//! What the cases are told in: a server process, one connection, a fleet of connections, what /proc says of them.

pub(crate) mod fairness;
pub(crate) mod fleet;
pub(crate) mod kernel;
pub(crate) mod pattern;
pub(crate) mod procfs;
pub(crate) mod scale;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod stream;

pub(crate) use fleet::Fleet;
pub(crate) use scale::{patience, scaled};
pub(crate) use server::{Engine, Launch, Server};
pub(crate) use stream::Stream;

use std::sync::{Mutex, PoisonError, RwLock};

/// Held shared by cases that load the machine lightly, alone by those that would starve another case of its time.
static MACHINE: RwLock<()> = RwLock::new(());

/// Runs `case` with whatever else runs.
pub(crate) fn beside_others(case: impl FnOnce()) {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    case();
}

/// Runs `case` beside others, but beside none of its own kind: two would hold more than the kernel has for sockets.
pub(crate) fn one_at_a_time(case: impl FnOnce()) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    beside_others(case);
}

/// Runs `case` with nothing else running.
pub(crate) fn alone(case: impl FnOnce()) {
    let _exclusive = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    case();
}
