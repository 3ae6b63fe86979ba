//! A tiny experiment from end to end: real servers, a real client, a recording, a table.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::{Bench, text, wait_for_children, wait_until_gone};
use experiments::recording::manifest::Status;
use experiments::run::programs;
use uring_echo::sys::process;

const SPEC: &str = r#"
id = "tiny"
title = "Tiny"
question = "Does the runner run?"
engines = ["epoll", "uring", "mio"]
ratios = ["uring/epoll", "epoll/mio"]
modes = ["req-res"]
payload_bytes = [1024]
connections = [4]
repetitions = 1
warmup_s = 0.1
window_s = 0.3
verify = "full"
noise = []
"#;

#[test]
fn a_tiny_experiment_ends_in_a_recording_and_a_table_that_can_be_shown_again() {
    let bench = Bench::new("tiny", SPEC);
    let output = bench.run(&["--seed", "7"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let manifest = bench.manifest();
    assert_eq!((manifest.seed, manifest.count(Status::Valid), manifest.runs.len()), (7, 6, 6));
    assert!(manifest.finished_unix_ms.is_some());
    assert!(!bench.is_littered());

    let row = |begin: &str| {
        let mut lines = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("no row {begin}\n{stdout}"))
    };
    assert!(row("1 KiB 4 epoll").contains(" mio "), "{stdout}");
    assert!(row("uring").contains(" epoll ") && !row("uring").contains('–'), "{stdout}");
    assert!(row("mio").contains('–'), "the yardstick counts no system calls\n{stdout}");

    let recording = bench.recording();
    let shown = bench.command(&["show", recording.to_str().unwrap()]).output().unwrap();
    assert!(stdout.contains(text(&shown.stdout).trim_end()), "{stdout}\n{}", text(&shown.stdout));
}

#[test]
fn a_record_that_was_changed_afterwards_is_not_shown() {
    let bench = Bench::new("tiny", SPEC);
    assert!(bench.run(&["--filter", "engine=epoll"]).status.success());
    let records = bench.recording().join("runs.zst");
    let mut content = fs::read(&records).unwrap();
    let last = content.len() - 1;
    content[last] ^= 1;
    fs::write(&records, content).unwrap();
    let shown = bench.command(&["show", bench.recording().to_str().unwrap()]).output().unwrap();
    assert!(!shown.status.success());
    assert!(text(&shown.stderr).contains("was changed after it was recorded"), "{}", text(&shown.stderr));
}

#[test]
fn a_server_that_refuses_to_start_ends_the_experiment_with_its_own_words() {
    let refused = "{ name = \"epoll\", engine = \"epoll\", args = [\"--no-such\"] },";
    let bench = Bench::new("tiny", &SPEC.replace("\"epoll\",", refused));
    let output = bench.run(&["--filter", "engine=epoll"]);
    let stderr = text(&output.stderr);
    assert!(!output.status.success());
    assert!(stderr.contains("server-start") && stderr.contains("--no-such"), "{stderr}");
    assert_eq!(bench.manifest().runs[0].attempt.status, Status::Failed);
    assert!(!bench.is_littered());
}

#[test]
fn a_run_that_its_client_calls_invalid_is_kept_and_counted_and_fails_the_command() {
    // Two of the four connections are never accepted, so their messages never come back.
    let spec = SPEC
        .replace(
            "\"epoll\",",
            "{ name = \"epoll\", engine = \"epoll\", args = [\"--max-connections\", \"2\"] },",
        )
        .replace("verify", "client_args = [\"--drain-s\", \"0.1\"]\nverify");
    let bench = Bench::new("tiny", &spec);
    let output = bench.run(&["--filter", "engine=epoll"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success(), "{stdout}");
    assert!(stdout.contains("Of 2 runs: 2 invalid"), "{stdout}\n{stderr}");
    let run = &bench.manifest().runs[0];
    assert_eq!(run.attempt.status, Status::Invalid);
    assert!(run.attempt.record.is_some() && !run.attempt.reasons.is_empty());
}

#[test]
fn a_missing_program_is_named_with_the_command_that_builds_it() {
    let bench = Bench::new("tiny", SPEC);
    let output = bench
        .command(&["run", "--spec", "spec.toml"])
        .env("URING_ECHO_BIN", "/nonexistent/uring-echo")
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert!(!output.status.success());
    assert!(stderr.contains("/nonexistent/uring-echo") && stderr.contains("cargo build"), "{stderr}");
}

#[test]
fn an_interrupt_ends_the_children_and_leaves_whole_files() {
    let bench = Bench::new("tiny", &SPEC.replace("window_s = 0.3", "window_s = 30"));
    let runner = bench.command(&["run", "--spec", "spec.toml"]).spawn().unwrap();
    let children = wait_for_children(runner.id(), 2);
    let told = Instant::now();
    process::terminate(runner.id()).unwrap();
    let output = runner.wait_with_output().unwrap();
    assert!(told.elapsed() < Duration::from_secs(20), "the load went on to its end");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(children.iter().all(|&pid| !Path::new(&format!("/proc/{pid}")).exists()), "{children:?}");
    assert_eq!(bench.manifest().count(Status::Planned), 6);
    assert!(!bench.is_littered());
}

#[test]
fn a_runner_that_is_killed_takes_its_children_along() {
    let bench = Bench::new("tiny", &SPEC.replace("window_s = 0.3", "window_s = 30"));
    let mut runner = bench.command(&["run", "--spec", "spec.toml"]).spawn().unwrap();
    let children = wait_for_children(runner.id(), 2);
    runner.kill().unwrap();
    assert_eq!(runner.wait().unwrap().signal(), Some(9));
    wait_until_gone(&children);
    assert_eq!(bench.manifest().count(Status::Planned), 6);
}

#[test]
fn a_recording_names_the_source_of_its_programs_and_no_repository_that_the_environment_names() {
    let elsewhere = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]).args(arguments);
        assert!(git.current_dir(elsewhere.path()).status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "elsewhere"]);
    let bench = Bench::new("tiny", SPEC);
    let mut runner = bench.command(&["run", "--spec", "spec.toml", "--filter", "engine=epoll"]);
    let output = runner.env("GIT_DIR", elsewhere.path().join(".git")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let manifest = bench.manifest();
    assert_eq!(manifest.revision, programs::revision());
    assert_eq!(manifest.flake_lock_sha256, programs::flake_lock_sha256());
}
