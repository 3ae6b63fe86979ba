//! The way of a byte through a flow: sent, taken by the kernel, and, when it has been to the server, received, compared
//! and counted.

use std::os::fd::AsFd;

use super::{Driver, queue, reset};
use crate::client::fault::Fault;
use crate::client::load::ledger::Ledger;
use crate::client::load::pace::Pace;
use crate::client::load::phase::Phase;
use crate::client::threads::control::Report;
use crate::record::Verify;
use crate::sys::socket;

/// A flow gives way to the next when it has sent this much: less than it may receive, so that under overload a thread
/// empties the sockets before it fills them.
const FLOW_SEND_BYTES: usize = 64 << 10;

/// And when it has sent this often: small writes would take it a second to reach the bound above, and the thread would
/// not look at a new phase for as long.
const FLOW_SENDS_MAX: usize = 16;

impl<P: Pace> Driver<P> {
    /// Serves one flow, and queues it again if that left work.
    pub(super) fn serve_flow(&mut self, index: u32) -> Result<(), Fault> {
        let at = index as usize;
        self.flows[at].is_queued = false;
        let reads = self.pace.reads(self.phase);
        if self.flows[at].is_readable && reads {
            self.receive(at)?;
        }
        if self.flows[at].is_writable {
            self.send(at)?;
        }
        let flow = &self.flows[at];
        if (flow.is_readable && reads) || (flow.is_writable && self.sendable(at) > 0) {
            queue(&mut self.flows, &mut self.ready, index);
        }
        Ok(())
    }

    /// Sends until the schedule, the socket or the iteration has had enough.
    fn send(&mut self, at: usize) -> Result<(), Fault> {
        let mut sent_bytes = 0;
        for _ in 0..FLOW_SENDS_MAX {
            let wanted = self.sendable(at);
            if wanted == 0 || sent_bytes >= FLOW_SEND_BYTES {
                break;
            }
            let taken = self.send_once(at, wanted)?;
            sent_bytes += taken;
            if taken < wanted {
                // The send buffer is full: the kernel raises an edge when a third of it is free (epoll(7), tcp(7)).
                self.flows[at].is_writable = false;
                self.pace.on_blocked(at);
                break;
            }
        }
        Ok(())
    }

    /// How many of `wanted` bytes the kernel took.
    fn send_once(&mut self, at: usize, wanted: usize) -> Result<usize, Fault> {
        let flow = &mut self.flows[at];
        let before = flow.ledger;
        let begun = self.pace.send_time(at);
        match socket::send(flow.as_fd(), self.job.pattern.slice(flow.origin, before.sent, wanted)) {
            Ok(taken) => {
                flow.ledger.send(taken);
                self.pace.on_sent(at, before, flow.ledger, begun);
                Ok(taken)
            }
            Err(errno) if errno.would_block() => Ok(0),
            Err(errno) if errno.interrupted() => self.send_once(at, wanted),
            Err(errno) => Err(reset(flow, errno)),
        }
    }

    fn sendable(&self, at: usize) -> usize {
        if self.phase.sends() { self.pace.sendable(at, self.flows[at].ledger) } else { 0 }
    }

    fn receive(&mut self, at: usize) -> Result<(), Fault> {
        let flow = &mut self.flows[at];
        let is_checked = match self.job.settings.verify {
            Verify::Full => true,
            Verify::Sample => flow.is_sampled(),
            Verify::Off => false,
        };
        let received = if is_checked {
            socket::recv(flow.as_fd(), &mut self.buffer)
        } else {
            socket::discard(flow.as_fd(), self.buffer.len())
        };
        match received {
            Ok(0) => self.on_end(at),
            Ok(count) => self.on_received(at, count, is_checked),
            Err(errno) if errno.would_block() => {
                flow.is_readable = false;
                Ok(())
            }
            Err(errno) if errno.interrupted() => Ok(()),
            Err(errno) => Err(reset(flow, errno)),
        }
    }

    fn on_received(&mut self, at: usize, count: usize, is_checked: bool) -> Result<(), Fault> {
        let flow = &mut self.flows[at];
        let before = flow.ledger;
        if !P::IS_ECHOED {
            return Err(Fault::Echoed { connection: flow.number });
        }
        if !flow.ledger.receive(count) {
            return Err(Fault::Surplus { connection: flow.number, position: before.sent });
        }
        if is_checked {
            self.job
                .pattern
                .check(flow.origin, before.received, &self.buffer[..count])
                .map_err(|mismatch| Fault::mismatch(flow.number, mismatch))?;
            self.verified_bytes += count as u64;
        }
        flow.note_receive(count, self.buffer.len());
        let after = flow.ledger;
        if P::IS_MEASURED {
            self.account(before, after);
        }
        self.pace.on_received(at, before, after);
        if self.phase == Phase::Drain && after.in_flight() == 0 {
            self.awaited -= 1;
            if self.awaited == 0 {
                self.control.report(Report::Drained);
            }
        }
        Ok(())
    }

    fn account(&mut self, before: Ledger, after: Ledger) {
        let payload_bytes = self.job.settings.payload_bytes.0 as u64;
        self.tally.received_bytes += after.received - before.received;
        self.tally.messages += after.received / payload_bytes - before.received / payload_bytes;
    }

    fn on_end(&mut self, at: usize) -> Result<(), Fault> {
        let flow = &mut self.flows[at];
        if self.phase != Phase::Close {
            let owed_bytes = flow.ledger.in_flight();
            return Err(Fault::Closed { connection: flow.number, owed_bytes });
        }
        flow.is_ended = true;
        flow.is_readable = false;
        self.awaited -= 1;
        if self.awaited == 0 {
            self.control.report(Report::Closed);
        }
        Ok(())
    }
}
