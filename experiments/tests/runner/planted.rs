//! Faults that are planted: each must void its run for the right reason, and the same server without one must not.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use serde_json::Value;

const SPEC: &str = r#"
id = "planted"
title = "Planted"
question = "Is a fault found?"
engines = [{ name = "faulty", engine = "epoll", args = ["--fault", "SERVER"] }]
modes = ["MODE"]
payload_bytes = [1024]
connections = [4]
repetitions = 1
warmup_s = 0.1
window_s = 0.3
verify = "full"
client_args = ["--drain-s", "0.5"CLIENT]
"#;

/// What the runner made of a specification of one cell: the run, and what it adds to it as a control.
struct Made {
    output: Output,
    runs: Vec<Value>,
}

impl Made {
    /// By a server with the fault `server` and a client with the fault `client`, in `mode`.
    fn with(server: &str, client: &str, mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = SPEC.replace("SERVER", server).replace("CLIENT", client).replace("MODE", mode);
        fs::write(folder.path().join("spec.toml"), spec).unwrap();
        let mut runner = Command::new(env!("CARGO_BIN_EXE_experiments"));
        runner.args(["run", "--spec", "spec.toml"]).current_dir(folder.path()).stdin(Stdio::null());
        runner.env("URING_ECHO_BIN", crate::bench::faulty());
        runner.env("FAULTY_CLIENT", crate::bench::programs().join("uring-echo")).env("TMPDIR", folder.path());
        let output = runner.output().unwrap();
        let runs = runs(&folder.path().join("results/planted"), &output);
        Self { output, runs }
    }

    fn by_server(fault: &str) -> Self {
        Self::with(fault, "", "req-res")
    }

    /// Asserts that every run is void because of `word`, kept, counted and in no figure.
    fn assert_void(&self, word: &str) {
        for run in &self.runs {
            assert!(is_said(run, word), "{run}");
            assert_eq!(run["status"], "invalid");
            assert!(run["record"].is_object(), "the record is kept: {run}");
        }
        assert_eq!(self.output.status.code(), Some(1));
        let counted = format!(" {} invalid", self.runs.len());
        let stdout = String::from_utf8_lossy(&self.output.stdout);
        assert!(stdout.contains(&counted), "{stdout}");
    }
}

fn is_said(run: &Value, word: &str) -> bool {
    let begins = |reason: &Value| reason.as_str().is_some_and(|text| text.starts_with(&format!("{word}: ")));
    run["reasons"].as_array().unwrap().iter().any(begins)
}

/// The runs of the faulty server in the only recording, as its manifest has them.
fn runs(recordings: &Path, output: &Output) -> Vec<Value> {
    let complaint = || String::from_utf8_lossy(&output.stderr).into_owned();
    let recording = fs::read_dir(recordings).unwrap_or_else(|_| panic!("{}", complaint())).next().unwrap();
    let text = fs::read(recording.unwrap().path().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&text).unwrap();
    let runs = manifest["runs"].as_array().unwrap().iter().filter(|run| run["engine"] == "faulty");
    let runs: Vec<Value> = runs.cloned().collect();
    assert!(!runs.is_empty(), "{}", complaint());
    runs
}

#[test]
fn the_same_server_without_a_fault_makes_a_valid_run() {
    for mode in ["req-res", "stream"] {
        let made = Made::with("none", "", mode);
        let is_valid = |run: &Value| run["status"] == "valid" && run["reasons"] == Value::Array(Vec::new());
        assert!(made.runs.iter().all(is_valid), "{:?}", made.runs);
        assert_eq!(made.output.status.code(), Some(0));
    }
}

#[test]
fn a_byte_that_is_left_out_voids_the_run_in_both_modes() {
    Made::by_server("drop").assert_void("mismatch");
    Made::with("drop", "", "stream").assert_void("mismatch");
}

#[test]
fn bytes_of_two_connections_that_are_exchanged_void_the_run() {
    Made::by_server("swap").assert_void("mismatch");
}

#[test]
fn a_server_that_serves_one_connection_only_voids_the_run() {
    Made::by_server("one").assert_void("drain");
}

#[test]
fn a_connection_that_ends_early_voids_the_run() {
    Made::by_server("close").assert_void("closed");
}

#[test]
fn a_server_that_dies_voids_the_run_at_both_ends() {
    let made = Made::by_server("die");
    made.assert_void("server-exit");
    let is_noticed = |run: &Value| is_said(run, "closed") || is_said(run, "reset");
    assert!(made.runs.iter().all(is_noticed), "{:?}", made.runs);
}

#[test]
fn a_client_that_opens_fewer_connections_than_asked_voids_the_run() {
    Made::with("none", ", \"--fault\", \"fewer\"", "req-res").assert_void("plan");
}

/// What `compare` with `more` arguments makes of the faulty server beside ours, and whether it made a recording.
fn compared(fault: &str, connections: usize, more: &[&str]) -> (Output, bool) {
    let folder = tempfile::tempdir().unwrap();
    let faulty = crate::bench::faulty();
    let faulty = format!("mine={} serve --listen {{addr}} --fault {fault}", faulty.display());
    let mut runner = Command::new(env!("CARGO_BIN_EXE_experiments"));
    runner.args([
        "compare",
        "--server",
        "epoll",
        "--server",
        &faulty,
        "--mode",
        "req-res",
        "--payload-bytes",
        "1024",
    ]);
    runner.args(["--connections", &connections.to_string(), "--repetitions", "1"]);
    runner.args(["--warmup-s", "0.05", "--window-s", "0.15"]).args(more);
    runner.current_dir(folder.path()).stdin(Stdio::null()).env("TMPDIR", folder.path());
    runner.env("URING_ECHO_BIN", crate::bench::programs().join("uring-echo"));
    let output = runner.output().unwrap();
    (output, folder.path().join("results/compare").exists())
}

/// Fails unless the server with `fault` is told `reason` and nothing is recorded.
fn assert_told(fault: &str, connections: usize, reason: &str) {
    let (output, is_recorded) = compared(fault, connections, &[]);
    let (status, words) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
    assert!(words.contains("mine is no echo server: ") && words.contains(reason), "{fault}: {words}");
    assert_eq!((status, is_recorded), (Some(1), false), "{fault}");
}

#[test]
fn a_server_that_changes_bytes_is_told_the_first_wrong_one_before_it_is_measured() {
    assert_told("drop", 4, "at position 3000 where it had sent 0x");
    assert_told("double", 4, "at position 3001 where it had sent 0x");
    assert_told("swap", 4, "sent that there");
    assert_told("early", 4, "it answered early: 0x68 came before anything was sent");
    assert_told("truncate", 4, "what was sent before its end was not all echoed");
}

#[test]
fn a_server_that_forgets_a_connection_is_told_which() {
    assert_told("stall", 4, "stalls: no byte came for 5s after position");
}

#[test]
fn a_server_that_serves_too_few_at_a_time_is_told_how_many() {
    assert_told("sequence", 4, "connection 2 of 4 had no answer for 5s while 1 others were open");
    assert_told("limit", 1100, "was closed while");
}

#[test]
fn any_server_that_echoes_is_compared_with_ours() {
    let (output, is_recorded) = compared("none", 4, &[]);
    assert!(output.status.success() && is_recorded, "{output:?}");
}

#[test]
fn the_system_calls_of_a_server_that_does_not_count_them_are_counted_by_the_kernel() {
    let (output, is_recorded) = compared("none", 4, &["--count-syscalls"]);
    if !rustix::process::geteuid().is_root() {
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains("it takes root") && !is_recorded, "{words}");
        return;
    }
    assert!(output.status.success() && is_recorded, "{output:?}");
    let table = String::from_utf8_lossy(&output.stdout);
    let row = table.lines().find(|line| line.contains(" mine ")).expect("a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    let server = cells.iter().position(|cell| *cell == "mine").unwrap();
    let calls: f64 = cells[server + 5].parse().unwrap_or_else(|_| panic!("no number of calls in {row}"));
    // A read and a write for each message, and nothing else.
    assert!((1.9..2.2).contains(&calls), "{row}");
}
