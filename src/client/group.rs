//! Connections that are there for the same purpose, and the threads that serve them.
//!
//! Hogs and idle connections have a thread each. One core may be all there is, so the hogs' thread never preempts the
//! measured ones: it gets its fair share of the core, and steps back as soon as something is back for them. In one
//! loop with the measured connections, a hog's megabyte would hold up each of their turns, and the client would be
//! as unfair as the server is suspected to be.

use std::ops::Range;
use std::sync::Arc;

use super::config::{ClientConfig, write_bytes_max};
use super::connect::Share;
use super::driver::{Driver, Job};
use super::fault::Fault;
use super::open_loop::{Epoch, OpenLoop};
use super::outcome::Outcome;
use super::pace::{ClosedLoop, Company, Pace, Pour};
use super::pattern::Pattern;
use super::phase::Control;
use crate::record::{ClientSettings, HogKind, Mode};
use crate::sys::scheduling;
use crate::units::Bytes;

/// Most bytes of one write of a greedy hog, and on its way at once.
const GREEDY_BATCH: Bytes = Bytes(1 << 20);
const GREEDY_IN_FLIGHT: Bytes = Bytes(16 << 20);

/// What connections are there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// To be measured.
    Measured,
    /// To compete with those.
    Hogs(HogKind),
    /// To be there.
    Idle,
}

impl Group {
    /// What the connections of the group are told, in a run of `settings`.
    fn settings(self, settings: &ClientSettings) -> ClientSettings {
        let own = settings.clone();
        match self {
            Self::Measured | Self::Idle => own,
            Self::Hogs(HogKind::Greedy) => ClientSettings {
                mode: Mode::Stream,
                batch_bytes: GREEDY_BATCH,
                in_flight_bytes_max: GREEDY_IN_FLIGHT,
                ..own
            },
            Self::Hogs(HogKind::Reading | HogKind::NonReading) => ClientSettings {
                mode: Mode::Stream,
                in_flight_bytes_max: super::in_flight_bytes_default(settings.connections + settings.hogs),
                ..own
            },
        }
    }
}

/// The jobs of a run, one a thread: the measured connections dealt out in runs whose lengths differ by at most one,
/// then hogs, then idle ones, numbered in this order.
pub(super) fn jobs(config: &ClientConfig) -> Vec<Job> {
    let ClientSettings { connections, hogs, hog_kind, idle, threads, .. } = config.settings.clone();
    let measured = (0..threads).map(|thread| {
        (Group::Measured, connections * thread / threads..connections * (thread + 1) / threads)
    });
    let others = [
        (hog_kind.map(Group::Hogs), connections..connections + hogs),
        (Some(Group::Idle), connections + hogs..connections + hogs + idle),
    ];
    let others = others.into_iter().filter_map(|(group, numbers)| Some((group?, numbers)));
    let groups: Vec<_> = measured.chain(others).filter(|(_, numbers)| !numbers.is_empty()).collect();
    let pattern = pattern(config, groups.iter().map(|&(group, _)| group));
    let epoch = Epoch::default();
    groups.into_iter().map(|(group, numbers)| job(config, group, numbers, &pattern, &epoch)).collect()
}

fn job(
    config: &ClientConfig,
    group: Group,
    numbers: Range<usize>,
    pattern: &Arc<Pattern>,
    epoch: &Epoch,
) -> Job {
    let numbers = numbers.start as u32..numbers.end as u32;
    Job {
        group,
        settings: group.settings(&config.settings),
        share: Share { address: config.address, nodelay: config.settings.nodelay, numbers },
        pattern: Arc::clone(pattern),
        epoch: Arc::clone(epoch),
    }
}

/// One table for all of them, long enough for the largest write.
fn pattern(config: &ClientConfig, groups: impl Iterator<Item = Group>) -> Arc<Pattern> {
    let batches = groups.map(|group| group.settings(&config.settings).batch_bytes);
    let writes = batches.map(|batch| write_bytes_max(config.settings.payload_bytes, batch).0);
    Arc::new(Pattern::new(config.settings.seed, writes.max().unwrap_or(0)))
}

/// Does `job` on the calling thread.
pub(super) fn work(job: Job, control: Control) -> Outcome {
    let prepared = match (job.group, job.settings.rate_per_s) {
        (Group::Measured, Some(_)) => scheduling::expire_timers_at_once(),
        (Group::Hogs(_), _) => scheduling::never_preempt_others(),
        _ => Ok(()),
    };
    if let Err(errno) = prepared {
        return Outcome::unstarted(job.group, Fault::setup("set how a load thread is scheduled", errno));
    }
    let (settings, numbers) = (&job.settings, job.share.numbers.clone());
    match (job.group, settings.rate_per_s) {
        (Group::Measured, _) if settings.discard => drive(Pour::new(settings), job, control),
        (Group::Measured, None) => drive(ClosedLoop::new(settings, numbers.len()), job, control),
        (Group::Measured, Some(rate)) => {
            drive(OpenLoop::new(settings, rate, numbers, Arc::clone(&job.epoch)), job, control)
        }
        (Group::Hogs(HogKind::NonReading), _) => drive(Company::holding_back(settings), job, control),
        (Group::Hogs(_), _) => drive(Company::streaming(settings), job, control),
        (Group::Idle, _) => drive(Company::idle(), job, control),
    }
}

fn drive(pace: impl Pace, job: Job, control: Control) -> Outcome {
    let group = job.group;
    match Driver::new(job, pace, control) {
        Ok(driver) => driver.run(),
        Err(errno) => Outcome::unstarted(group, Fault::setup("create an epoll instance", errno)),
    }
}
