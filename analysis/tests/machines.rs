//! `analysis machines` puts what each machine recorded side by side.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use experiments::recording::HOST;
use serde_json::{Value, json};
use support::{MadeUp, change_manifest, change_record};

/// What is divided by what.
const COMPARED: &str = "io_uring ÷ epoll";
/// What io_uring costs in a recording of [`before`], as a share of what epoll costs.
const RATIO_BEFORE: &str = "1.60 (1.60–1.60)";
/// The same in one as it is made up.
const RATIO: &str = "0.80 (0.80–0.80)";

fn machines(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis"));
    command
        .args(["machines", "--results", "results"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

/// The cells of every line that is printed.
fn printed(directory: &Path) -> Vec<Vec<String>> {
    let output = machines(directory, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// A recording of an earlier year in which io_uring cost twice as much.
fn before(results: &Path) -> PathBuf {
    let folder = MadeUp::small("made-up").write(results);
    let earlier = folder.with_file_name("20250101T000000Z-000001");
    fs::rename(folder, &earlier).unwrap();
    for uring in (2..=12).step_by(2) {
        change_record(&earlier, uring, |record| {
            let cost = record["summary"]["cpu_ns_per_message"].as_f64().unwrap();
            record["summary"]["cpu_ns_per_message"] = json!(2.0 * cost);
        });
    }
    change_manifest(&earlier, |manifest| manifest.recording = "20250101T000000Z-000001".into());
    earlier
}

fn change_host(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join(HOST);
    let mut host = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut host);
    fs::write(path, host.to_string()).unwrap();
}

#[test]
fn each_machine_has_a_column_and_the_one_that_recorded_last_comes_first() {
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    change_host(&before(&results), |host| {
        host["cpu"]["signature"] = json!("6/167/1");
        host["cpu"]["caches"] = json!([
            {"level": 1, "kind": "Instruction", "size_bytes": 32 << 10, "shared_cpus": "0"},
            {"level": 1, "kind": "Data", "size_bytes": 48 << 10, "shared_cpus": "0"},
            {"level": 3, "kind": "Unified", "size_bytes": 32 << 20, "shared_cpus": "0-1"},
        ]);
    });
    MadeUp::small("made-up").write(&results);
    let lines = printed(scratch.path());
    assert_eq!((lines[2][0].as_str(), lines[3][0].as_str()), ("A", "B"));
    assert_eq!(lines[3][2..4], ["6/167/1", "48 KiB, 32 MiB"]);
    assert_eq!(lines[5], ["experiment", "compared", "mode", "A", "B"]);
    assert_eq!(lines[7], ["made-up", COMPARED, "stream", RATIO, RATIO_BEFORE]);
    assert_eq!(lines[8], ["made-up", COMPARED, "req-res", RATIO, RATIO_BEFORE]);
}

#[test]
fn the_machines_of_the_first_folder_come_first() {
    let scratch = tempfile::tempdir().unwrap();
    change_host(&before(&scratch.path().join("results")), |host| host["cpu"]["model"] = json!("another"));
    MadeUp::small("made-up").write(&scratch.path().join("elsewhere"));
    let output = machines(scratch.path(), &["--results", "elsewhere"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, second) = (text.find("another").unwrap(), text.find("made up").unwrap());
    assert!(first < second, "{text}");
}

#[test]
fn of_two_recordings_on_one_machine_the_newest_counts_and_the_other_stands_beside_it() {
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    before(&results);
    assert_eq!(printed(scratch.path())[6], ["made-up", COMPARED, "stream", RATIO_BEFORE]);
    MadeUp::small("made-up").write(&results);
    let lines = printed(scratch.path());
    assert_eq!(lines[6], ["made-up", COMPARED, "stream", RATIO]);
    assert_eq!(lines[9], ["recorded twice on", "experiment", "compared", "mode", "newest", "the one before"]);
    assert_eq!(lines[11], ["A", "made-up", COMPARED, "stream", RATIO, RATIO_BEFORE]);
}

#[test]
fn what_a_machine_did_not_record_is_a_dash() {
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    change_host(&before(&results), |host| host["kernel"]["release"] = json!("6.1.0"));
    MadeUp::small("another").write(&results);
    let lines = printed(scratch.path());
    assert_eq!(lines[7], ["another", COMPARED, "stream", RATIO, "–"]);
    assert_eq!(lines[9], ["made-up", COMPARED, "stream", "–", RATIO_BEFORE]);
}

#[test]
fn a_document_is_held_to_the_recordings() {
    let scratch = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(&scratch.path().join("results"));
    let table = String::from_utf8(machines(scratch.path(), &[]).stdout).unwrap();
    let check = |table: &str| {
        fs::write(scratch.path().join("D.md"), format!("<!-- machines -->\n{table}<!-- /machines -->\n"))
            .unwrap();
        machines(scratch.path(), &["--check", "D.md"])
    };
    assert!(check(&table).status.success());
    let other = check(&table.replace(RATIO, RATIO_BEFORE));
    assert!(!other.status.success());
    assert!(String::from_utf8_lossy(&other.stderr).contains("put there what `analysis machines` prints"));
}
