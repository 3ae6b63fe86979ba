//! Receive, send, receive: one operation of a connection at a time.

use super::Strategy;
use crate::kernel_version::KernelVersion;
use crate::server::shell::config::UringConfig;

/// One receive into a buffer of the shared ring, then one send from it.
pub(in crate::server::uring) struct Alternate;

impl Strategy for Alternate {
    const NAME: &'static str = "alternate";
    const SINCE: KernelVersion = KernelVersion::new(6, 1);
    const SUMMARY: &'static str = "receive into a shared hot ring of buffers, send, receive again";

    type Own = ();

    fn new(_config: &UringConfig) -> Self {
        Self
    }
}
