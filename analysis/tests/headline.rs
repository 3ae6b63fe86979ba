//! `analysis headline` prints what the recordings give, and holds a document to it.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use experiments::spec::Size;
use support::{MadeUp, change_manifest, change_record, write_built_in};

fn headline(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis"));
    command.arg("headline").args(arguments).current_dir(directory).output().unwrap()
}

fn printed(directory: &Path) -> String {
    let output = headline(directory, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn the_table_has_a_row_for_each_mode_with_the_ratio_that_was_put_in() {
    let scratch = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(&scratch.path().join("results"));
    let table = printed(scratch.path());
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(cells).collect();
    let row = |mode| {
        [
            "made-up",
            "io_uring ÷ epoll",
            mode,
            "1",
            "0.80 (0.80–0.80)",
            "0.80–0.80",
            "no claim",
            "1.00 (1.00–1.00)",
            "quick, 6 runs",
        ]
    };
    assert_eq!(rows, [row("stream"), row("req-res")], "{table}");
}

#[test]
fn a_full_recording_says_what_its_control_allows() {
    let scratch = tempfile::tempdir().unwrap();
    let mut made_up = MadeUp::small("made-up");
    made_up.cells.iter_mut().for_each(|cell| cell.1 = 5);
    let folder = made_up.write(&scratch.path().join("results"));
    change_manifest(&folder, |manifest| manifest.size = Size::Full);
    let verdict = |table: &str| cells(table.lines().nth(2).unwrap())[6].to_owned();
    assert_eq!(verdict(&printed(scratch.path())), "less (cells: 1 less, 0 more)");
    // A control that differs by half from itself, in the first of four pairs, lets nothing smaller be claimed.
    change_record(&folder, 21, |record| record["summary"]["cpu_ns_per_message"] = serde_json::json!(9000.0));
    assert_eq!(verdict(&printed(scratch.path())), "no difference (cells: 0 less, 0 more)");
}

#[test]
fn runs_that_do_not_count_and_a_part_of_an_experiment_are_told() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = MadeUp::small("made-up").write(&scratch.path().join("results"));
    change_record(&folder, 1, |record| record["validity"] = serde_json::json!(["reset: a peer was lost"]));
    change_manifest(&folder, |manifest| manifest.filter = "connections=8".into());
    let table = printed(scratch.path());
    assert!(table.contains("| quick, only connections=8, 5 of 6 runs |"), "{table}");
}

#[test]
fn only_comparisons_of_what_an_experiment_is_about_are_headlines() {
    let scratch = tempfile::tempdir().unwrap();
    for id in ["fairness", "parity", "study"] {
        write_built_in(id, Size::Quick, &scratch.path().join("results"));
    }
    let table = printed(scratch.path());
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(cells).collect();
    let names: Vec<[&str; 3]> = rows.iter().map(|row| [row[0], row[1], row[2]]).collect();
    let (engines, as_published) = ("io_uring ÷ epoll", "io_uring-study ÷ epoll-study");
    let workloads = ["stream", "stream, unbounded in flight", "req-res"];
    let compared = [("parity", engines), ("study", as_published), ("study", engines)];
    let expected = compared.map(|(name, compared)| workloads.map(|workload| [name, compared, workload]));
    assert_eq!(names, expected.concat());
}

#[test]
fn a_document_is_held_to_the_recordings() {
    let scratch = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(&scratch.path().join("results"));
    let table = printed(scratch.path());
    let document = scratch.path().join("DOCUMENT.md");
    let check = |text: String| {
        fs::write(&document, text).unwrap();
        let output = headline(scratch.path(), &["--check", "DOCUMENT.md"]);
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (same, told) = check(format!("A\n\n<!-- headline -->\n{table}<!-- /headline -->\n\nB\n"));
    assert!(same, "{told}");
    let old = table.replace("0.80–0.80", "0.79–0.80");
    let (same, told) = check(format!("<!-- headline -->\n{old}<!-- /headline -->\n"));
    assert!(!same && told.contains("DOCUMENT.md") && told.contains("not what the recordings give"), "{told}");
    let (same, told) = check("Nothing.\n".into());
    assert!(!same && told.contains("there is no <!-- headline -->"), "{told}");
    fs::remove_file(&document).unwrap();
    let output = headline(scratch.path(), &["--check", "DOCUMENT.md"]);
    assert!(
        !output.status.success()
            && String::from_utf8_lossy(&output.stderr).contains("cannot read DOCUMENT.md")
    );
}
