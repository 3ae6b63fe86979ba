//! Where the record and the summary go, and what happens when nobody takes them.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use uring_echo::record::RunRecord;

use super::{Fault, PROGRAM, serve};

/// A short valid run with `arguments`, whose summary goes to `stdout`.
fn run(arguments: &[&str], stdout: impl Into<Stdio>) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["client", "req-res", "--connect", &serve(Fault::None).to_string(), "--connections", "1"]);
    command.args(["--warmup-s", "0", "--duration-s", "0.1"]).args(arguments);
    command.stdout(stdout).output().unwrap()
}

/// A pipe whose reader has gone away.
fn abandoned() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn a_reader_that_went_away_is_no_error_whatever_is_said() {
    let output = run(&[], abandoned());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let others = [
        "--help",
        "--version",
        "probe",
        "probe --json",
        "completions bash",
        "man",
        "client --help",
        "serve uring --help",
    ];
    for arguments in others {
        let mut command = Command::new(PROGRAM);
        command.args(arguments.split(' ')).stdout(abandoned()).stderr(Stdio::piped());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments}: {output:?}");
    }
}

#[test]
fn what_was_asked_for_and_cannot_be_written_is_an_error_whatever_it_is() {
    let commands = [
        "--help",
        "--version",
        "-h",
        "help serve",
        "client --help",
        "serve uring --help",
        "probe",
        "probe --json",
        "completions bash",
        "man",
    ];
    for arguments in commands {
        let mut command = Command::new(PROGRAM);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command.args(arguments.split(' ')).stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {stderr}");
        assert!(
            stderr.starts_with("uring-echo: cannot write the ") && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
}

#[test]
fn a_void_run_whose_reasons_nobody_takes_still_says_so_by_its_exit_code() {
    for stderr in
        [Stdio::from(File::options().write(true).open("/dev/full").unwrap()), Stdio::from(abandoned())]
    {
        let mut command = Command::new(PROGRAM);
        command.args(["client", "stream", "--connect", "127.0.0.1:1", "--duration-s", "0.1"]);
        let output = command.stdout(Stdio::piped()).stderr(stderr).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
}

#[test]
fn a_summary_that_cannot_be_written_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = run(&[], full);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the summary"), "{output:?}");
}

#[test]
fn a_record_that_goes_to_standard_output_stands_there_alone_and_the_summary_goes_to_standard_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let file = File::create(&path).unwrap();
    // As /dev/stdout is; that one itself would be at risk under the superuser.
    let name = directory.path().join("stdout");
    std::os::unix::fs::symlink("/proc/self/fd/1", &name).unwrap();
    let output = run(&["--out", name.to_str().unwrap()], file);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let record: RunRecord = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(record.is_valid());
    assert!(String::from_utf8_lossy(&output.stderr).contains("throughput"), "{output:?}");
}

#[test]
fn a_place_that_takes_no_record_is_refused_before_the_run() {
    let long = format!("/tmp/{}", "x".repeat(300));
    for (path, remedy) in [
        (long.as_str(), "name another place"),
        ("/nonexistent/run.json", "create it"),
        ("/proc", "name a file"),
    ] {
        let output = Command::new(PROGRAM)
            .args(["client", "stream", "--connect", "127.0.0.1:1", "--duration-s", "60", "--out", path])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{stderr}");
        assert!(stderr.contains(remedy), "{path}: {stderr}");
    }
    assert!(!Path::new("/nonexistent").exists());
}

#[test]
fn a_server_is_found_by_name() {
    let port = serve(Fault::None).port();
    let mut command = Command::new(PROGRAM);
    command.args(["client", "req-res", "--connect", &format!("localhost:{port}"), "--connections", "1"]);
    let output = command.args(["--warmup-s", "0", "--duration-s", "0.1"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
