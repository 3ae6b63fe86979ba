//! The doctor's command line, on a machine made of files: nothing here touches the real one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const WATCHDOG: &str = "proc/sys/kernel/nmi_watchdog";
const MIGRATION: &str = "proc/sys/kernel/timer_migration";
const CLOCKSOURCE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
const STATE: &str = "run/uring-echo/doctor.json";

/// A machine that shows little, with two settings that a measurement does not want.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.write("proc/self/status", "Cpus_allowed_list:\t0-3\n");
        machine.write(WATCHDOG, "1\n");
        machine.write(MIGRATION, "1\n");
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap().trim().to_owned()
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.args(["doctor", "--watch-ms", "0", "--root"]).arg(self.0.path());
        command.arg("--out").arg(self.0.path()).args(arguments).stdin(Stdio::null()).output().unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn finding<'a>(document: &'a Value, check: &str) -> &'a Value {
    let mut findings = document["findings"].as_array().unwrap().iter();
    findings.find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no {check}: {document}"))
}

#[test]
fn the_document_names_level_value_reason_and_remedy_of_every_check() {
    let output = Machine::new().doctor(&["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let watchdog = finding(&document, "kernel.nmi_watchdog");
    assert_eq!((watchdog["level"].as_str(), watchdog["value"].as_str()), (Some("warn"), Some("1")));
    assert_eq!(watchdog["fix"][0]["value"], "0");
    for finding in document["findings"].as_array().unwrap() {
        assert!(
            !finding["why"].as_str().unwrap().is_empty() && !finding["remedy"].as_str().unwrap().is_empty()
        );
    }
    let governor = finding(&document, "governor");
    assert_eq!(governor["level"], "unavailable");
    assert!(governor["value"].as_str().unwrap().starts_with("unavailable ("));
}

#[test]
fn the_command_fails_only_if_a_check_does() {
    let machine = Machine::new();
    machine.write(CLOCKSOURCE, "hpet\n");
    let failing = machine.doctor(&["--json"]);
    let document: Value = serde_json::from_slice(&failing.stdout).unwrap();
    assert_eq!(finding(&document, "clocksource")["level"], "fail");
    assert_eq!(failing.status.code(), Some(1));
    machine.write(CLOCKSOURCE, "tsc\n");
    let failures = |output: &Output| stdout(output).lines().filter(|line| line.starts_with("FAIL")).count();
    let output = machine.doctor(&[]);
    assert_eq!(output.status.code(), Some(i32::from(failures(&output) > 0)), "{}", stdout(&output));
}

#[test]
fn settings_are_applied_announced_and_restored() {
    let machine = Machine::new();
    assert!(
        stdout(&machine.doctor(&[])).contains("--apply sets kernel.nmi_watchdog, kernel.timer_migration")
    );
    assert_eq!(machine.read(WATCHDOG), "1", "looking changes nothing");
    machine.doctor(&["--apply"]);
    assert_eq!((machine.read(WATCHDOG), machine.read(MIGRATION)), ("0".into(), "0".into()));
    let later = stdout(&machine.doctor(&[]));
    assert!(later.contains("in force: ") && later.contains("--restore"), "{later}");
    assert!(machine.doctor(&["--restore"]).status.success());
    assert_eq!((machine.read(WATCHDOG), machine.read(MIGRATION)), ("1".into(), "1".into()));
    assert!(!machine.path(STATE).exists());
    assert!(stdout(&machine.doctor(&["--restore"])).contains("nothing to restore"));
}

#[test]
fn an_apply_that_was_killed_is_noticed_and_undone() {
    let machine = Machine::new();
    machine.doctor(&["--apply"]);
    // What a kill after the first of the two changes leaves behind.
    let state = machine.read(STATE).replace("\"is_complete\": true", "\"is_complete\": false");
    machine.write(STATE, &state);
    machine.write(MIGRATION, "1\n");
    assert!(stdout(&machine.doctor(&[])).contains("was cut off"));
    let document: Value = serde_json::from_slice(&machine.doctor(&["--json"]).stdout).unwrap();
    assert_eq!(document["changed"]["is_complete"], false);
    machine.doctor(&["--restore"]);
    assert_eq!((machine.read(WATCHDOG), machine.read(MIGRATION)), ("1".into(), "1".into()));
    assert!(!stdout(&machine.doctor(&[])).contains("cut off"));
}

#[test]
fn a_core_that_is_not_there_is_refused_by_number() {
    let output = Machine::new().doctor(&["--server-cpu", "9"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && stderr.contains("CPU 9"), "{stderr}");
}

#[test]
fn this_machine_can_be_looked_at_without_privileges() {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_experiments"));
    let output = doctor.args(["doctor", "--json", "--watch-ms", "10"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let fails = document["findings"].as_array().unwrap().iter().any(|finding| finding["level"] == "fail");
    assert_eq!(output.status.code(), Some(i32::from(fails)));
}
