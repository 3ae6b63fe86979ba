//! From what was seen in a run to its record.

use super::evidence::{Evidence, messages};
use super::pacing::Pacing;
use super::summary;
use super::window::Window;
use crate::client::config::{ClientConfig, write_bytes_max};
use crate::client::fault::Fault;
use crate::client::load::ledger::Ledger;
use crate::client::load::schedule::in_flight_bytes_max;
use crate::client::threads::job::Group;
use crate::cpu_list;
use crate::record::{ClientSettings, Connections, Mode, RunRecord, SCHEMA_VERSION, Server, Summary, Verify};
use crate::units::Bytes;

/// The record of a run of `config` that left `evidence`.
pub(crate) fn assemble(config: &ClientConfig, evidence: Evidence) -> RunRecord {
    let client = effective(config, &evidence);
    let ledgers = evidence.window_ledgers(Group::Measured);
    let window = Window::of(&evidence, client.duration_ns);
    let open_loop = client.rate_per_s.zip(client.arrivals);
    let mut record = RunRecord {
        schema_version: SCHEMA_VERSION,
        run_id: config.run_id.clone(),
        created_unix_ms: evidence.created_unix_ms,
        timeline: evidence.timeline(),
        totals: evidence.totals(&client, &ledgers),
        cpu: evidence.cpu(),
        noise: evidence.noise(),
        counters: evidence.counters(),
        latency: evidence.latency(),
        open_loop: open_loop.map(|(rate_per_s, arrivals)| evidence.open_loop(rate_per_s, arrivals)),
        hogs: client.hog_kind.and_then(|kind| evidence.hogs(kind)),
        connections: per_connection(&ledgers, client.payload_bytes.0 as u64),
        summary: None,
        validity: evidence.faults.iter().map(Fault::reason).collect(),
        notes: notes(&client, &evidence.server),
        client,
        build: evidence.build,
        host: evidence.host,
        server: Server { rss_max_bytes: evidence.server_rss_max_bytes, ..evidence.server },
        series: evidence.series,
    };
    if let Some(window) = window {
        record.validity.extend(window.faults().iter().map(Fault::reason));
        record.notes.extend(window.note());
    }
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
            "the server may run on CPUs {}: CPU time per message needs it pinned to one",
            cpu_list::written(cpus)
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
    use super::super::evidence::traffic;
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
