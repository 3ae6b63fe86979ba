//! What is said beside the results, and how often: once, and not in silence where it cannot be said.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;

use crate::bench::{Bench, SHORT_SPEC, change_manifest, programs, text};
use experiments::recording::manifest::{Attempt, RecordsEntry, Status};
use experiments::recording::verify;

/// One cell and one engine: a priming run and a measured one.
const FILTER: [&str; 2] = ["--filter", "engine=epoll,connections=2"];

#[test]
fn a_noisy_run_is_announced_once_where_there_is_no_terminal() {
    // Every run exceeds this; the gate repeats the measured one.
    let limit = "[[noise]]\nfield = \"summary.messages_per_s\"\nmax = 1\n";
    let bench = Bench::new("short", &(SHORT_SPEC.replace("noise = []\n", "") + limit));
    let stderr = text(&bench.run(&FILTER).stderr);
    let noisy: Vec<_> = stderr.lines().filter(|line| line.contains("noisy: ")).collect();
    let [priming, first, second] = noisy.as_slice() else { panic!("{stderr}") };
    assert!(priming.contains("1/2") && second.contains("2/2"), "{stderr}");
    assert!(first.starts_with("run 2 (") && first.ends_with("; made once more"), "{stderr}");
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    let nowhere = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let says = |program: &Path, arguments: &[&str], word: &str| {
        let output = Command::new(program).args(arguments).stdout(nowhere()).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with(&format!("{word}: cannot write the help: ")), "{arguments:?}: {stderr}");
    };
    let own = Path::new(env!("CARGO_BIN_EXE_experiments"));
    for arguments in [&["--help"] as &[_], &["--version"], &["help", "quick"], &["quick", "--help"]] {
        says(own, arguments, "experiments");
    }
    says(&programs().join("baseline-mio"), &["--help"], "baseline-mio");
}

#[test]
fn arguments_that_make_no_sense_are_said_to_and_their_exit_code_is_that_of_a_usage_error() {
    for arguments in [&["quick", "--seed", "x"] as &[_], &["no-such"], &[]] {
        let output = Command::new(env!("CARGO_BIN_EXE_experiments")).args(arguments).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        assert!(text(&output.stderr).contains("--help"), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn cpus_are_a_list_wherever_they_are_named() {
    let bench = Bench::new("short", SHORT_SPEC);
    let output = bench.run(&FILTER);
    let cpus = bench.manifest().client_cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let said = format!("client on CPU {cpus}");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(stderr.contains(&format!("{said}, seed ")), "{stderr}");
    assert!(stdout.lines().any(|line| line.ends_with(&said)), "{stdout}");
}

#[test]
fn runs_that_are_not_made_are_counted_in_words_that_fit_their_number() {
    let bench = Bench::new("short", SHORT_SPEC);
    assert!(bench.run(&FILTER).status.success());
    let folder = bench.recording();
    std::fs::write(folder.join("runs.zst"), "").unwrap();
    let said = |keep: usize| {
        change_manifest(&folder, |manifest| {
            manifest.runs.truncate(keep);
            manifest.runs.iter_mut().for_each(|run| run.attempt = Attempt::default());
            manifest.records = RecordsEntry::default();
            assert_eq!(manifest.count(Status::Planned), keep);
        });
        text(&bench.command(&["verify", folder.to_str().unwrap()]).output().unwrap().stderr)
    };
    assert!(said(2).contains("2 of 2 runs not made"), "{}", said(2));
    assert!(said(1).contains("1 of 1 run not made"), "{}", said(1));
}

#[test]
fn a_missing_file_of_records_is_one_fault_and_not_one_for_each_run() {
    let bench = Bench::new("short", SHORT_SPEC);
    assert!(bench.run(&FILTER).status.success());
    std::fs::remove_file(bench.recording().join("runs.zst")).unwrap();
    let faults = verify::faults(&bench.recording()).unwrap();
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert!(fault.contains("cannot read") && fault.contains("runs.zst"), "{fault}");
}
