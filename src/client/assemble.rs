//! From what was seen in a run to its record.

use std::time::{SystemTime, UNIX_EPOCH};

use super::config::{ClientConfig, write_bytes_max};
use super::fault::{Fault, LATE_MS};
use super::group::Group;
use super::ledger::Ledger;
use super::observe::{Observer, Reading};
use super::outcome::{Mark, Outcome};
use super::pace::OpenLoopTimings;
use super::pacing::Pacing;
use super::provenance;
use super::schedule::in_flight_bytes_max;
use super::stats_tail::Snapshot;
use super::summary;
use crate::measure::histogram::Histogram;
use crate::measure::host::Host;
use crate::record::{
    Arrivals, Build, ClientSettings, Connections, Cpu, HogKind, Hogs, Latency, Mode, Noise, OpenLoop,
    RunRecord, SCHEMA_VERSION, Series, Server, ServerCounters, Summary, Timeline, Totals, Traffic, Verify,
};
use crate::units::{Bytes, Nanos};

/// Everything seen in a run, as far as it got.
pub(super) struct Evidence {
    created_unix_ms: u64,
    build: Build,
    host: Host,
    server: Server,
    pub(super) client_cpus: Vec<usize>,
    pub(super) connect_start: Option<Nanos>,
    pub(super) load_start: Option<Nanos>,
    pub(super) window_begin: Option<(Reading, Option<Snapshot>)>,
    pub(super) window_end: Option<(Reading, Option<Snapshot>)>,
    pub(super) drained: Option<Nanos>,
    pub(super) last_snapshot: Option<Snapshot>,
    pub(super) server_rss_max_bytes: Option<u64>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) series: Series,
    pub(super) faults: Vec<Fault>,
}

impl Evidence {
    /// What can be said before the run.
    pub(super) fn begin(config: &ClientConfig) -> Self {
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
            faults: Vec::new(),
        }
    }

    /// Takes note of the server that was found.
    pub(super) fn server_found(&mut self, observer: &Observer) {
        if let Some(server) = &observer.server {
            self.server.pid = Some(server.pid);
            self.server.cpus = Some(server.cpus.clone());
            self.server.settings = server.settings.clone();
            self.server.exe_sha256 = provenance::exe_sha256(server.pid);
        }
    }

    /// Bytes were still missing when the drain's time was up: says how many, and names a connection.
    pub(super) fn not_drained(&mut self, limit: Nanos) {
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
    pub(super) fn not_ended(&mut self, limit: Nanos) {
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

    fn measured(&self) -> impl Iterator<Item = &Outcome> {
        self.of(Group::Measured)
    }

    fn timeline(&self) -> Option<Timeline> {
        Some(Timeline {
            connect_start_ns: self.connect_start?,
            load_start_ns: self.load_start?,
            window_start_ns: self.window_begin.as_ref()?.0.at,
            window_end_ns: self.window_end.as_ref()?.0.at,
            drained_ns: self.drained,
        })
    }

    fn cpu(&self) -> Option<Cpu> {
        let threads = self.measured().filter_map(|outcome| {
            let (begin, end) = (outcome.begin.as_ref()?, outcome.end.as_ref()?);
            Some(end.cpu - begin.cpu)
        });
        Some(self.window_begin.as_ref()?.0.until(&self.window_end.as_ref()?.0, threads.collect()))
    }

    fn noise(&self) -> Option<Noise> {
        Some(self.window_begin.as_ref()?.0.noise_until(&self.window_end.as_ref()?.0))
    }

    fn counters(&self) -> ServerCounters {
        let snapshot =
            |cut: &Option<(Reading, Option<Snapshot>)>| cut.as_ref().and_then(|(_, snapshot)| *snapshot);
        let window = snapshot(&self.window_begin).zip(snapshot(&self.window_end));
        ServerCounters {
            window: window.map(|(begin, end)| end.counters.since(&begin.counters)),
            window_ns: window.map(|(begin, end)| end.at - begin.at),
            run: self.last_snapshot.map(|last| last.counters),
        }
    }

    /// Ledgers of the group's flows at both ends of the window, in the order of their numbers; empty if it never ended.
    fn window_ledgers(&self, group: Group) -> Vec<(Ledger, Ledger)> {
        let both = |outcome: &Outcome| -> Option<Vec<(Ledger, Ledger)>> {
            let pairs = |begin: &Mark, end: &Mark| {
                begin.ledgers.iter().copied().zip(end.ledgers.iter().copied()).collect()
            };
            Some(pairs(outcome.begin.as_ref()?, outcome.end.as_ref()?))
        };
        let threads: Option<Vec<_>> = self.of(group).map(both).collect();
        threads.unwrap_or_default().concat()
    }

    fn totals(&self, settings: &ClientSettings, window: &[(Ledger, Ledger)]) -> Totals {
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

    fn latency(&self) -> Option<Latency> {
        Latency::of(&merged(self.measured().map(|outcome| &outcome.timings.latency)))
    }

    fn achieved(&self, group: Group) -> u64 {
        self.of(group).map(|outcome| outcome.achieved).sum()
    }

    fn open_loop(&self, rate_per_s: u64, arrivals: Arrivals) -> OpenLoop {
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

    fn hogs(&self, kind: HogKind) -> Option<Hogs> {
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

/// The record of a run of `config` that left `evidence`.
pub(super) fn assemble(config: &ClientConfig, evidence: Evidence) -> RunRecord {
    let client = effective(config, &evidence);
    let window = evidence.window_ledgers(Group::Measured);
    let open_loop = client.rate_per_s.zip(client.arrivals);
    let mut record = RunRecord {
        schema_version: SCHEMA_VERSION,
        run_id: config.run_id.clone(),
        created_unix_ms: evidence.created_unix_ms,
        timeline: evidence.timeline(),
        totals: evidence.totals(&client, &window),
        cpu: evidence.cpu(),
        noise: evidence.noise(),
        counters: evidence.counters(),
        latency: evidence.latency(),
        open_loop: open_loop.map(|(rate_per_s, arrivals)| evidence.open_loop(rate_per_s, arrivals)),
        hogs: client.hog_kind.and_then(|kind| evidence.hogs(kind)),
        connections: per_connection(&window, client.payload_bytes.0 as u64),
        summary: None,
        validity: evidence.faults.iter().map(Fault::reason).collect(),
        notes: notes(&client, &evidence.server),
        client,
        build: evidence.build,
        host: evidence.host,
        server: Server { rss_max_bytes: evidence.server_rss_max_bytes, ..evidence.server },
        series: evidence.series,
    };
    record.summary = summary::derive(&record);
    record.notes.extend(record.summary.as_ref().and_then(foreign_note));
    if let Some(pacing) = Pacing::of(&record) {
        record.validity.extend(pacing.faults().iter().map(Fault::reason));
        record.notes.extend(pacing.note());
    }
    record
}

/// The settings of `config` with what became of them.
fn effective(config: &ClientConfig, evidence: &Evidence) -> ClientSettings {
    let asked = config.settings.clone();
    ClientSettings {
        batch_bytes: write_bytes_max(asked.payload_bytes, asked.batch_bytes),
        in_flight_bytes_max: if asked.discard { Bytes(0) } else { in_flight_bytes_max(&asked) },
        depth: if asked.mode == Mode::Stream { 0 } else { asked.depth },
        cpus: evidence.client_cpus.clone(),
        ..asked
    }
}

fn traffic(flows: impl Iterator<Item = (Ledger, Ledger)>, payload: u64) -> Traffic {
    flows.fold(Traffic::default(), |sum, (begin, end)| Traffic {
        sent_bytes: sum.sent_bytes + (end.sent - begin.sent),
        received_bytes: sum.received_bytes + (end.received - begin.received),
        sent_messages: sum.sent_messages + messages(begin.sent, end.sent, payload),
        received_messages: sum.received_messages + messages(begin.received, end.received, payload),
    })
}

/// Messages whose last byte lies in a stream between two positions.
const fn messages(begin: u64, end: u64, payload: u64) -> u64 {
    end / payload - begin / payload
}

fn per_connection(window: &[(Ledger, Ledger)], payload: u64) -> Connections {
    Connections {
        sent_bytes: window.iter().map(|(begin, end)| end.sent - begin.sent).collect(),
        received_bytes: window.iter().map(|(begin, end)| end.received - begin.received).collect(),
        messages: window.iter().map(|(begin, end)| messages(begin.received, end.received, payload)).collect(),
    }
}

/// Says so if the server's core did much besides serving.
fn foreign_note(summary: &Summary) -> Option<String> {
    /// Interrupts that arrive while the core is idle stay below this.
    const FOREIGN_SHARE_MIN: f64 = 0.1;
    let percent = 100.0 * summary.server_core_foreign_share.filter(|&share| share >= FOREIGN_SHARE_MIN)?;
    Some(format!("{percent:.0} % of the server's core went to something else: CPU per message includes it"))
}

fn notes(client: &ClientSettings, server: &Server) -> Vec<String> {
    let mut notes = Vec::new();
    match &server.cpus {
        None => {
            notes.push("the server's process was not named: its CPU time and counters are unknown".into());
        }
        Some(cpus) if cpus.len() > 1 => notes.push(format!(
            "the server may run on CPUs {cpus:?}: CPU time per message needs it pinned to one"
        )),
        Some(cpus) if client.cpus.contains(&cpus[0]) => {
            notes.push(format!("server and client share CPU {}: its busy time is that of both", cpus[0]));
        }
        Some(_) => {}
    }
    if server.pid.is_some() && server.settings.is_none() {
        notes.push("the server's stats file was not named: its counters and settings are unknown".into());
    }
    if client.verify != Verify::Full {
        notes.push(format!("content was verified only as far as 'verify = {}' goes", client.verify));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(sent: u64, received: u64) -> Ledger {
        Ledger { sent, received }
    }

    #[test]
    fn a_message_counts_where_its_last_byte_falls() {
        let window = [(at(150, 50), at(450, 250)), (at(0, 0), at(99, 99))];
        let sum = traffic(window.into_iter(), 100);
        assert_eq!((sum.sent_bytes, sum.received_bytes), (399, 299));
        assert_eq!((sum.sent_messages, sum.received_messages), (3, 2));
        assert_eq!(per_connection(&window, 100).messages, [2, 0]);
    }
}
