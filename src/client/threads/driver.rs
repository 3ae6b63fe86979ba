//! A load thread: serves its share of the flows, edge-triggered, one iteration of a loop after the other.
//!
//! An iteration waits for readiness only if no flow has work left, then gives the first flows of the ready ring one receive
//! and a bounded number of bytes to send each (`transfer`); what still has work goes to the tail. So a flow that always has something to do
//! cannot keep the others waiting, and whatever unfairness is measured is the server's.
//!
//! What the flows do is their [`Pace`].
//!
//! Everything is allocated before the first byte is sent; an iteration allocates nothing.

mod transfer;

use std::collections::VecDeque;
use std::os::fd::AsFd;

use super::connect::{Connector, WAKE};
use super::control::{Control, Report, Tally};
use super::job::Job;
use super::outcome::{Mark, Outcome};
use crate::client::fault::Fault;
use crate::client::load::flow::Flow;
use crate::client::load::pace::Pace;
use crate::client::load::phase::Phase;
use crate::sys::epoll::{Epoll, Events, Interest};
use crate::sys::{Errno, clock, socket};
use crate::units::Nanos;

/// Room of one receive: large, so that a call carries much; not larger, so that what it brought is compared in cache.
const RECEIVE_BYTES: usize = 256 << 10;

/// Most flows of an iteration. Bounds the time until the thread looks at new events, or at a new phase, to a few milliseconds,
/// and shares the price of looking between many.
const ITERATION_FLOWS_MAX: usize = 64;

/// Most events taken from one wait.
const EVENTS_MAX: usize = 1024;

/// The thread's state.
pub(crate) struct Driver<P> {
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
    pub(crate) fn new(job: Job, pace: P, control: Control) -> Result<Self, Errno> {
        let count = job.share.numbers.len();
        let epoll = Epoll::new()?;
        epoll.add(control.wake_fd(), WAKE, Interest::READ_EDGE)?;
        let mark = || Mark { at: Nanos(0), ledgers: Vec::with_capacity(count), cpu: Nanos(0) };
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
    pub(crate) fn run(mut self) -> Outcome {
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
            self.iterate()?;
        }
    }

    fn iterate(&mut self) -> Result<(), Fault> {
        self.wait()?;
        for _ in 0..self.ready.len().min(ITERATION_FLOWS_MAX) {
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
    mark.at = clock::monotonic();
    mark.ledgers.extend(flows.iter().map(|flow| flow.ledger));
    mark.cpu = clock::thread_cpu();
}

fn reset(flow: &Flow, errno: Errno) -> Fault {
    Fault::Reset { connection: flow.number, owed_bytes: flow.ledger.in_flight(), errno }
}

#[cfg(test)]
mod tests;
