//! A recording is gone on with as it was begun, by one runner, or not at all.

use std::fs;
use std::io;

use crate::bench::{Bench, SHORT_SPEC, change_manifest, manifest_of, signal, text, wait_for_children};
use experiments::recording::manifest::{Attempt, RecordsEntry, Status};

/// An interrupted recording.
fn half_done() -> Bench {
    let bench = Bench::new("short", &SHORT_SPEC.replace("window_s = 0.15", "window_s = 30"));
    let runner = bench.start(&["--seed", "5"]);
    wait_for_children(runner.id(), 2);
    assert!(signal("INT", runner.id()));
    assert_eq!(runner.wait_with_output().unwrap().status.code(), Some(130));
    bench
}

#[test]
fn another_build_of_a_program_may_not_go_on_with_a_recording() {
    let bench = half_done();
    let other = bench.path().join("other");
    fs::copy(crate::bench::programs().join("uring-echo"), &other).unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(&other)
        .and_then(|mut file| io::Write::write_all(&mut file, b"x"))
        .unwrap();
    let recording = bench.recording();
    let resume = ["run", "--spec", "spec.toml", "--resume", recording.to_str().unwrap()];
    let mut command = bench.command(&resume);
    let output = command.env("URING_ECHO_BIN", &other).output().unwrap();
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("uring-echo is another build"), "{}", text(&output.stderr));
}

#[test]
fn a_specification_that_was_changed_in_the_recording_is_not_gone_on_with() {
    let bench = half_done();
    let spec = bench.recording().join("spec.toml");
    fs::write(&spec, fs::read_to_string(&spec).unwrap() + "\n").unwrap();
    let output = bench.resume();
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("was changed after it was recorded"), "{}", text(&output.stderr));
}

#[test]
fn two_runners_do_not_make_the_runs_of_one_recording() {
    let bench = Bench::new("short", &SHORT_SPEC.replace("window_s = 0.15", "window_s = 30"));
    let runner = bench.start(&["--seed", "5"]);
    wait_for_children(runner.id(), 2);
    let output = bench.resume();
    assert!(text(&output.stderr).contains("another runner"), "{}", text(&output.stderr));
    assert!(signal("INT", runner.id()));
    runner.wait_with_output().unwrap();
}

#[test]
fn with_nothing_unfinished_there_is_nothing_to_resume() {
    let bench = Bench::new("short", &SHORT_SPEC.replace("connections = [2, 3]", "connections = [2]"));
    assert!(bench.run(&["--filter", "engine=epoll"]).status.success());
    let output = bench.run(&["--resume"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("is complete"), "{}", text(&output.stderr));
}

#[test]
fn a_recording_without_a_run_is_not_taken_for_the_interrupted_one() {
    let bench = half_done();
    let output = bench.run(&["--resume"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("has no run yet"), "{}", text(&output.stderr));

    // One run of this is made; what a later start left behind, which failed before its first run, is newer.
    let bench = Bench::new("short", SHORT_SPEC);
    assert!(bench.run(&["--seed", "5"]).status.success());
    let interrupted = bench.recording();
    change_manifest(&interrupted, |manifest| {
        manifest.finished_unix_ms = None;
        let last = manifest.runs.last_mut().unwrap();
        last.attempt = Attempt::default();
    });
    let empty = interrupted.with_file_name("99991231T235959Z-000005");
    fs::create_dir(&empty).unwrap();
    for name in ["spec.toml", "host.json"] {
        fs::copy(interrupted.join(name), empty.join(name)).unwrap();
    }
    fs::write(empty.join("runs.zst"), "").unwrap();
    fs::write(empty.join("manifest.json"), fs::read(interrupted.join("manifest.json")).unwrap()).unwrap();
    change_manifest(&empty, |manifest| {
        manifest.records = RecordsEntry::default();
        manifest.runs.iter_mut().for_each(|run| run.attempt = Attempt::default());
    });
    let output = bench.run(&["--resume"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(manifest_of(&interrupted).count(Status::Valid), 6);
    assert_eq!(manifest_of(&empty).count(Status::Planned), 6);
}
