//! When a flow may send, and how much. Closed loop: decided by what came back, never by a clock.
//!
//! A stream does not wait for echoes; it only stops while more than a deep limit of it is on its way.

use super::ledger::Ledger;
use crate::client::config::write_bytes_max;
use crate::record::{ClientSettings, Mode};
use crate::units::Bytes;

/// The rule by which flows send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    payload_bytes: u64,
    /// Most bytes of one write; a multiple of the payload.
    write_bytes_max: u64,
    /// Most unanswered messages; bounded in bytes when streaming.
    depth: Option<u64>,
    in_flight_bytes_max: u64,
}

/// Most bytes of a flow on their way under `settings`: a stream always has room for one write.
pub(crate) fn in_flight_bytes_max(settings: &ClientSettings) -> Bytes {
    match settings.mode {
        Mode::Stream => {
            settings.in_flight_bytes_max.max(write_bytes_max(settings.payload_bytes, settings.batch_bytes))
        }
        Mode::ReqRes => Bytes(settings.payload_bytes.0 * settings.depth as usize),
    }
}

impl Schedule {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        Self {
            payload_bytes: settings.payload_bytes.0 as u64,
            write_bytes_max: write_bytes_max(settings.payload_bytes, settings.batch_bytes).0 as u64,
            in_flight_bytes_max: in_flight_bytes_max(settings).0 as u64,
            depth: (settings.mode == Mode::ReqRes).then_some(u64::from(settings.depth)),
        }
    }

    /// How many bytes the flow may write now, in one call.
    ///
    /// A write that the kernel cut short is followed by one that ends where the first should have, so that writes stay
    /// whole messages.
    pub(crate) fn sendable(&self, flow: Ledger) -> usize {
        let to_boundary = self.write_bytes_max - flow.sent % self.payload_bytes;
        let permitted = match self.depth {
            // Whole writes or none: at the limit a stream would otherwise send in the pieces in which its echoes come.
            None if flow.in_flight() + to_boundary > self.in_flight_bytes_max => 0,
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
    pub(crate) fn assert_depth(&self, flow: Ledger) {
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
        Schedule { payload_bytes, write_bytes_max, depth: None, in_flight_bytes_max: 1 << 20 }
    }

    fn request_response(payload_bytes: u64, depth: u64) -> Schedule {
        let write_bytes_max = (65_536 / payload_bytes).max(1) * payload_bytes;
        let in_flight_bytes_max = payload_bytes * depth;
        Schedule { payload_bytes, write_bytes_max, depth: Some(depth), in_flight_bytes_max }
    }

    #[test]
    fn a_stream_does_not_wait_for_echoes_until_too_much_is_on_its_way() {
        let schedule = streaming(256, 65_536);
        let received = 1 << 40;
        assert_eq!(schedule.sendable(Ledger { sent: received + (15 << 16), received }), 65_536);
        assert_eq!(schedule.sendable(Ledger { sent: received + (16 << 16), received }), 0);
        assert_eq!(schedule.sendable(Ledger { sent: received + (16 << 16), received: received + 65_535 }), 0);
    }

    #[test]
    fn a_write_cut_short_is_followed_by_one_that_ends_on_a_message() {
        let schedule = streaming(1000, 65_000);
        assert_eq!(schedule.sendable(Ledger { sent: 65_400, received: 60_000 }), 64_600);
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
