//! `uring-echo probe`, run as a user runs it.

use std::fs::File;
use std::process::{Command, Output};

use uring_echo::probe::{Readiness, Report};

fn uring_echo() -> Command {
    Command::new(env!("CARGO_BIN_EXE_uring-echo"))
}

fn text(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    str::from_utf8(&output.stdout).unwrap()
}

fn json() -> serde_json::Value {
    let output = uring_echo().args(["probe", "--json"]).output().unwrap();
    serde_json::from_str(text(&output)).unwrap()
}

#[test]
fn the_kernel_is_the_one_that_uname_names() {
    let uname = |option: &str| {
        let output = Command::new("uname").arg(option).output().unwrap();
        text(&output).trim().to_owned()
    };
    let report = json();
    assert_eq!(report["kernel"]["release"], uname("-r"));
    assert_eq!(report["kernel"]["version"], uname("-v"));
}

#[test]
fn json_holds_the_verdicts_where_scripts_look_for_them() {
    let report = json();
    for server in ["epoll", "uring"] {
        let state = report["servers"][server]["state"].as_str().unwrap();
        assert!(["ready", "not_possible"].contains(&state), "{state}");
    }
}

#[test]
fn json_reads_back_as_the_report_that_this_process_makes() {
    let theirs: Report = serde_json::from_value(json()).unwrap();
    let ours = Report::capture();
    assert_eq!(theirs.features, ours.features);
    assert_eq!(theirs.servers, ours.servers);
}

#[test]
fn the_table_opens_with_kernel_and_verdicts() {
    let output = uring_echo().arg("probe").output().unwrap();
    let lines: Vec<&str> = text(&output).lines().take(3).collect();
    assert!(lines[0].starts_with("Linux "), "{lines:?}");
    let servers = Report::capture().servers;
    assert_eq!(lines[1], format!("serve epoll: {}", servers.epoll));
    assert_eq!(lines[2], format!("serve uring: {}", servers.uring));
    assert_eq!(lines[2].ends_with(": ready"), servers.uring == Readiness::Ready);
}

#[test]
fn a_full_disk_is_told() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = uring_echo().arg("probe").stdout(full).output().unwrap();
    assert!(!output.status.success());
    let complaint = str::from_utf8(&output.stderr).unwrap();
    assert!(complaint.contains("No space left"), "{complaint}");
}
