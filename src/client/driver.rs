//! A load thread: serves its share of the flows, edge-triggered, in turns.
//!
//! A turn waits for readiness only if no flow has work left, then gives the first flows of the ready ring one receive and
//! a bounded number of bytes to send each; what still has work goes to the tail. So a flow that always has something to do
//! cannot keep the others waiting, and whatever unfairness is measured is the server's.
//!
//! What the flows do is their [`Pace`].
//!
//! Everything is allocated before the first byte is sent; a turn allocates nothing.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::Arc;

use super::connect::{Connector, Share, WAKE};
use super::fault::Fault;
use super::flow::Flow;
use super::group::Group;
use super::ledger::Ledger;
use super::open_loop::Epoch;
use super::outcome::{Mark, Outcome};
use super::pace::Pace;
use super::pattern::Pattern;
use super::phase::{Control, Phase, Report, Tally};
use crate::record::{ClientSettings, Verify};
use crate::sys::epoll::{Epoll, Events, Interest};
use crate::sys::{Errno, clock, socket};
use crate::units::Nanos;

/// Room of one receive: large, so that a call carries much; not larger, so that what it brought is compared in cache.
const RECEIVE_BYTES: usize = 256 << 10;

/// A flow gives way to the next when it has sent this much: less than it may receive, so that under overload a thread
/// empties the sockets before it fills them.
const FLOW_SEND_BYTES: usize = 64 << 10;

/// Most flows of a turn. Bounds the time until the thread looks at new events, or at a new phase, to a few milliseconds,
/// and shares the price of looking between many.
const TURN_FLOWS_MAX: usize = 64;

/// Most events taken from one wait.
const EVENTS_MAX: usize = 1024;

/// What a thread is to do.
pub(super) struct Job {
    pub(super) group: Group,
    pub(super) settings: ClientSettings,
    pub(super) share: Share,
    pub(super) pattern: Arc<Pattern>,
    pub(super) epoch: Epoch,
}

/// The thread's state.
pub(super) struct Driver<P> {
    job: Job,
    control: Control,
    epoll: Epoll,
    events: Events,
    pace: P,
    phase: Phase,
    flows: Vec<Flow>,
    /// Flows with work left, by index, each at most once.
    ready: VecDeque<u32>,
    buffer: Box<[u8]>,
    tally: Tally,
    verified_bytes: u64,
    /// Flows with bytes in flight while draining, flows not ended while closing.
    awaited: usize,
    begin: Mark,
    end: Mark,
}

impl<P: Pace> Driver<P> {
    /// Allocates everything the thread will need.
    ///
    /// # Errors
    /// When there is no epoll instance to be had.
    pub(super) fn new(job: Job, pace: P, control: Control) -> Result<Self, Errno> {
        let count = job.share.numbers.len();
        let epoll = Epoll::new()?;
        epoll.add(control.wake_fd(), WAKE, Interest::READ_EDGE)?;
        let mark = || Mark { ledgers: Vec::with_capacity(count), cpu: Nanos(0) };
        Ok(Self {
            epoll,
            events: Events::with_capacity(EVENTS_MAX),
            pace,
            phase: Phase::Connect,
            flows: Vec::with_capacity(count),
            ready: VecDeque::with_capacity(count),
            buffer: vec![0; RECEIVE_BYTES].into(),
            tally: Tally::default(),
            verified_bytes: 0,
            awaited: 0,
            begin: mark(),
            end: mark(),
            job,
            control,
        })
    }

    /// Serves the flows until the run is over.
    pub(super) fn run(mut self) -> Outcome {
        let fault = self.connect().and_then(|()| self.serve()).err();
        if fault.is_some() {
            self.control.report(Report::Failed);
        }
        let flows = self.flows.iter().map(|flow| (flow.number, flow.ledger, flow.is_ended)).collect();
        let reached = |mark: Mark| (!mark.ledgers.is_empty()).then_some(mark);
        Outcome {
            group: self.job.group,
            begin: reached(self.begin),
            end: reached(self.end),
            flows,
            achieved: self.tally.connections,
            timings: self.pace.finish(),
            verified_bytes: self.verified_bytes,
            fault,
        }
    }

    fn connect(&mut self) -> Result<(), Fault> {
        let mut connector = Connector {
            share: &self.job.share,
            epoll: &self.epoll,
            events: &mut self.events,
            control: &self.control,
            flows: &mut self.flows,
            achieved: 0,
        };
        let result = connector.run();
        self.tally.connections = connector.achieved as u64;
        self.control.publish(self.tally);
        if connector.achieved == self.job.share.numbers.len() {
            self.control.report(Report::Connected);
        }
        result
    }

    fn serve(&mut self) -> Result<(), Fault> {
        loop {
            self.obey()?;
            let is_over = self.phase == Phase::Close && self.awaited == 0;
            if is_over || self.phase == Phase::Abort {
                return Ok(());
            }
            self.turn()?;
        }
    }

    fn turn(&mut self) -> Result<(), Fault> {
        self.wait()?;
        for _ in 0..self.ready.len().min(TURN_FLOWS_MAX) {
            let index = self.ready.pop_front().expect("counted above");
            self.serve_flow(index)?;
        }
        self.control.publish(self.tally);
        Ok(())
    }

    /// Follows the coordinator through the phases, none left out.
    fn obey(&mut self) -> Result<(), Fault> {
        let wanted = self.control.phase();
        if wanted == Phase::Abort {
            self.phase = wanted;
        }
        while self.phase < wanted {
            self.phase = self.phase.next();
            self.pace.enter(self.phase);
            match self.phase {
                Phase::WarmUp => self.begin_load(),
                Phase::Window => {
                    copy_mark(&self.flows, &mut self.begin);
                    self.control.report(Report::WindowBegun(self.tally));
                }
                Phase::Drain => {
                    copy_mark(&self.flows, &mut self.end);
                    self.control.report(Report::WindowEnded(self.tally));
                    self.begin_drain();
                }
                Phase::Close => self.half_close()?,
                Phase::Connect | Phase::Abort => {}
            }
        }
        Ok(())
    }

    fn begin_load(&mut self) {
        self.pace.begin();
        self.queue_all();
    }

    fn queue_all(&mut self) {
        for index in 0..self.flows.len() {
            queue(&mut self.flows, &mut self.ready, index as u32);
        }
    }

    fn begin_drain(&mut self) {
        if !self.pace.reads(Phase::Window) {
            // Their edges are long past.
            self.queue_all();
        }
        self.awaited = self.flows.iter().filter(|flow| P::IS_ECHOED && flow.ledger.in_flight() > 0).count();
        if self.awaited == 0 {
            self.control.report(Report::Drained);
        }
    }

    fn half_close(&mut self) -> Result<(), Fault> {
        self.awaited = self.flows.len();
        for flow in &self.flows {
            socket::shutdown_send(flow.as_fd()).map_err(|errno| reset(flow, errno))?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Fault> {
        match self.pace.wait(&self.epoll, &mut self.events, !self.ready.is_empty()) {
            Err(errno) if !errno.interrupted() => return Err(Fault::setup("wait for readiness", errno)),
            _ => {}
        }
        for event in 0..self.events.len() {
            let (user_data, readiness) = self.events.get(event);
            if user_data != WAKE {
                self.flows[user_data as usize].note(readiness);
                queue(&mut self.flows, &mut self.ready, user_data as u32);
            }
        }
        let (flows, ready) = (&mut self.flows, &mut self.ready);
        self.pace.release(|index| queue(flows, ready, index));
        Ok(())
    }

    /// Serves one flow, and queues it again if that left work.
    fn serve_flow(&mut self, index: u32) -> Result<(), Fault> {
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

    /// Sends until the schedule, the socket or the turn has had enough.
    fn send(&mut self, at: usize) -> Result<(), Fault> {
        let mut sent_bytes = 0;
        while sent_bytes < FLOW_SEND_BYTES {
            let wanted = self.sendable(at);
            if wanted == 0 {
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
}

/// Puts a flow at the tail of the ready ring, unless it is in it or has ended.
fn queue(flows: &mut [Flow], ready: &mut VecDeque<u32>, index: u32) {
    let flow = &mut flows[index as usize];
    if !flow.is_queued && !flow.is_ended {
        flow.is_queued = true;
        ready.push_back(index);
    }
}

fn copy_mark(flows: &[Flow], mark: &mut Mark) {
    mark.ledgers.extend(flows.iter().map(|flow| flow.ledger));
    mark.cpu = clock::thread_cpu();
}

fn reset(flow: &Flow, errno: Errno) -> Fault {
    Fault::Reset { connection: flow.number, owed_bytes: flow.ledger.in_flight(), errno }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
