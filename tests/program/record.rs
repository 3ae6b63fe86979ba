//! The run record: it survives a file, and its document names every field.

use std::fs;

use serde_json::Value;
use uring_echo::measure::counters::{Counters, Settings};
use uring_echo::measure::fairness::Spread;
use uring_echo::measure::histogram::Histogram;
use uring_echo::measure::host::Host;
use uring_echo::record::{
    Arrivals, Build, ClientSettings, Connections, CoreUse, Cpu, HogKind, Hogs, Latency, Limit, Mode, Noise,
    OpenLoop, ReadError, RunRecord, SCHEMA_VERSION, SCHEMA_VERSION_OLDEST, Series, Server, ServerCounters,
    Summary, Timeline, Totals, Traffic, Verify,
};
use uring_echo::units::{Bytes, Nanos};

/// A record in which nothing is missing and no list is empty.
fn full_record() -> RunRecord {
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run_id: "0042".into(),
        created_unix_ms: 1_700_000_000_000,
        build: Build {
            version: "0.1.0".into(),
            revision: Some("abc".into()),
            profile: "release".into(),
            rustc: Some("rustc 1.95.0".into()),
            exe_sha256: Some("00".into()),
        },
        host: Host::capture(),
        server: server(),
        client: client(),
        timeline: Some(Timeline {
            connect_start_ns: Nanos(1),
            load_start_ns: Nanos(2),
            window_start_ns: Nanos(3),
            window_end_ns: Nanos(4),
            drained_ns: Some(Nanos(5)),
        }),
        totals: totals(),
        cpu: Some(cpu()),
        noise: Some(noise()),
        counters: ServerCounters {
            window: Some(Counters { receives: 3, iterations: 4, syscalls: 7, ..Counters::default() }),
            window_ns: Some(Nanos(1)),
            run: Some(Counters { syscalls: 9, ..Counters::default() }),
            traced_syscalls: Some(11),
        },
        latency: Some(latency()),
        open_loop: Some(open_loop()),
        hogs: Some(hogs()),
        connections: Connections {
            sent_bytes: vec![10, 11],
            received_bytes: vec![9, 10],
            messages: vec![1, 2],
        },
        series: Series { at_ns: vec![Nanos(1)], received_bytes: vec![19], messages: vec![3] },
        summary: Some(summary()),
        validity: vec!["interrupted: by hand".into()],
        notes: vec!["a note".into()],
    }
}

fn server() -> Server {
    Server {
        address: "[::1]:9919".parse().unwrap(),
        pid: Some(7),
        exe_sha256: Some("00".into()),
        settings: Some(Settings::from([("engine".into(), "uring".into())])),
        cpus: Some(vec![0]),
        rss_max_bytes: Some(1 << 20),
    }
}

fn client() -> ClientSettings {
    ClientSettings {
        mode: Mode::ReqRes,
        connections: 2,
        payload_bytes: Bytes(4),
        batch_bytes: Bytes(65_536),
        depth: 3,
        in_flight_bytes_max: Bytes(12),
        rate_per_s: Some(1000),
        arrivals: Some(Arrivals::Staggered),
        hogs: 2,
        hog_kind: Some(HogKind::NonReading),
        idle: 5,
        discard: false,
        threads: 1,
        cpus: vec![1],
        nodelay: true,
        verify: Verify::Sample,
        warmup_ns: Nanos(1),
        duration_ns: Nanos(2),
        drain_limit_ns: Nanos(3),
        seed: 4,
    }
}

fn totals() -> Totals {
    let traffic = Traffic { sent_bytes: 21, received_bytes: 19, sent_messages: 5, received_messages: 3 };
    Totals {
        connections_requested: 2,
        connections_achieved: 2,
        idle_connections: 5,
        window: traffic,
        run: traffic,
        verified_bytes: 19,
    }
}

fn cpu() -> Cpu {
    let core = CoreUse {
        cpu: 0,
        elapsed_ns: Nanos(10),
        busy_ns: Nanos(9),
        user_ns: Nanos(1),
        system_ns: Nanos(2),
        irq_ns: Nanos(3),
        softirq_ns: Nanos(3),
        steal_ns: Nanos(0),
    };
    Cpu {
        server_process_ns: Some(Nanos(6)),
        server_core: Some(core),
        server_ksoftirqd_ns: Some(Nanos(1)),
        client_process_ns: Nanos(5),
        client_threads_ns: vec![Nanos(4)],
        client_cores: vec![core],
    }
}

fn noise() -> Noise {
    Noise {
        psi_cpu_some_ns: Some(Nanos(1)),
        server_involuntary_switches: Some(2),
        client_involuntary_switches: Some(3),
        server_core_softirq_ns: Some(Nanos(4)),
        steal_ns: Some(Nanos(5)),
    }
}

fn latency() -> Latency {
    let mut histogram = Histogram::new();
    (1..=1000).for_each(|micros| histogram.record(Nanos(micros * 1000)));
    Latency::of(&histogram).expect("it is not empty")
}

fn open_loop() -> OpenLoop {
    OpenLoop {
        rate_per_s: 1000,
        arrivals: Arrivals::Staggered,
        corrected: Some(latency()),
        uncorrected: Some(latency()),
        send_lag: Some(latency()),
        client_lag: Some(latency()),
        late_share: 0.125,
    }
}

fn hogs() -> Hogs {
    Hogs { kind: HogKind::NonReading, connections: 2, sent_bytes: 40, received_bytes: 0 }
}

fn summary() -> Summary {
    Summary {
        goodput_bytes_per_s: 1.5,
        messages_per_s: 0.25,
        cpu_ns_per_message: Some(1e3),
        cpu_ns_per_byte: Some(0.1),
        syscalls_per_message: Some(0.125),
        jain: Some(0.99),
        connection_received_bytes: Spread::of(&[9, 10, 11, 12]),
        server_busy_share: Some(0.9),
        server_core_foreign_share: Some(0.01),
        client_busy_share: 0.4,
        limit: Limit::Neither,
    }
}

/// The names of all fields in `value`. The keys of these maps are data, not fields.
fn field_names(value: &Value, names: &mut Vec<String>) {
    const MAPS: [&str; 3] = ["settings", "sysctls", "vulnerabilities"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.push(name.clone());
                if !MAPS.contains(&name.as_str()) {
                    field_names(value, names);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| field_names(item, names)),
        _ => {}
    }
}

#[test]
fn a_record_survives_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.json");
    let record = full_record();
    record.write(&path).unwrap();
    let read = RunRecord::read(&path).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&record).unwrap());
    let left_over = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left_over, 1, "the temporary file is gone");
}

#[test]
fn a_latency_distribution_survives_a_record() {
    let latency = latency();
    let histogram = Histogram::decode(&latency.histogram_v2_deflate_base64).unwrap();
    assert_eq!(Latency::of(&histogram), Some(latency));
}

#[test]
fn every_field_of_a_record_is_documented() {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RUN_RECORD.md")).unwrap();
    let mut names = Vec::new();
    field_names(&serde_json::to_value(full_record()).unwrap(), &mut names);
    let missing: Vec<_> = names.iter().filter(|name| !document.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/RUN_RECORD.md does not name {missing:?}");
}

#[test]
fn a_record_of_another_version_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), r#"{"schema_version": 999}"#).unwrap();
    let error = RunRecord::read(file.path()).unwrap_err();
    assert!(matches!(error, ReadError::Version { found: 999, .. }), "{error}");
}

/// The fields that versions after the first added, as paths into the document.
const ADDED: [&str; 10] = [
    "/open_loop",
    "/hogs",
    "/totals/idle_connections",
    "/client/rate_per_s",
    "/client/arrivals",
    "/client/hogs",
    "/client/hog_kind",
    "/client/idle",
    "/client/discard",
    "/host/cpu/signature",
];

#[test]
fn a_record_of_the_first_version_reads_as_a_closed_loop_without_company() {
    let mut document = serde_json::to_value(full_record()).unwrap();
    document["schema_version"] = SCHEMA_VERSION_OLDEST.into();
    for path in ADDED {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let object = document.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
        assert!(object.remove(name).is_some(), "{path}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), document.to_string()).unwrap();
    let record = RunRecord::read(file.path()).unwrap();
    assert_eq!(record.schema_version, SCHEMA_VERSION_OLDEST);
    assert!(record.open_loop.is_none() && record.hogs.is_none());
    let client = &record.client;
    assert_eq!((client.rate_per_s, client.hogs, client.idle, client.discard), (None, 0, 0, false));
    assert_eq!(record.totals.idle_connections, 0);
    assert!(record.host.cpu.signature.value().is_none());
}

/// The counters that version 4 gave another name, as they are and as they were called.
const RENAMED: [(&str, &str); 2] = [("receives", "messages"), ("iterations", "turns")];

#[test]
fn counters_under_their_older_names_keep_their_values() {
    let mut document = serde_json::to_value(full_record()).unwrap();
    for counters in ["/counters/window", "/counters/run"] {
        let object = document.pointer_mut(counters).and_then(Value::as_object_mut).unwrap();
        for (name, older) in RENAMED {
            let value = object.remove(name).unwrap();
            object.insert(older.into(), value);
        }
    }
    for version in SCHEMA_VERSION_OLDEST..SCHEMA_VERSION {
        document["schema_version"] = version.into();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), document.to_string()).unwrap();
        let read = RunRecord::read(file.path()).unwrap();
        assert_eq!(read.counters, full_record().counters, "version {version}");
    }
}

#[test]
fn what_does_not_apply_is_null_and_not_left_out() {
    let record = RunRecord { open_loop: None, hogs: None, ..full_record() };
    let document = serde_json::to_value(&record).unwrap();
    for path in ["/open_loop", "/hogs"] {
        assert_eq!(document.pointer(path), Some(&Value::Null), "{path}");
    }
}

#[test]
fn a_torn_record_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("torn.json");
    full_record().write(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = RunRecord::read(&path).unwrap_err();
    assert!(matches!(error, ReadError::Syntax { .. }) && error.to_string().contains("torn.json"), "{error}");
}

#[test]
fn a_record_that_cannot_be_written_leaves_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.json");
    full_record().write(&path).unwrap();
    fs::create_dir(directory.path().join("taken")).unwrap();
    assert!(full_record().write(&directory.path().join("taken")).is_err());
    assert!(RunRecord::read(&path).is_ok());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no temporary file is left");
}
