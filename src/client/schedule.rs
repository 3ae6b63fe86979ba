//! When a flow may send, and how much. Closed loop: decided by what came back, never by a clock.

use super::config::write_bytes_max;
use super::ledger::Ledger;
use crate::record::{ClientSettings, Mode};

/// The rule by which flows send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    payload_bytes: u64,
    /// Most bytes of one write; a multiple of the payload.
    write_bytes_max: u64,
    /// Most unanswered messages; unlimited when streaming.
    depth: Option<u64>,
}

impl Schedule {
    pub(super) fn new(settings: &ClientSettings) -> Self {
        Self {
            payload_bytes: settings.payload_bytes.0 as u64,
            write_bytes_max: write_bytes_max(settings.payload_bytes, settings.batch_bytes).0 as u64,
            depth: (settings.mode == Mode::ReqRes).then_some(u64::from(settings.depth)),
        }
    }

    /// How many bytes the flow may write now, in one call.
    ///
    /// A write that the kernel cut short is followed by one that ends where the first should have, so that writes stay
    /// whole messages.
    pub(super) fn sendable(&self, flow: Ledger) -> usize {
        let to_boundary = self.write_bytes_max - flow.sent % self.payload_bytes;
        let permitted = match self.depth {
            None => to_boundary,
            Some(depth) => {
                let answered = flow.received / self.payload_bytes;
                ((answered + depth) * self.payload_bytes - flow.sent).min(to_boundary)
            }
        };
        usize::try_from(permitted).expect("a write is smaller than memory")
    }

    /// Asserts what request-response promises: in-flight bytes never exceed depth × payload.
    ///
    /// # Panics
    /// If they do: the client itself is wrong, and its figures with it.
    pub(super) fn assert_depth(&self, flow: Ledger) {
        if let Some(depth) = self.depth {
            assert!(flow.in_flight() <= depth * self.payload_bytes, "in flight beyond the depth: {flow:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn streaming(payload_bytes: u64, write_bytes_max: u64) -> Schedule {
        Schedule { payload_bytes, write_bytes_max, depth: None }
    }

    fn request_response(payload_bytes: u64, depth: u64) -> Schedule {
        let write_bytes_max = (65_536 / payload_bytes).max(1) * payload_bytes;
        Schedule { payload_bytes, write_bytes_max, depth: Some(depth) }
    }

    #[test]
    fn a_stream_never_waits_for_echoes() {
        let schedule = streaming(256, 65_536);
        assert_eq!(schedule.sendable(Ledger { sent: 1 << 40, received: 0 }), 65_536);
    }

    #[test]
    fn a_write_cut_short_is_followed_by_one_that_ends_on_a_message() {
        let schedule = streaming(1000, 65_000);
        assert_eq!(schedule.sendable(Ledger { sent: 65_400, received: 0 }), 64_600);
    }

    #[test]
    fn request_response_waits_for_the_whole_echo() {
        let schedule = request_response(256, 1);
        assert_eq!(schedule.sendable(Ledger { sent: 0, received: 0 }), 256);
        assert_eq!(schedule.sendable(Ledger { sent: 256, received: 255 }), 0);
        assert_eq!(schedule.sendable(Ledger { sent: 256, received: 256 }), 256);
    }

    #[test]
    fn a_request_cut_short_is_completed_before_its_echo() {
        let schedule = request_response(100_000, 1);
        assert_eq!(schedule.sendable(Ledger { sent: 60_000, received: 20_000 }), 40_000);
    }

    #[test]
    fn depth_is_refilled_by_the_messages_that_were_answered() {
        let schedule = request_response(100, 8);
        assert_eq!(schedule.sendable(Ledger { sent: 800, received: 350 }), 300);
    }

    proptest! {
        #[test]
        fn in_flight_never_exceeds_depth_times_payload(
            payload in 1u64..5000,
            depth in 1u64..20,
            steps in prop::collection::vec((any::<bool>(), 0.0f64..=1.0), 1..200),
        ) {
            let schedule = request_response(payload, depth);
            let mut flow = Ledger::default();
            for (sends, share) in steps {
                if sends {
                    flow.send((schedule.sendable(flow) as f64 * share) as usize);
                } else {
                    prop_assert!(flow.receive((flow.in_flight() as f64 * share) as usize));
                }
                prop_assert!(flow.in_flight() <= depth * payload);
            }
            prop_assert!(flow.in_flight() > 0 || schedule.sendable(flow) > 0, "the flow is stuck");
        }
    }
}
