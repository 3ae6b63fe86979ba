//! Receive and send from one buffer, which is the connection's own.

use super::{NONE_SHARED, Strategy};
use crate::kernel_version::KernelVersion;
use crate::server::shell::config::UringConfig;
use crate::server::uring::UringServer;
use crate::slab::Slot;
use crate::sys::queues::Queues;

/// As `alternate`, but each connection keeps its buffer. Nobody waits for one; a turn is only bounded in bytes.
pub(in crate::server::uring) struct Private;

impl Strategy for Private {
    const NAME: &'static str = "private";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "as alternate, with a buffer of its own for each connection";
    const PRIVATE: bool = true;
    const UNSHARED: (&'static [&'static str], &'static str) = NONE_SHARED;
    const COPIES: Option<&'static str> = Some("the next receive goes where the send still reads");

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn prepare<Q: Queues>(server: &mut UringServer<Self, Q>) {
        server.admit_all();
    }

    fn is_busy<Q: Queues>(server: &UringServer<Self, Q>) -> bool {
        server.somebody_waits()
    }

    fn rearm<Q: Queues>(server: &mut UringServer<Self, Q>, slot: Slot) {
        server.rearm_without_line(slot);
    }
}
