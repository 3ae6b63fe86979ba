//! A tiny experiment from end to end: real servers, a real client, a recording, a table.
//!
//! Cargo builds the programs of this package for its tests, but not those of another one. So the test looks where
//! they would be, in the target folder that it was itself built into, and has cargo build them if they are missing.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use experiments::manifest::{Manifest, Status};
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
"#;

/// Where cargo put the programs under test.
fn programs() -> PathBuf {
    let profile = Path::new(env!("CARGO_BIN_EXE_experiments")).parent().unwrap().to_owned();
    if !profile.join("uring-echo").exists() || !profile.join("baseline-mio").exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--locked", "-p", "uring-echo", "-p", "baseline-mio", "--target-dir"]);
        build.arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "the programs under test do not build");
    }
    profile
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(spec: &str) -> Self {
        programs();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec.toml"), spec).unwrap();
        Self { folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.current_dir(self.folder.path()).args(arguments).env("TMPDIR", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(&[&["run", "--spec", "spec.toml"], arguments].concat()).output().unwrap()
    }

    /// The folder of the only recording.
    fn recording(&self) -> PathBuf {
        let mut recordings = fs::read_dir(self.folder.path().join("results/tiny")).unwrap();
        let folder = recordings.next().expect("a recording").unwrap().path();
        assert!(recordings.next().is_none());
        folder
    }

    fn manifest(&self) -> Manifest {
        serde_json::from_slice(&fs::read(self.recording().join("manifest.json")).unwrap()).unwrap()
    }

    /// Whether anything but the specification and the results is left.
    fn is_littered(&self) -> bool {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.into_iter().any(|name| name != "spec.toml" && name != "results")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_tiny_experiment_ends_in_a_recording_and_a_table_that_can_be_shown_again() {
    let bench = Bench::new(SPEC);
    let output = bench.run(&["--seed", "7"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let manifest = bench.manifest();
    assert_eq!((manifest.seed, manifest.count(Status::Valid), manifest.runs.len()), (7, 3, 3));
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
    let bench = Bench::new(SPEC);
    assert!(bench.run(&["--filter", "engine=epoll"]).status.success());
    let record = bench.recording().join("runs/0001.json");
    let edited = fs::read_to_string(&record).unwrap().replace("\"valid", "\"Valid");
    fs::write(&record, edited + " ").unwrap();
    let shown = bench.command(&["show", bench.recording().to_str().unwrap()]).output().unwrap();
    assert!(!shown.status.success());
    assert!(text(&shown.stderr).contains("was changed after it was recorded"), "{}", text(&shown.stderr));
}

#[test]
fn a_server_that_refuses_to_start_ends_the_experiment_with_its_own_words() {
    let refused = "{ name = \"epoll\", engine = \"epoll\", args = [\"--no-such\"] },";
    let bench = Bench::new(&SPEC.replace("\"epoll\",", refused));
    let output = bench.run(&["--filter", "engine=epoll"]);
    let stderr = text(&output.stderr);
    assert!(!output.status.success());
    assert!(stderr.contains("server-start") && stderr.contains("--no-such"), "{stderr}");
    assert_eq!(bench.manifest().runs[0].status, Status::Failed);
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
    let bench = Bench::new(&spec);
    let output = bench.run(&["--filter", "engine=epoll"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success(), "{stdout}");
    assert!(stdout.contains("Of 1 runs: 1 invalid"), "{stdout}\n{stderr}");
    let run = &bench.manifest().runs[0];
    assert_eq!(run.status, Status::Invalid);
    assert!(run.file.is_some() && !run.reasons.is_empty());
}

#[test]
fn a_missing_program_is_named_with_the_command_that_builds_it() {
    let bench = Bench::new(SPEC);
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
    let bench = Bench::new(&SPEC.replace("window_s = 0.3", "window_s = 30"));
    let runner = bench.command(&["run", "--spec", "spec.toml"]).spawn().unwrap();
    let children = wait_for_children(runner.id(), 2);
    process::terminate(runner.id()).unwrap();
    let output = runner.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(children.iter().all(|&pid| !Path::new(&format!("/proc/{pid}")).exists()), "{children:?}");
    assert_eq!(bench.manifest().count(Status::Planned), 3);
    assert!(!bench.is_littered());
}

#[test]
fn a_runner_that_is_killed_takes_its_children_along() {
    let bench = Bench::new(&SPEC.replace("window_s = 0.3", "window_s = 30"));
    let mut runner = bench.command(&["run", "--spec", "spec.toml"]).spawn().unwrap();
    let children = wait_for_children(runner.id(), 2);
    runner.kill().unwrap();
    assert_eq!(runner.wait().unwrap().signal(), Some(9));
    let deadline = Instant::now() + Duration::from_secs(10);
    while children.iter().any(|pid| is_running(*pid)) {
        assert!(Instant::now() < deadline, "{children:?} outlived the runner");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(bench.manifest().count(Status::Planned), 3);
}

/// The children of `pid` once there are `count`.
fn wait_for_children(pid: u32, count: usize) -> Vec<u32> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let children: Vec<u32> = list.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        if children.len() == count {
            return children;
        }
        assert!(Instant::now() < deadline, "the runner has {} children, not {count}", children.len());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the process exists and is more than an entry that waits to be reaped.
fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}
