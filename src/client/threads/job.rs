//! What each thread is to do: groups of connections that are there for the same purpose, dealt out to the threads.
//!
//! Hogs and idle connections have a thread each. One core may be all there is, so the hogs' thread never preempts the
//! measured ones: it gets its fair share of the core, and steps back as soon as something is back for them. In one
//! loop with the measured connections, a hog's megabyte would hold up each of their iterations, and the client would be
//! as unfair as the server is suspected to be.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use crate::client::config::{ClientConfig, in_flight_bytes_default, write_bytes_max};
use crate::client::load::open_loop::Epoch;
use crate::client::load::pattern::Pattern;
use crate::record::{ClientSettings, HogKind, Mode};
use crate::units::Bytes;

/// Most bytes of one write of a greedy hog, and on its way at once.
const GREEDY_BATCH: Bytes = Bytes(1 << 20);
const GREEDY_IN_FLIGHT: Bytes = Bytes(16 << 20);

/// What connections are there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
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
                in_flight_bytes_max: in_flight_bytes_default(settings.connections + settings.hogs),
                ..own
            },
        }
    }
}

/// Which connections a thread makes, and how.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) address: SocketAddr,
    pub(crate) nodelay: bool,
    /// Their numbers.
    pub(crate) numbers: Range<u32>,
}

/// What a thread is to do.
pub(crate) struct Job {
    pub(crate) group: Group,
    pub(crate) settings: ClientSettings,
    pub(crate) share: Share,
    pub(crate) pattern: Arc<Pattern>,
    pub(crate) epoch: Epoch,
}

/// The jobs of a run, one a thread: the measured connections dealt out in runs whose lengths differ by at most one,
/// then hogs, then idle ones, numbered in this order.
pub(crate) fn jobs(config: &ClientConfig) -> Vec<Job> {
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
