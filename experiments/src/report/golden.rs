//! The whole report of a small recording, compared with `golden.txt`, whose figures were worked out by hand.

use uring_echo::measure::histogram::Histogram;
use uring_echo::record::{Limit, Mode, Summary, Verify};
use uring_echo::units::Nanos;

use super::control::Controls;
use super::grid::Grid;
use crate::clock::Clock;
use crate::plan::{Arm, Role};
use crate::recording::manifest::{
    Attempt, EngineEntry, Manifest, RecordsEntry, RunEntry, SCHEMA_VERSION, Status,
};
use crate::spec::factors::Factors;
use crate::spec::in_flight::InFlight;
use crate::spec::{EngineLevel, Size, Table};

/// Engine, then for each repetition goodput in MB/s and CPU in nanoseconds a message.
type Series = (&'static str, [(f64, f64); 3]);

const STREAM: [Series; 3] = [
    ("epoll", [(800.0, 400.0), (820.0, 410.0), (780.0, 390.0)]),
    // Against epoll 0.95, 1.00, 1.10: the median is 1.00 and the spread spans it.
    ("uring", [(840.0, 380.0), (820.0, 410.0), (702.0, 429.0)]),
    // epoll against it 1.25, 1.025, 1.00.
    ("mio", [(1000.0, 320.0), (820.0, 400.0), (780.0, 390.0)]),
];
const REQ_RES: [Series; 3] = [
    ("epoll", [(500.0, 30_000.0), (500.0, 30_000.0), (500.0, 30_000.0)]),
    // Against epoll 0.90, no pair, 0.80.
    ("uring", [(550.0, 27_000.0), (1.0, 1.0), (600.0, 24_000.0)]),
    ("mio", [(500.0, 30_000.0), (500.0, 30_000.0), (500.0, 30_000.0)]),
];

/// A valid run of one of two cells.
pub(super) fn entry(number: usize, repetition: u32, engine: &str, mode: Mode) -> RunEntry {
    let (payload_bytes, connections) = if mode == Mode::Stream { (256, 8) } else { (16_384, 512) };
    let factors = Factors::new(mode, payload_bytes, connections);
    RunEntry {
        number,
        role: Role::Measured,
        arm: None,
        repetition,
        engine: engine.into(),
        cell: factors.key(),
        factors,
        warmup_ns: Nanos::from_millis(500),
        window_ns: Nanos::from_secs(2),
        verify: Verify::Sample,
        client_args: Vec::new(),
        environment_bytes: 0,
        attempt: Attempt { status: Status::Valid, ..Attempt::default() },
        superseded: Vec::new(),
    }
}

/// What a run measured that brought `goodput_mb_per_s` at a cost of `cpu_ns_per_message`, in messages of a megabyte.
pub(super) fn summary_of(goodput_mb_per_s: f64, cpu_ns_per_message: f64) -> Summary {
    Summary {
        goodput_bytes_per_s: goodput_mb_per_s * 1e6,
        messages_per_s: goodput_mb_per_s,
        cpu_ns_per_message: Some(cpu_ns_per_message),
        cpu_ns_per_byte: None,
        syscalls_per_message: Some(0.0625),
        jain: None,
        connection_received_bytes: None,
        server_core_foreign_share: None,
        server_busy_share: Some(1.0),
        client_busy_share: 0.5,
        limit: Limit::Server,
    }
}

fn summary(run: &RunEntry, goodput_mb_per_s: f64, cpu_ns_per_message: f64) -> Summary {
    let usual = summary_of(goodput_mb_per_s, cpu_ns_per_message);
    Summary {
        messages_per_s: usual.goodput_bytes_per_s / run.factors.payload_bytes as f64,
        syscalls_per_message: usual.syscalls_per_message.filter(|_| run.engine != "mio"),
        jain: Some(1.0 - f64::from(run.repetition) / 1000.0),
        limit: if run.engine == "mio" && run.repetition == 2 { Limit::Both } else { Limit::Server },
        ..usual
    }
}

/// One message in each repetition: 10, 20 and 30 µs, so that the merged median is 20 µs.
fn latency(run: &RunEntry) -> Histogram {
    let mut histogram = Histogram::new();
    histogram.record(Nanos(u64::from(run.repetition) * 10_000));
    histogram
}

/// Two cells with three engines three times, and what each run measured.
pub(super) fn recording() -> (Manifest, Vec<Summary>) {
    let (mut runs, mut summaries) = (Vec::new(), Vec::new());
    for (mode, cell) in [(Mode::Stream, STREAM), (Mode::ReqRes, REQ_RES)] {
        for (engine, series) in cell {
            for (repetition, (goodput, cpu)) in (1..).zip(series) {
                let run = entry(runs.len() + 1, repetition, engine, mode);
                summaries.push(summary(&run, goodput, cpu));
                runs.push(run);
            }
        }
    }
    // Request-response, uring, second repetition.
    runs[13].attempt.status = Status::Invalid;
    runs[13].attempt.reasons = vec!["mismatch: connection 7, byte 4096".into()];
    let engines = ["epoll", "uring", "mio"].map(|name| EngineLevel::named(name).unwrap());
    let manifest = Manifest {
        clock: Clock::Time,
        schema_version: SCHEMA_VERSION,
        experiment: "golden".into(),
        title: "Worked out by hand".into(),
        question: "Does the report say what was measured?".into(),
        figure: None,
        table: Table::Grid,
        size: Size::Quick,
        recording: "20260101T000000Z-000007".into(),
        recorded_as: None,
        seed: 7,
        filter: String::new(),
        started_unix_ms: 0,
        finished_unix_ms: Some(1),
        resumed_unix_ms: Vec::new(),
        estimated_ns: Nanos::from_secs(1),
        estimated_bytes: 1,
        version: "0.1.0".into(),
        revision: "unavailable".into(),
        programs: Vec::new(),
        cargo_lock_sha256: "unavailable".into(),
        flake_lock_sha256: "unavailable".into(),
        server_cpu: 1,
        client_cpus: vec![0],
        repetitions: 3,
        engines: engines.iter().map(EngineEntry::from).collect(),
        left_out: Vec::new(),
        ratios: vec!["uring/epoll".into(), "epoll/mio".into()],
        noise: Vec::new(),
        server_busy_share_min: 0.95,
        client_busy_share_max: 0.9,
        files: Vec::new(),
        records: RecordsEntry::default(),
        runs,
        sha256: String::new(),
    };
    (manifest, summaries)
}

fn rendered() -> String {
    let (manifest, summaries) = recording();
    let controls = Controls::default();
    let mut grid = Grid::of(&manifest, &controls);
    for (run, summary) in manifest.runs.iter().zip(summaries) {
        if run.counts() {
            grid.add(run, summary.into(), Some(&latency(run)));
        }
    }
    super::text(&manifest, &grid, &controls)
}

/// The same with streams that have as much on their way as the sockets take, in which io_uring costs twice as much.
fn rendered_with_deep_queues() -> String {
    let (mut manifest, mut summaries) = recording();
    for run in manifest.runs.clone().iter().filter(|run| run.factors.mode == Mode::Stream) {
        let factors = Factors { in_flight_bytes: Some(InFlight::Unbounded), ..run.factors.clone() };
        manifest.runs.push(RunEntry { cell: factors.key(), factors, ..run.clone() });
        let cost = if run.engine == "uring" { 800.0 } else { 400.0 };
        summaries.push(summary(run, 800.0, cost));
    }
    let controls = Controls::default();
    let mut grid = Grid::of(&manifest, &controls);
    for (run, summary) in manifest.runs.iter().zip(summaries).filter(|(run, _)| run.counts()) {
        grid.add(run, summary.into(), None);
    }
    super::text(&manifest, &grid, &controls)
}

/// The same four times, in full size, with twelve control pairs that differ by up to 1 %.
fn rendered_in_full() -> String {
    let (mut manifest, mut summaries) = recording();
    let once = manifest.runs.clone();
    for round in 1..4 {
        let later = |run: &RunEntry| RunEntry { repetition: run.repetition + 3 * round, ..run.clone() };
        manifest.runs.extend(once.iter().map(later));
        summaries.extend_from_within(..once.len());
    }
    (manifest.size, manifest.repetitions) = (Size::Full, 12);
    let mut controls = Controls::default();
    for pair in 1..=12 {
        let cost = 99.0 + f64::from(pair % 3);
        controls.add(&once[0].factors, pair, Arm::A, &summary_of(100.0, cost));
        controls.add(&once[0].factors, pair, Arm::B, &summary_of(100.0, 100.0));
    }
    let mut grid = Grid::of(&manifest, &controls);
    for (run, summary) in manifest.runs.iter().zip(summaries).filter(|(run, _)| run.counts()) {
        grid.add(run, summary.into(), Some(&latency(run)));
    }
    super::text(&manifest, &grid, &controls)
}

#[test]
fn the_report_is_the_one_worked_out_by_hand() {
    let (expected, got) = (include_str!("golden.txt"), rendered() + "\n");
    assert!(got == expected, "got:\n{got}\nexpected:\n{expected}");
}

#[test]
fn deep_queues_are_a_table_of_their_own_and_in_no_mean_of_short_ones() {
    let (short, deep) = (rendered(), rendered_with_deep_queues());
    let mean = |report: &str, nth: usize| {
        let means =
            report.lines().filter(|line| line.contains("geometric mean of the cells: uring to epoll"));
        means.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).nth(nth).unwrap()
    };
    assert_eq!(mean(&short, 0), mean(&deep, 0));
    assert_eq!(mean(&short, 1), mean(&deep, 2));
    assert!(mean(&deep, 1).contains("epoll 2.00 (2.00..2.00)"), "{deep}");
    assert!(deep.contains("STREAM, unbounded in flight: the client writes"), "{deep}");
    let prose = deep.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(prose.contains("2.00 (no claim) in stream, unbounded in flight (1 cell)"), "{prose}");
}

#[test]
fn no_line_is_longer_than_140_columns() {
    let report = rendered();
    let longest = report.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(longest.chars().count() <= 140, "{longest}");
}

#[test]
fn a_full_recording_says_less_more_or_no_difference_by_its_control() {
    let report = rendered_in_full();
    // Against epoll 0.80 and 0.90 of the cost, 1.10 and 1.20 of the goodput, each four times.
    assert!(report.contains("epoll  0.85 (0.80..0.90) <   1.15 >"), "{report}");
    assert!(report.contains("epoll  1.00 (0.95..1.10) ≈   1.00 ≈"), "{report}");
    assert!(report.contains("No difference of 1.0 % or less may be claimed here."), "{report}");
    let prose = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected =
        "uring against epoll: no difference (1.00) in stream (1 cell); 15 % less in req-res (1 cell).";
    assert!(prose.contains(expected), "{report}");
    assert!(!prose.contains("claims nothing"), "{report}");
}
