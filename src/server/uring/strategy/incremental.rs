//! Small messages share a buffer: each receive takes the next piece of it (IOU_PBUF_RING_INC).
//!
//! Few buffers are published, and each serves many receives, so that the messages of many connections lie side by side in
//! memory that is in cache. A buffer comes back when it is used up and no piece of it is owed.
//!
//! Linux commits a piece when it is received, not when it is asked for, as long as no worker thread receives: sockets are
//! polled, so none does (liburing#1320, #1433 are about bundles of pieces, which are not used here).

use super::Strategy;
use crate::kernel_version::KernelVersion;
use crate::server::shell::config::{Publish, UringConfig};
use crate::server::uring::UringServer;
use crate::sys::buf_ring::BufRing;
use crate::sys::queues::Queues;

/// One receive into the next piece of a shared buffer, then one send from it.
pub(in crate::server::uring) struct Incremental;

impl Strategy for Incremental {
    const NAME: &'static str = "incremental";
    const SINCE: KernelVersion = KernelVersion::new(6, 12);
    const SUMMARY: &'static str =
        "receive into the next piece of a buffer that connections share, send, receive again";
    const NEEDS: &'static [&'static str] = &["incremental buffers"];

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }

    fn lend(buffers: BufRing) -> BufRing {
        buffers.in_pieces()
    }

    /// As many as the pieces to be received fill, and one more, for the first may be nearly used up.
    fn target<Q: Queues>(server: &UringServer<Self, Q>) -> usize {
        let buffers_max = usize::from(server.config.buffers);
        if server.config.publish == Some(Publish::Full) {
            return buffers_max;
        }
        let wanted_bytes = server.admission.target() * server.piece_bytes();
        (wanted_bytes.div_ceil(server.config.common.buffer_bytes.0) + 1).min(buffers_max)
    }

    fn places<Q: Queues>(server: &UringServer<Self, Q>) -> usize {
        let buffers = &server.ring.buffers;
        (buffers.free_bytes() / server.piece_bytes()).max(buffers.published())
    }
}

impl<Q: Queues> UringServer<Incremental, Q> {
    /// How much a receive is expected to bring.
    fn piece_bytes(&self) -> usize {
        self.admission.expected_bytes().min(self.config.common.buffer_bytes.0)
    }
}
