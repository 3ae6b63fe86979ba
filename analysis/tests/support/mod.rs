//! Recordings that nobody recorded: every number in them is made up, and known to the tests.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use experiments::clock::Clock;
use experiments::plan::{Arm, Role, plan};
use experiments::recording::manifest::{
    Attempt, EngineEntry, FileEntry, Manifest, RecordsEntry, RunEntry, SCHEMA_VERSION, Status,
};
use experiments::recording::records::Records;
use experiments::recording::{HOST, MANIFEST, Recording};
use experiments::spec::factors::Factors;
use experiments::spec::filter::Filter;
use experiments::spec::in_flight::InFlight;
use experiments::spec::{self, EngineLevel, Size, Table};
use serde_json::{Value, json};
use uring_echo::hash::sha256;
use uring_echo::measure::fairness::{Spread, jain};
use uring_echo::measure::histogram::Histogram;
use uring_echo::record::{Latency, Mode, Verify};
use uring_echo::units::Nanos;

/// The shape of a record; what a run measures is put into it.
const RECORD: &str = include_str!("../data/record.json");

/// What io_uring costs in every cell and repetition that is made up, as a share of what epoll costs.
pub(crate) const RATIO: f64 = 0.8;

/// The same where as much is on its way as the sockets take.
pub(crate) const DEEP_RATIO: f64 = 1.25;

/// A recording to be made up: each cell with both servers.
#[derive(Clone, Debug)]
pub(crate) struct MadeUp {
    pub(crate) experiment: &'static str,
    /// Cells and how often each is measured.
    pub(crate) cells: Vec<(Factors, u32)>,
    /// Control pairs, all of epoll in the first cell of each depth of queues.
    pub(crate) control_pairs: u32,
}

impl MadeUp {
    /// Two cells, three repetitions, four control pairs.
    pub(crate) fn small(experiment: &'static str) -> Self {
        let cells = vec![(Factors::new(Mode::Stream, 4096, 8), 3), (Factors::new(Mode::ReqRes, 256, 2), 3)];
        Self { experiment, cells, control_pairs: 4 }
    }

    /// The same, and streams that have as much on their way as the sockets take.
    pub(crate) fn with_deep_queues(experiment: &'static str) -> Self {
        let mut made_up = Self::small(experiment);
        made_up.cells.push((deep(), 3));
        made_up
    }

    /// As many runs and connections as the study of 2023 published.
    pub(crate) fn as_large_as_the_study() -> Self {
        let mut cells = Vec::new();
        for mode in [Mode::Stream, Mode::ReqRes] {
            for payload_bytes in [256, 512, 1024, 4096, 8192, 16_384, 32_768, 100_000] {
                for connections in [1, 8, 512, 1000, 10_000] {
                    let is_unpublished = mode == Mode::ReqRes && payload_bytes * connections == 1_000_000_000;
                    if !is_unpublished {
                        let repetitions = if payload_bytes == 4096 { 2 } else { 1 };
                        cells.push((Factors::new(mode, payload_bytes, connections), repetitions));
                    }
                }
            }
        }
        Self { experiment: "study", cells, control_pairs: 0 }
    }

    /// Writes it below `results` and returns its folder.
    pub(crate) fn write(&self, results: &Path) -> PathBuf {
        write_as_planned(self.manifest(), results)
    }

    fn runs(&self) -> Vec<RunEntry> {
        let mut runs = Vec::new();
        for repetition in 1..=self.cells.iter().map(|cell| cell.1).max().unwrap_or(0) {
            for (factors, _) in self.cells.iter().filter(|cell| cell.1 >= repetition) {
                for engine in ["epoll", "uring"] {
                    runs.push(entry(runs.len() + 1, Role::Measured, None, repetition, engine, factors));
                }
            }
        }
        let deep = self.cells.iter().find(|(cell, _)| cell.in_flight_bytes.is_some());
        for (factors, _) in self.cells.iter().take(1).chain(deep) {
            for pair in 1..=self.control_pairs {
                for arm in [Arm::A, Arm::B] {
                    runs.push(entry(runs.len() + 1, Role::Control, Some(arm), pair, "epoll", factors));
                }
            }
        }
        runs
    }

    fn manifest(&self) -> Manifest {
        Manifest {
            clock: Clock::Time,
            schema_version: SCHEMA_VERSION,
            experiment: self.experiment.into(),
            title: "Made up".into(),
            question: "Is what comes out what was put in?".into(),
            figure: None,
            table: Table::Grid,
            size: Size::Quick,
            recording: "20260101T000000Z-000001".into(),
            recorded_as: None,
            seed: 1,
            filter: String::new(),
            started_unix_ms: 0,
            finished_unix_ms: Some(1),
            resumed_unix_ms: Vec::new(),
            estimated_ns: Nanos(1),
            estimated_bytes: 1,
            version: "0.1.0".into(),
            revision: "unavailable".into(),
            programs: Vec::new(),
            cargo_lock_sha256: "unavailable".into(),
            flake_lock_sha256: "unavailable".into(),
            server_cpu: 1,
            client_cpus: vec![0],
            repetitions: self.cells.iter().map(|cell| cell.1).max().unwrap_or(0),
            engines: ["epoll", "uring"]
                .map(|name| EngineEntry::from(&EngineLevel::named(name).unwrap()))
                .into(),
            left_out: Vec::new(),
            ratios: vec!["uring/epoll".into()],
            noise: Vec::new(),
            server_busy_share_min: 0.95,
            client_busy_share_max: 0.9,
            files: Vec::new(),
            records: RecordsEntry::default(),
            runs: self.runs(),
            sha256: String::new(),
        }
    }
}

/// Makes up every run of the built-in experiment `id` in `size`, writes it below `results` and returns its folder.
pub(crate) fn write_built_in(id: &str, size: Size, results: &Path) -> PathBuf {
    write_part(id, size, "", results)
}

/// The same of the levels that `filter` keeps.
pub(crate) fn write_part(id: &str, size: Size, filter: &str, results: &Path) -> PathBuf {
    let found = spec::find(id, size).unwrap();
    let (mut spec, _) = found.unwrap_or_else(|| panic!("there is no experiment '{id}'"));
    filter.parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
    let name = |index: usize| &spec.engines[index].name;
    let manifest = Manifest {
        experiment: id.to_owned(),
        size,
        table: spec.table,
        repetitions: spec.repetitions,
        engines: spec.engines.iter().map(EngineEntry::from).collect(),
        ratios: spec.comparisons.iter().map(|pair| format!("{}/{}", name(pair.of), name(pair.to))).collect(),
        runs: plan(&spec, 1).iter().map(RunEntry::planned).collect(),
        ..MadeUp::small("").manifest()
    };
    write_as_planned(manifest, results)
}

fn write_as_planned(mut manifest: Manifest, results: &Path) -> PathBuf {
    let folder = results.join(&manifest.experiment).join(&manifest.recording);
    fs::create_dir_all(&folder).unwrap();
    let host = template()["host"].to_string();
    fs::write(folder.join(HOST), &host).unwrap();
    manifest.files.push(FileEntry { path: HOST.into(), sha256: sha256(host.as_bytes()) });
    let mut records = Records::create(&folder).unwrap();
    for run in &mut manifest.runs {
        let record = Some(records.append(record(run).to_string().as_bytes()).unwrap());
        run.attempt = Attempt { status: Status::Valid, record, ..Attempt::default() };
    }
    manifest.records = records.sync().unwrap();
    fs::write(folder.join(MANIFEST), manifest.text()).unwrap();
    folder
}

fn entry(
    number: usize,
    role: Role,
    arm: Option<Arm>,
    repetition: u32,
    engine: &str,
    factors: &Factors,
) -> RunEntry {
    RunEntry {
        number,
        role,
        arm,
        repetition,
        engine: engine.into(),
        cell: factors.key(),
        factors: factors.clone(),
        warmup_ns: Nanos::from_secs(1),
        window_ns: Nanos::from_secs(2),
        verify: Verify::Full,
        client_args: Vec::new(),
        environment_bytes: 0,
        attempt: Attempt::default(),
        superseded: Vec::new(),
    }
}

fn template() -> Value {
    serde_json::from_str(RECORD).unwrap()
}

/// The cell of deep queues that is made up.
pub(crate) fn deep() -> Factors {
    Factors { in_flight_bytes: Some(InFlight::Unbounded), ..Factors::new(Mode::Stream, 4096, 8) }
}

/// Busy time of the server's core per message that is made up for `run`, in nanoseconds.
pub(crate) fn cost_ns(run: &RunEntry) -> f64 {
    let engine = match run.factors.in_flight_bytes {
        _ if run.engine != "uring" => 1.0,
        None => RATIO,
        Some(_) => DEEP_RATIO,
    };
    let drift = 1.0 + 0.01 * f64::from(run.repetition);
    (1000.0 + run.factors.payload_bytes as f64) * engine * drift
}

/// Messages of connection `index`.
fn messages(index: usize) -> u64 {
    100 + index as u64 % 7
}

fn record(run: &RunEntry) -> Value {
    let Factors { mode, payload_bytes, connections, .. } = run.factors;
    let messages: Vec<u64> = (0..connections).map(messages).collect();
    let bytes: Vec<u64> = messages.iter().map(|count| count * payload_bytes as u64).collect();
    let total: u64 = messages.iter().sum();
    let mut record = template();
    record["run_id"] = json!(format!("made-up/{:04}", run.number));
    record["client"]["mode"] = json!(mode);
    record["client"]["payload_bytes"] = json!(payload_bytes);
    record["client"]["connections"] = json!(connections);
    if let Some(level) = run.factors.in_flight_bytes {
        record["client"]["in_flight_bytes_max"] = json!(level.bytes());
    }
    record["totals"]["window"]["received_messages"] = json!(total);
    record["connections"] = json!({"sent_bytes": bytes, "received_bytes": bytes, "messages": messages});
    record["series"] = json!({
        "at_ns": [1_000_000_000, 2_000_000_000],
        "received_bytes": [bytes.iter().sum::<u64>(), 0],
        "messages": [total, 0],
    });
    record["latency"] = json!(Latency::of(&latency(run)));
    let summary = &mut record["summary"];
    summary["cpu_ns_per_message"] = json!(cost_ns(run));
    summary["cpu_ns_per_byte"] = json!(cost_ns(run) / payload_bytes as f64);
    summary["messages_per_s"] = json!(total as f64 / 2.0);
    summary["goodput_bytes_per_s"] = json!(bytes.iter().sum::<u64>() as f64 / 2.0);
    summary["jain"] = json!(jain(&bytes));
    summary["connection_received_bytes"] = json!(Spread::of(&bytes));
    record["server"]["rss_max_bytes"] = json!(1_000_000 + run.factors.sockets() * BYTES_PER_CONNECTION);
    record["noise"] = noise(run);
    put_beside(&mut record, run);
    record
}

/// Memory of each connection that is made up.
pub(crate) const BYTES_PER_CONNECTION: usize = 300;

/// As many nanoseconds waited as the number of the run says, and two switches.
fn noise(run: &RunEntry) -> Value {
    json!({
        "psi_cpu_some_ns": run.number,
        "steal_ns": null,
        "server_involuntary_switches": 2,
        "client_involuntary_switches": 2,
        "server_core_softirq_ns": null,
    })
}

/// Puts into `record` what only runs with hogs or with an offered load have. Hogs send 4 MB and get half of it back.
fn put_beside(record: &mut Value, run: &RunEntry) {
    let Factors { hogs, hog_kind, load, rate_per_s, .. } = run.factors;
    if hog_kind.is_some() {
        record["hogs"] = json!({
            "kind": hog_kind, "connections": hogs, "sent_bytes": 4_000_000, "received_bytes": 2_000_000,
        });
    }
    if load.is_some() || rate_per_s.is_some() {
        let rate = load.map_or(1000.0, |share| share.of(1000.0));
        record["open_loop"] = json!({
            "rate_per_s": rate as u64, "arrivals": "poisson",
            "corrected": record["latency"], "uncorrected": record["latency"],
            "send_lag": null, "client_lag": null, "late_share": 0.0,
        });
    }
}

/// A hundred messages, of `repetition` × 10 µs each.
fn latency(run: &RunEntry) -> Histogram {
    let mut histogram = Histogram::new();
    for _ in 0..100 {
        histogram.record(Nanos(u64::from(run.repetition) * 10_000));
    }
    histogram
}

/// Changes the manifest in `folder` by `change` and signs it again.
pub(crate) fn change_manifest(folder: &Path, change: impl FnOnce(&mut Manifest)) {
    let path = folder.join(MANIFEST);
    let mut manifest: Manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(path, manifest.text()).unwrap();
}

/// Changes the text of the record of run `number` by `change`, as if it had been recorded so: the changed one is added, and
/// the manifest names that.
pub(crate) fn change_text(folder: &Path, number: usize, change: impl FnOnce(String) -> String) {
    let recording = Recording::open(folder).unwrap();
    let manifest = recording.manifest();
    let entry = manifest.runs[number - 1].attempt.record.as_ref().unwrap();
    let text = change(String::from_utf8(recording.document(entry).unwrap()).unwrap());
    let mut records = Records::reopen(folder, &manifest.records).unwrap();
    let changed = records.append(text.as_bytes()).unwrap();
    change_manifest(folder, |manifest| {
        manifest.runs[number - 1].attempt.record = Some(changed);
        manifest.records = records.sync().unwrap();
    });
}

/// Changes one bit in the middle of the frame of run `number`.
pub(crate) fn flip(folder: &Path, number: usize) {
    let entry = Recording::open(folder).unwrap().manifest().runs[number - 1].attempt.record.clone().unwrap();
    let path = folder.join("runs.zst");
    let mut content = fs::read(&path).unwrap();
    content[(entry.offset_bytes + entry.frame_bytes / 2) as usize] ^= 1;
    fs::write(path, content).unwrap();
}

/// Changes the record of run `number` by `change` and enters its new hash.
pub(crate) fn change_record(folder: &Path, number: usize, change: impl FnOnce(&mut Value)) {
    change_text(folder, number, |text| {
        let mut record = serde_json::from_str(&text).unwrap();
        change(&mut record);
        record.to_string()
    });
}
