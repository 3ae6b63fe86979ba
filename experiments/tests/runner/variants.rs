//! Variants of a server, one of which this machine does not have.

use std::process::Output;

use crate::bench::{Bench, faulty, programs, text};
use experiments::recording::manifest::{LeftOut, Status};
use experiments::recording::{Recording, resume, verify};

const SPEC: &str = r#"
id = "variants"
title = "Variants"
question = "What is left out?"
table = "ablation"
engines = ["epoll"]
variants = [
    { of = "epoll", name = "same", args = ["--fault", "none"] },
    { of = "epoll", name = "other", args = ["--fault", "FAULT"] },
]
modes = ["req-res"]
payload_bytes = [1024]
connections = [2]
repetitions = 2
warmup_s = 0.05
window_s = 0.15
verify = "full"
noise = []
"#;

fn run(bench: &Bench) -> Output {
    let mut runner = bench.command(&["run", "--spec", "spec.toml"]);
    runner.env("URING_ECHO_BIN", faulty()).env("FAULTY_CLIENT", programs().join("uring-echo"));
    runner.output().unwrap()
}

#[test]
fn a_variant_that_this_machine_does_not_have_is_left_out_with_the_reason_and_fails_nothing() {
    let bench = Bench::new("variants", &SPEC.replace("FAULT", "refuse"));
    let output = run(&bench);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let manifest = bench.manifest();
    let reason = "this kernel has no echo; boot another";
    assert_eq!(manifest.left_out, [LeftOut { engine: "epoll-other".into(), reason: reason.into() }]);
    assert_eq!(manifest.ratios, ["epoll-same/epoll"]);
    assert_eq!(manifest.count(Status::Valid), manifest.runs.len());
    assert!(manifest.runs.iter().all(|run| run.engine != "epoll-other"));
    let stdout = text(&output.stdout);
    assert!(stdout.contains(&format!("  epoll-other: {reason}")), "{stdout}");
    let row = stdout.lines().find(|line| line.starts_with("epoll-same")).unwrap();
    assert!(row.contains(" epoll ") && row.contains(" % ("), "{stdout}");

    let recording = Recording::open(&bench.recording()).unwrap();
    let (_, runs) = resume::planned(&recording).unwrap();
    assert_eq!(runs.len(), manifest.runs.len(), "the same runs are planned when it is gone on with");
    assert!(verify::faults(&bench.recording()).unwrap().is_empty());
}

#[test]
fn a_variant_that_no_machine_has_is_an_error_before_there_is_a_recording() {
    let bench = Bench::new("variants", &SPEC.replace("FAULT", "misunderstand"));
    let output = run(&bench);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("epoll-other ended with exit status: 2"), "{stderr}");
    assert!(bench.find_recording().is_none());
}
