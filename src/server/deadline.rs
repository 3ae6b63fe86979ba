//! A deadline for tests that iterate an engine on their own thread: one that is broken may wait for ever.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Longer than any such test takes on a machine that is busy otherwise.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs `body` on a thread of its own.
///
/// # Panics
/// As `body` does, or when it is not done in a minute; its thread is then left waiting.
pub(super) fn in_time(body: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _done = done;
        body();
    });
    match is_done.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("the server waits for ever"),
        _ => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
    }
}
