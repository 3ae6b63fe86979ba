//! Whatever is killed, and whenever: nothing runs on, and what is resumed ends in the same runs as what was not disturbed.

mod bench;

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use bench::{Bench, children, text, wait_for_children, wait_until_gone};
use experiments::manifest::{Attempt, Manifest, RunEntry, Status};
use experiments::random::Random;

const SPEC: &str = r#"
id = "short"
title = "Short"
question = "Is it the same after an interruption?"
engines = ["epoll", "uring"]
ratios = ["uring/epoll"]
modes = ["req-res"]
payload_bytes = [1024]
connections = [2, 3]
repetitions = 1
warmup_s = 0.05
window_s = 0.15
verify = "full"
noise = []
"#;

const SEED: &str = "5";

/// Two to prime, four to measure.
const RUN_COUNT: usize = 6;

/// Where the runs stand, without what became of them: what an interruption must not change.
fn planned(manifest: &Manifest) -> Vec<RunEntry> {
    let bare =
        |run: &RunEntry| RunEntry { attempt: Attempt::default(), superseded: Vec::new(), ..run.clone() };
    manifest.runs.iter().map(bare).collect()
}

fn undisturbed() -> Vec<RunEntry> {
    let bench = Bench::new("short", SPEC);
    let output = bench.run(&["--seed", SEED]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    planned(&bench.manifest())
}

fn start(bench: &Bench, arguments: &[&str]) -> Child {
    bench.command(&[&["run", "--spec", "spec.toml"], arguments].concat()).spawn().unwrap()
}

fn resume(bench: &Bench) -> Output {
    bench.run(&["--resume"])
}

/// Holds `bench`'s recording to `expected`, every run valid, and to its own manifest.
fn assert_complete(bench: &Bench, expected: &[RunEntry]) {
    let manifest = bench.manifest();
    assert_eq!(planned(&manifest), expected);
    assert_eq!(manifest.count(Status::Valid), RUN_COUNT);
    let verified = bench.command(&["verify", bench.recording().to_str().unwrap()]).output().unwrap();
    assert!(verified.status.success(), "{}", text(&verified.stderr));
}

/// Whether the runner has begun its recording.
fn has_manifest(bench: &Bench) -> bool {
    bench.find_recording().is_some_and(|folder| folder.join("manifest.json").exists())
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Kills the runner by `name` at a random moment between its first manifest and about its end; what it had started.
fn kill_at_random(bench: &Bench, runner: &mut Child, name: &str, random: &mut Random) -> Vec<u32> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !has_manifest(bench) && Instant::now() < deadline && runner.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(random.below(2500) as u64));
    let started = children(runner.id());
    if runner.try_wait().unwrap().is_none() {
        signal(name, runner.id());
    }
    runner.wait().unwrap();
    started
}

/// Kills by `name` at random moments, three times in a row, and then has the rest made.
fn interrupt_again_and_again(name: &str, seed: u64) {
    let (bench, expected) = (Bench::new("short", SPEC), undisturbed());
    let mut random = Random::new(seed);
    for round in 0..3 {
        let is_complete = has_manifest(&bench) && bench.manifest().count(Status::Valid) == RUN_COUNT;
        if is_complete {
            break;
        }
        let arguments: &[&str] = if round == 0 { &["--seed", SEED] } else { &["--resume"] };
        let mut runner = start(&bench, arguments);
        let started = kill_at_random(&bench, &mut runner, name, &mut random);
        wait_until_gone(&started);
    }
    let before: Vec<_> = bench.manifest().runs.iter().map(|run| run.attempt.file.clone()).collect();
    if bench.manifest().count(Status::Valid) < RUN_COUNT || bench.manifest().finished_unix_ms.is_none() {
        let output = resume(&bench);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert_complete(&bench, &expected);
    let after: Vec<_> = bench.manifest().runs.iter().map(|run| run.attempt.file.clone()).collect();
    let kept = before.iter().zip(&after).filter(|(before, _)| before.is_some());
    kept.for_each(|(before, after)| assert_eq!(before, after, "a run was made twice"));
}

#[test]
fn a_runner_that_is_killed_at_random_moments_goes_on_where_it_was() {
    interrupt_again_and_again("KILL", 11);
}

#[test]
fn a_runner_that_is_interrupted_at_random_moments_goes_on_where_it_was() {
    interrupt_again_and_again("INT", 12);
}

/// Kills the child of the runner in the first measured run that `which` picks, server before client.
fn kill_a_child(which: usize) -> Bench {
    let bench = Bench::new("short", &SPEC.replace("window_s = 0.15", "window_s = 1.0"));
    let runner = start(&bench, &["--seed", SEED]);
    let mut pids = wait_for_children(runner.id(), 2);
    pids.sort_unstable();
    signal("KILL", pids[which]);
    let output = runner.wait_with_output().unwrap();
    assert!(!output.status.success(), "{}", text(&output.stdout));
    wait_until_gone(&pids);
    bench
}

#[test]
fn a_run_whose_server_is_killed_is_made_again_and_the_first_attempt_is_kept() {
    let bench = kill_a_child(0);
    let disturbed = bench.manifest();
    let spoilt = disturbed.runs.iter().find(|run| run.attempt.status != Status::Valid).unwrap();
    assert!(!spoilt.attempt.reasons.is_empty());
    let output = resume(&bench);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_complete(&bench, &planned(&disturbed));
    assert_eq!(bench.manifest().runs[spoilt.number - 1].superseded, std::slice::from_ref(&spoilt.attempt));
}

#[test]
fn a_run_whose_client_is_killed_is_made_again() {
    let bench = kill_a_child(1);
    let disturbed = bench.manifest();
    assert!(disturbed.count(Status::Valid) < RUN_COUNT);
    let output = resume(&bench);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_complete(&bench, &planned(&disturbed));
}

/// An interrupted recording.
fn half_done() -> Bench {
    let bench = Bench::new("short", &SPEC.replace("window_s = 0.15", "window_s = 30"));
    let runner = start(&bench, &["--seed", SEED]);
    wait_for_children(runner.id(), 2);
    signal("INT", runner.id());
    assert_eq!(runner.wait_with_output().unwrap().status.code(), Some(130));
    bench
}

#[test]
fn another_build_of_a_program_may_not_go_on_with_a_recording() {
    let bench = half_done();
    let other = bench.path().join("other");
    fs::copy(bench::programs().join("uring-echo"), &other).unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(&other)
        .and_then(|mut file| io::Write::write_all(&mut file, b"x"))
        .unwrap();
    let mut command = bench.command(&["run", "--spec", "spec.toml", "--resume"]);
    let output = command.env("URING_ECHO_BIN", &other).output().unwrap();
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("uring-echo is another build"), "{}", text(&output.stderr));
}

#[test]
fn a_specification_that_was_changed_in_the_recording_is_not_gone_on_with() {
    let bench = half_done();
    let spec = bench.recording().join("spec.toml");
    fs::write(&spec, fs::read_to_string(&spec).unwrap() + "\n").unwrap();
    let output = resume(&bench);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("was changed after it was recorded"), "{}", text(&output.stderr));
}

#[test]
fn two_runners_do_not_make_the_runs_of_one_recording() {
    let bench = Bench::new("short", &SPEC.replace("window_s = 0.15", "window_s = 30"));
    let runner = start(&bench, &["--seed", SEED]);
    wait_for_children(runner.id(), 2);
    let output = resume(&bench);
    assert!(text(&output.stderr).contains("another runner"), "{}", text(&output.stderr));
    signal("INT", runner.id());
    runner.wait_with_output().unwrap();
}

#[test]
fn with_nothing_unfinished_there_is_nothing_to_resume() {
    let bench = Bench::new("short", &SPEC.replace("connections = [2, 3]", "connections = [2]"));
    assert!(bench.run(&["--filter", "engine=epoll"]).status.success());
    let output = resume(&bench);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("is complete"), "{}", text(&output.stderr));
}

/// Runs `script` in a mount namespace of its own, where it may mount. `None` where that is not permitted.
fn in_own_namespace(bench: &Bench, script: &str) -> Option<Output> {
    let flags = ["--mount", "--map-root-user"];
    let is_permitted = Command::new("unshare")
        .args(flags)
        .args(["sh", "-c", "mount -t tmpfs -o size=64k none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    is_permitted.then(|| {
        let runner = PathBuf::from(env!("CARGO_BIN_EXE_experiments"));
        let mut command = Command::new("unshare");
        command.args(flags).args(["sh", "-c", script, "sh"]).arg(runner).current_dir(bench.path());
        command.env("TMPDIR", bench.path()).output().unwrap()
    })
}

#[test]
fn a_full_disk_is_named_and_leaves_a_recording_that_goes_on_once_there_is_room() {
    let bench = Bench::new("short", SPEC);
    // Room for the manifest, the machine and one or two records.
    let script = "set -u; mkdir results; mount -t tmpfs -o size=72k none results || exit 9
        \"$1\" run --spec spec.toml --seed 5 && exit 8
        echo === >&2; mount -o remount,size=8m results || exit 9
        \"$1\" verify results/short/* ; \"$1\" run --spec spec.toml --resume || exit 7
        \"$1\" verify results/short/* || exit 6; cp -r results kept";
    let Some(output) = in_own_namespace(&bench, script) else {
        eprintln!("skipped: this user may not mount in a namespace of its own");
        return;
    };
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(output.status.signal().is_none());
    let (full, _) = said.split_once("===").unwrap();
    assert!(full.contains("No space left") && full.contains("--resume"), "{said}");
    let kept = fs::read_dir(bench.path().join("kept/short")).unwrap().next().unwrap().unwrap().path();
    let manifest: Manifest = serde_json::from_slice(&fs::read(kept.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest.count(Status::Valid), RUN_COUNT);
}
