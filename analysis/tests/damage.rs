//! Damaged recordings: what is wrong is said with its file, what it spoils is left out, the rest is as before.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use analysis::recording::Recording;
use analysis::values::ExperimentValues;
use experiments::plan::Role;
use experiments::recording::manifest::Status;
use serde_json::json;
use support::{MadeUp, change_manifest, change_record, change_text, flip};

/// The first run: epoll's first repetition in this cell.
const SPOILT: &str = "stream/4096B/c8";
const INTACT: &str = "req-res/256B/c2";

/// A recording in a directory of its own.
struct Scratch {
    _directory: tempfile::TempDir,
    folder: PathBuf,
}

fn scratch() -> Scratch {
    let directory = tempfile::tempdir().unwrap();
    let folder = MadeUp::small("made-up").write(directory.path());
    Scratch { _directory: directory, folder }
}

fn values(folder: &Path) -> ExperimentValues {
    ExperimentValues::of(&Recording::read(folder, || {}).unwrap()).unwrap()
}

/// Values behind the median cost of epoll in `cell`.
fn n(values: &ExperimentValues, cell: &str) -> usize {
    values.grid.cells[cell].engines["epoll"].metrics["cpu_ns_per_message"].n
}

/// Spoils the first run by `spoil` and expects its file to be named with `reason`, itself to be left out, and nothing else.
fn expect_left_out(reason: &str, spoil: impl FnOnce(&Path)) {
    let scratch = scratch();
    spoil(&scratch.folder);
    let values = values(&scratch.folder);
    assert_eq!(values.damage.len(), 1, "{:?}", values.damage);
    let told = &values.damage[0];
    assert!(told.starts_with("runs.zst: run 1: ") && told.contains(reason), "{told}");
    assert_eq!((values.runs.valid, values.runs.damaged, values.runs.planned), (11, 1, 12));
    assert_eq!((n(&values, SPOILT), n(&values, INTACT)), (2, 3));
    let pairs = values.grid.cells[SPOILT].ratios["uring/epoll"]["cpu_ns_per_message"].estimate.n;
    assert_eq!(pairs, 2, "a repetition without one side is no pair");
}

#[test]
fn an_intact_recording_has_no_damage_and_all_its_runs() {
    let scratch = scratch();
    let values = values(&scratch.folder);
    assert!(values.damage.is_empty() && values.gaps.is_empty(), "{:?}", values.damage);
    assert_eq!((values.runs.valid, values.control_runs.valid), (12, 8));
    assert_eq!((n(&values, SPOILT), n(&values, INTACT)), (3, 3));
}

#[test]
fn a_record_that_was_changed_after_it_was_recorded_is_left_out() {
    let scratch = scratch();
    // Behind the first documents, which others are read beside.
    flip(&scratch.folder, 20);
    let values = values(&scratch.folder);
    let [told] = values.damage.as_slice() else { panic!("{:?}", values.damage) };
    assert!(told.starts_with("runs.zst: run 20: runs.zst was changed after it was recorded"), "{told}");
    assert_eq!((values.runs.damaged, values.control_runs.damaged), (0, 1));
}

#[test]
fn what_a_damaged_first_record_takes_along_is_said_of_every_run() {
    let scratch = scratch();
    flip(&scratch.folder, 1);
    let values = values(&scratch.folder);
    assert_eq!((values.damage.len(), values.runs.damaged, values.control_runs.damaged), (20, 12, 8));
    assert!(values.damage[19].contains("one of its first records, which this one needs, is damaged"));
}

#[test]
fn records_that_are_gone_are_left_out() {
    let scratch = scratch();
    fs::remove_file(scratch.folder.join("runs.zst")).unwrap();
    let values = values(&scratch.folder);
    assert_eq!((values.damage.len(), values.runs.damaged), (20, 12));
    assert!(values.damage[0].starts_with("runs.zst: run 1: cannot read runs.zst"), "{:?}", values.damage);
}

#[test]
fn a_torn_record_is_left_out() {
    expect_left_out("is not a run record", |folder| {
        change_text(folder, 1, |text| text[..text.len() / 2].to_owned());
    });
}

#[test]
fn a_record_of_another_schema_version_is_left_out() {
    expect_left_out("has schema version 99", |folder| {
        change_record(folder, 1, |record| record["schema_version"] = json!(99));
    });
}

#[test]
fn a_record_with_a_number_that_is_none_is_left_out() {
    expect_left_out("is not a run record", |folder| {
        change_text(folder, 1, |text| {
            text.replacen("\"goodput_bytes_per_s\":", "\"goodput_bytes_per_s\":NaN,\"x\":", 1)
        });
    });
    expect_left_out("is not a run record", |folder| {
        change_record(folder, 1, |record| record["summary"]["messages_per_s"] = json!(null));
    });
}

#[test]
fn a_run_in_which_no_message_came_back_is_left_out() {
    expect_left_out("no message came back", |folder| {
        change_record(folder, 1, |record| record["totals"]["window"]["received_messages"] = json!(0));
    });
}

#[test]
fn a_ceiling_to_which_no_message_came_back_is_no_damage() {
    let scratch = scratch();
    change_record(&scratch.folder, 1, |record| record["totals"]["window"]["received_messages"] = json!(0));
    change_manifest(&scratch.folder, |manifest| manifest.runs[0].role = Role::Ceiling);
    assert_eq!(values(&scratch.folder).damage, Vec::<String>::new());
}

#[test]
fn a_run_that_ended_before_its_window_is_left_out() {
    expect_left_out("it has no summary", |folder| {
        change_record(folder, 1, |record| record["summary"] = json!(null));
    });
}

#[test]
fn a_record_of_another_cell_is_left_out() {
    expect_left_out("its settings are not those of its cell", |folder| {
        change_record(folder, 1, |record| record["client"]["payload_bytes"] = json!(8192));
    });
}

#[test]
fn a_record_of_a_shorter_queue_than_planned_is_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MadeUp::with_deep_queues("made-up").write(directory.path());
    let number = |runs: &[experiments::recording::manifest::RunEntry]| {
        runs.iter().find(|run| run.factors == support::deep()).unwrap().number
    };
    let run = number(&Recording::read(&folder, || {}).unwrap().manifest.runs);
    change_record(&folder, run, |record| record["client"]["in_flight_bytes_max"] = json!(262_144));
    let values = values(&folder);
    assert_eq!(values.damage.len(), 1, "{:?}", values.damage);
    assert!(values.damage[0].contains("its settings are not those of its cell"), "{:?}", values.damage);
}

#[test]
fn a_record_that_calls_itself_invalid_is_left_out_whatever_the_manifest_says() {
    expect_left_out("the manifest calls it valid", |folder| {
        change_record(folder, 1, |record| record["validity"] = json!(["mismatch: byte 7"]));
    });
}

#[test]
fn a_run_called_valid_without_a_record_is_left_out() {
    let scratch = scratch();
    change_manifest(&scratch.folder, |manifest| manifest.runs[0].attempt.record = None);
    let values = values(&scratch.folder);
    assert_eq!(
        values.damage,
        ["manifest.json: run 1: it is called valid and has no record; the run is left out"]
    );
    assert_eq!((values.runs.damaged, n(&values, SPOILT)), (1, 2));
}

#[test]
fn the_same_measurement_counts_once() {
    let scratch = scratch();
    change_manifest(&scratch.folder, |manifest| manifest.runs[4].repetition = 1);
    let values = values(&scratch.folder);
    assert_eq!(values.damage, ["runs.zst: run 5: the same measurement as run 1; this one is left out"]);
    assert_eq!((values.runs.damaged, n(&values, SPOILT)), (1, 2));
}

#[test]
fn a_damaged_histogram_costs_the_run_its_latency_and_nothing_else() {
    let scratch = scratch();
    change_record(&scratch.folder, 1, |record| {
        record["latency"]["histogram_v2_deflate_base64"] = json!("AAAA");
    });
    let values = values(&scratch.folder);
    assert!(values.damage[0].contains("its latency is left out"), "{:?}", values.damage);
    let epoll = &values.grid.cells[SPOILT].engines["epoll"];
    assert_eq!((n(&values, SPOILT), epoll.latency.unwrap().count), (3, 200));
}

#[test]
fn a_cell_without_a_run_that_counts_is_a_gap_and_not_a_number() {
    let scratch = scratch();
    change_manifest(&scratch.folder, |manifest| {
        let is_its = |run: &&mut experiments::recording::manifest::RunEntry| {
            run.cell == SPOILT && run.engine == "uring"
        };
        for (index, run) in manifest.runs.iter_mut().filter(is_its).enumerate() {
            run.attempt.status = [Status::Planned, Status::Failed, Status::Invalid][index];
            run.attempt.record = run.attempt.record.take().filter(|_| index == 2);
        }
    });
    let values = values(&scratch.folder);
    assert_eq!(values.gaps, ["stream/4096B/c8 uring: no run counts"]);
    assert_eq!((values.runs.missing, values.runs.failed, values.runs.invalid), (1, 1, 1));
    let ratio = &values.grid.cells[SPOILT].ratios["uring/epoll"]["cpu_ns_per_message"].estimate;
    assert_eq!((ratio.median, ratio.low, ratio.n), (None, None, 0));
    assert_eq!(values.grid.means["stream"]["uring/epoll"]["cpu_ns_per_message"].mean, None);
    let text = serde_json::to_value(&values).unwrap();
    assert!(text["cells"][SPOILT]["engines"]["uring"]["cpu_ns_per_message"]["median"].is_null());
}

#[test]
fn a_cell_with_one_run_has_a_number_and_no_interval() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = MadeUp::small("made-up");
    small.cells.iter_mut().for_each(|cell| cell.1 = 1);
    let values = values(&small.write(directory.path()));
    let ratio = &values.grid.cells[SPOILT].ratios["uring/epoll"]["cpu_ns_per_message"].estimate;
    assert!((ratio.median.unwrap() - support::RATIO).abs() < 1e-9);
    assert_eq!((ratio.low, ratio.high, ratio.n), (None, None, 1));
}

#[test]
fn flagged_runs_count_and_are_counted() {
    let scratch = scratch();
    change_manifest(&scratch.folder, |manifest| {
        manifest.runs[0].attempt.flags.push("summary.server_core_foreign_share: 0.310 > 0.05".into());
    });
    let values = values(&scratch.folder);
    assert_eq!((values.runs.valid, values.runs.flagged), (11, 1));
    let epoll = &values.grid.cells[SPOILT].engines["epoll"];
    assert_eq!((epoll.runs, epoll.flagged, n(&values, SPOILT)), (3, 1, 3));
}

#[test]
fn a_torn_description_of_the_machine_costs_nothing_but_the_machine() {
    let scratch = scratch();
    fs::write(scratch.folder.join("host.json"), "{\"kernel\":").unwrap();
    let values = values(&scratch.folder);
    assert!(values.damage[0].starts_with("host.json: is not a description"), "{:?}", values.damage);
    assert!(values.host.is_null());
    assert_eq!(values.runs.valid, 12);
}

#[test]
fn a_manifest_that_cannot_be_read_is_an_error_that_names_it() {
    let refused = |spoil: &dyn Fn(String) -> String| {
        let scratch = scratch();
        let path = scratch.folder.join("manifest.json");
        fs::write(&path, spoil(fs::read_to_string(&path).unwrap())).unwrap();
        let error = format!("{:#}", Recording::read(&scratch.folder, || {}).unwrap_err());
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        error
    };
    assert!(refused(&|text| text[..text.len() / 2].to_owned()).contains("is not a manifest"));
    let other = |text: String| text.replacen("\"schema_version\": 3", "\"schema_version\": 99", 1);
    assert!(refused(&other).contains("has schema version 99"));
    let missing = Recording::read(Path::new("no-such-recording"), || {}).unwrap_err();
    assert!(format!("{missing:#}").contains("cannot read no-such-recording/manifest.json"));
}
