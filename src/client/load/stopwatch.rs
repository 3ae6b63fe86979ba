//! How long messages take: from the write of the first byte until the last one is back.
//!
//! Request-response times every message. A stream may have any number of messages in flight, so it times one at a time
//! on each flow: the next is marked when the last has come back.

use super::ledger::Ledger;
use crate::record::{ClientSettings, Mode};
use crate::units::Nanos;

/// When the timed messages of all flows of a thread were begun. Sized at the start.
pub(crate) enum Stopwatch {
    /// Every message, `depth` to a flow, in a ring by message number.
    Every {
        /// Size of a message.
        payload_bytes: u64,
        /// Most messages of a flow in flight.
        depth: u64,
        /// `begun[flow * depth + message % depth]`.
        begun: Box<[Nanos]>,
    },
    /// One message of each flow.
    Marked {
        /// Size of a message.
        payload_bytes: u64,
        /// One a flow.
        marks: Box<[Option<Mark>]>,
    },
}

/// A message that is being timed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// Position just behind it.
    end: u64,
    begun: Nanos,
}

impl Stopwatch {
    pub(crate) fn new(settings: &ClientSettings, flow_count: usize) -> Self {
        let payload_bytes = settings.payload_bytes.0 as u64;
        match settings.mode {
            Mode::Stream => Self::Marked { payload_bytes, marks: vec![None; flow_count].into() },
            Mode::ReqRes => {
                let begun = vec![Nanos(0); flow_count * settings.depth as usize].into();
                Self::Every { payload_bytes, depth: u64::from(settings.depth), begun }
            }
        }
    }

    /// Whether a message begun on `flow` now would be timed; if not, the clock need not be read.
    pub(crate) fn is_wanted(&self, flow: usize) -> bool {
        match self {
            Self::Every { .. } => true,
            Self::Marked { marks, .. } => marks[flow].is_none(),
        }
    }

    /// The flow's write, started at `now`, took its stream from `before` to `after`.
    pub(crate) fn on_sent(&mut self, flow: usize, before: Ledger, after: Ledger, now: Nanos) {
        match self {
            Self::Every { payload_bytes, depth, begun } => {
                let first = before.sent.div_ceil(*payload_bytes);
                for message in first..after.sent.div_ceil(*payload_bytes) {
                    begun[slot(flow, message, *depth)] = now;
                }
            }
            Self::Marked { payload_bytes, marks } => {
                let start = before.sent.next_multiple_of(*payload_bytes);
                if marks[flow].is_none() && start < after.sent {
                    marks[flow] = Some(Mark { end: start + *payload_bytes, begun: now });
                }
            }
        }
    }

    /// A receive took the flow from `before` to `after`; gives each timed message that it completed to `record`.
    /// Reads `clock` only if there is one.
    pub(crate) fn on_received(
        &mut self,
        flow: usize,
        before: Ledger,
        after: Ledger,
        clock: impl FnOnce() -> Nanos,
        mut record: impl FnMut(Nanos),
    ) {
        match self {
            Self::Every { payload_bytes, depth, begun } => {
                let completed = before.received / *payload_bytes..after.received / *payload_bytes;
                if !completed.is_empty() {
                    let now = clock();
                    completed.for_each(|message| record(now - begun[slot(flow, message, *depth)]));
                }
            }
            Self::Marked { marks, .. } => {
                if let Some(mark) = marks[flow].take_if(|mark| mark.end <= after.received) {
                    record(clock() - mark.begun);
                }
            }
        }
    }
}

fn slot(flow: usize, message: u64, depth: u64) -> usize {
    flow * depth as usize + (message % depth) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(sent: u64, received: u64) -> Ledger {
        Ledger { sent, received }
    }

    fn received(watch: &mut Stopwatch, flow: usize, before: Ledger, after: Ledger, now_ns: u64) -> Vec<u64> {
        let mut spans = Vec::new();
        watch.on_received(flow, before, after, || Nanos(now_ns), |span| spans.push(span.0));
        spans
    }

    fn every(depth: u64) -> Stopwatch {
        Stopwatch::Every { payload_bytes: 100, depth, begun: vec![Nanos(0); 2 * depth as usize].into() }
    }

    fn marked() -> Stopwatch {
        Stopwatch::Marked { payload_bytes: 100, marks: vec![None; 2].into() }
    }

    #[test]
    fn a_message_is_timed_from_its_first_byte_out_to_its_last_byte_in() {
        let mut watch = every(1);
        watch.on_sent(1, at(0, 0), at(40, 0), Nanos(1000));
        watch.on_sent(1, at(40, 0), at(100, 0), Nanos(1500));
        assert!(received(&mut watch, 1, at(100, 0), at(100, 99), 2000).is_empty());
        assert_eq!(received(&mut watch, 1, at(100, 99), at(100, 100), 3000), [2000]);
    }

    #[test]
    fn pipelined_messages_are_timed_one_by_one() {
        let mut watch = every(3);
        watch.on_sent(0, at(0, 0), at(200, 0), Nanos(10));
        watch.on_sent(0, at(200, 0), at(300, 0), Nanos(20));
        assert_eq!(received(&mut watch, 0, at(300, 0), at(300, 150), 110), [100]);
        watch.on_sent(0, at(300, 150), at(400, 150), Nanos(200));
        assert_eq!(received(&mut watch, 0, at(400, 150), at(400, 400), 210), [200, 190, 10]);
    }

    #[test]
    fn a_stream_times_one_message_at_a_time() {
        let mut watch = marked();
        assert!(watch.is_wanted(0));
        watch.on_sent(0, at(0, 0), at(500, 0), Nanos(10));
        assert!(!watch.is_wanted(0) && watch.is_wanted(1));
        watch.on_sent(0, at(500, 0), at(900, 0), Nanos(20));
        assert!(received(&mut watch, 0, at(900, 0), at(900, 99), 30).is_empty());
        assert_eq!(received(&mut watch, 0, at(900, 99), at(900, 350), 60), [50]);
        assert!(watch.is_wanted(0));
    }

    #[test]
    fn a_write_within_one_message_marks_nothing() {
        let mut watch = marked();
        watch.on_sent(0, at(150, 0), at(200, 0), Nanos(10));
        assert!(watch.is_wanted(0), "no message begins in the bytes 150 to 200");
        watch.on_sent(0, at(250, 0), at(400, 0), Nanos(20));
        assert!(received(&mut watch, 0, at(400, 0), at(400, 399), 90).is_empty());
        assert_eq!(received(&mut watch, 0, at(400, 399), at(400, 400), 100), [80]);
    }
}
