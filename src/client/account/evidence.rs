//! What was seen in a run, as far as it got, and what adds up from it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::provenance;
use crate::client::config::ClientConfig;
use crate::client::fault::{Fault, LATE_MS};
use crate::client::load::ledger::Ledger;
use crate::client::load::pace::OpenLoopTimings;
use crate::client::threads::job::Group;
use crate::client::threads::outcome::{Mark, Outcome};
use crate::client::watch::observe::{Observer, Reading};
use crate::client::watch::stalls::Stall;
use crate::client::watch::stats_tail::Snapshot;
use crate::measure::histogram::Histogram;
use crate::measure::host::Host;
use crate::record::{
    Arrivals, Build, ClientSettings, Cpu, HogKind, Hogs, Latency, Noise, OpenLoop, Series, Server,
    ServerCounters, Timeline, Totals, Traffic,
};
use crate::units::Nanos;

/// Everything seen in a run, as far as it got.
pub(crate) struct Evidence {
    pub(super) created_unix_ms: u64,
    pub(super) build: Build,
    pub(super) host: Host,
    pub(super) server: Server,
    pub(crate) client_cpus: Vec<usize>,
    pub(crate) connect_start: Option<Nanos>,
    pub(crate) load_start: Option<Nanos>,
    pub(crate) window_begin: Option<(Reading, Option<Snapshot>)>,
    pub(crate) window_end: Option<(Reading, Option<Snapshot>)>,
    pub(crate) drained: Option<Nanos>,
    pub(crate) last_snapshot: Option<Snapshot>,
    pub(crate) server_rss_max_bytes: Option<u64>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) series: Series,
    pub(crate) stalls: Vec<Stall>,
    pub(crate) faults: Vec<Fault>,
}

impl Evidence {
    /// What can be said before the run.
    pub(crate) fn begin(config: &ClientConfig) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            created_unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            build: provenance::build(),
            host: Host::capture(),
            server: Server {
                address: config.address,
                pid: config.server_pid,
                exe_sha256: None,
                settings: None,
                cpus: None,
                rss_max_bytes: None,
            },
            client_cpus: config.settings.cpus.clone(),
            connect_start: None,
            load_start: None,
            window_begin: None,
            window_end: None,
            drained: None,
            last_snapshot: None,
            server_rss_max_bytes: None,
            outcomes: Vec::new(),
            series: Series::default(),
            stalls: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Takes note of the server that was found.
    pub(crate) fn server_found(&mut self, observer: &Observer) {
        if let Some(server) = &observer.server {
            self.server.pid = Some(server.pid);
            self.server.cpus = Some(server.cpus.clone());
            self.server.settings = server.settings.clone();
            self.server.exe_sha256 = provenance::exe_sha256(server.pid);
        }
    }

    /// Bytes were still missing when the drain's time was up: says how many, and names a connection.
    pub(crate) fn not_drained(&mut self, limit: Nanos) {
        let missing = || self.flows().filter(|(_, ledger, _)| ledger.in_flight() > 0);
        let Some(&(connection, ..)) = missing().next() else { return };
        let fault = Fault::Drain {
            flows: missing().count() as u64,
            owed_bytes: missing().map(|(_, ledger, _)| ledger.in_flight()).sum(),
            connection,
            limit_s: limit.as_secs_f64(),
        };
        self.faults.push(fault);
    }

    /// Half-closed connections were still open when their time was up.
    pub(crate) fn not_ended(&mut self, limit: Nanos) {
        let flows = self.flows().filter(|(.., is_ended)| !is_ended).count() as u64;
        self.faults.push(Fault::NoEnd { flows, limit_s: limit.as_secs_f64() });
    }

    /// Of every group.
    fn flows(&self) -> impl Iterator<Item = &(u32, Ledger, bool)> {
        self.outcomes.iter().flat_map(|outcome| &outcome.flows)
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(move |outcome| outcome.group == group)
    }

    pub(super) fn measured(&self) -> impl Iterator<Item = &Outcome> {
        self.of(Group::Measured)
    }

    pub(super) fn timeline(&self) -> Option<Timeline> {
        Some(Timeline {
            connect_start_ns: self.connect_start?,
            load_start_ns: self.load_start?,
            window_start_ns: self.window_begin.as_ref()?.0.at,
            window_end_ns: self.window_end.as_ref()?.0.at,
            drained_ns: self.drained,
        })
    }

    pub(super) fn cpu(&self) -> Option<Cpu> {
        let threads = self.measured().filter_map(|outcome| {
            let (begin, end) = (outcome.begin.as_ref()?, outcome.end.as_ref()?);
            Some(end.cpu - begin.cpu)
        });
        Some(self.window_begin.as_ref()?.0.until(&self.window_end.as_ref()?.0, threads.collect()))
    }

    pub(super) fn noise(&self) -> Option<Noise> {
        Some(self.window_begin.as_ref()?.0.noise_until(&self.window_end.as_ref()?.0))
    }

    pub(super) fn counters(&self) -> ServerCounters {
        let snapshot =
            |cut: &Option<(Reading, Option<Snapshot>)>| cut.as_ref().and_then(|(_, snapshot)| *snapshot);
        let window = snapshot(&self.window_begin).zip(snapshot(&self.window_end));
        ServerCounters {
            window: window.map(|(begin, end)| end.counters.since(&begin.counters)),
            window_ns: window.map(|(begin, end)| end.at - begin.at),
            run: self.last_snapshot.map(|last| last.counters),
            traced_syscalls: self
                .window_begin
                .as_ref()
                .zip(self.window_end.as_ref())
                .and_then(|((begin, _), (end, _))| begin.syscalls_until(end)),
        }
    }

    /// Ledgers of the group's flows at both ends of the window, in the order of their numbers; empty if it never ended.
    pub(super) fn window_ledgers(&self, group: Group) -> Vec<(Ledger, Ledger)> {
        let both = |outcome: &Outcome| -> Option<Vec<(Ledger, Ledger)>> {
            let pairs = |begin: &Mark, end: &Mark| {
                begin.ledgers.iter().copied().zip(end.ledgers.iter().copied()).collect()
            };
            Some(pairs(outcome.begin.as_ref()?, outcome.end.as_ref()?))
        };
        let threads: Option<Vec<_>> = self.of(group).map(both).collect();
        threads.unwrap_or_default().concat()
    }

    pub(super) fn totals(&self, settings: &ClientSettings, window: &[(Ledger, Ledger)]) -> Totals {
        let payload = settings.payload_bytes.0 as u64;
        let run = self.measured().flat_map(|outcome| &outcome.flows);
        Totals {
            connections_requested: settings.connections as u64,
            connections_achieved: self.achieved(Group::Measured),
            idle_connections: self.achieved(Group::Idle),
            window: traffic(window.iter().copied(), payload),
            run: traffic(run.map(|&(_, ledger, _)| (Ledger::default(), ledger)), payload),
            verified_bytes: self.measured().map(|outcome| outcome.verified_bytes).sum(),
        }
    }

    pub(super) fn latency(&self) -> Option<Latency> {
        Latency::of(&merged(self.measured().map(|outcome| &outcome.timings.latency)))
    }

    fn achieved(&self, group: Group) -> u64 {
        self.of(group).map(|outcome| outcome.achieved).sum()
    }

    pub(super) fn open_loop(&self, rate_per_s: u64, arrivals: Arrivals) -> OpenLoop {
        let of = |part: fn(&OpenLoopTimings) -> &Histogram| {
            merged(self.measured().filter_map(|outcome| outcome.timings.open_loop.as_ref()).map(part))
        };
        let client_lag = of(|timings| &timings.client_lag);
        OpenLoop {
            rate_per_s,
            arrivals,
            corrected: self.latency(),
            uncorrected: Latency::of(&of(|timings| &timings.uncorrected)),
            send_lag: Latency::of(&of(|timings| &timings.send_lag)),
            late_share: client_lag.share_above(Nanos::from_millis(LATE_MS)),
            client_lag: Latency::of(&client_lag),
        }
    }

    pub(super) fn hogs(&self, kind: HogKind) -> Option<Hogs> {
        let window = self.window_ledgers(Group::Hogs(kind));
        let Traffic { sent_bytes, received_bytes, .. } = traffic(window.iter().copied(), 1);
        let connections = self.achieved(Group::Hogs(kind));
        (!window.is_empty()).then_some(Hogs { kind, connections, sent_bytes, received_bytes })
    }
}

fn merged<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Histogram {
    let mut merged = Histogram::new();
    histograms.for_each(|histogram| merged.merge(histogram));
    merged
}

pub(super) fn traffic(flows: impl Iterator<Item = (Ledger, Ledger)>, payload: u64) -> Traffic {
    flows.fold(Traffic::default(), |sum, (begin, end)| Traffic {
        sent_bytes: sum.sent_bytes + (end.sent - begin.sent),
        received_bytes: sum.received_bytes + (end.received - begin.received),
        sent_messages: sum.sent_messages + messages(begin.sent, end.sent, payload),
        received_messages: sum.received_messages + messages(begin.received, end.received, payload),
    })
}

/// Messages whose last byte lies in a stream between two positions.
pub(super) const fn messages(begin: u64, end: u64, payload: u64) -> u64 {
    end / payload - begin / payload
}
