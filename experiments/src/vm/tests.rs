//! `experiments vm` end to end, against emulators that are a few lines of shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use tempfile::TempDir;

use super::VmArgs;
use super::kernel::{Kernel, Source};
use super::qemu::{Accel, Files};
use super::session::{Booted, Session};
use crate::cli::{self, Request};
use crate::run::args::RunArgs;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    vm: VmArgs,
}

const BOOT: &str =
    r#"{"record":"boot","release":"6.1.0-test","version":"v","command_line":"c","cpus":2,"uptime_ns":5}"#;
const PROBE: &str =
    r#"{"record":"step","name":"probe","ended":{"exit":0},"elapsed_ns":7,"strays":0,"output":"ring yes\n"}"#;
const END: &str = r#"{"record":"end","steps":1}"#;

/// A folder with all that a boot needs, the emulator being the shell script `body`. In it, `$console` and
/// `$records` name the guest's two serial lines, and `$accel` who is to execute it.
fn stage(body: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut image = vec![0; 0x400];
    image[0x202..0x206].copy_from_slice(b"HdrS");
    fs::write(path("vmlinuz"), image).unwrap();
    fs::create_dir(path("bin")).unwrap();
    fs::write(path("bin/guest-init"), "static").unwrap();
    let out = path("out");
    let script = format!(
        "#!/bin/sh\nconsole={0}/console.log records={0}/records.jsonl accel=$4\n{body}\n",
        out.display()
    );
    install_emulator(folder.path(), &script);
    folder
}

/// Puts `script` in place by a child process. If this process wrote it, a test beside this one that forks at that
/// moment would hold the file open for writing, and running it would fail with ETXTBSY.
fn install_emulator(folder: &Path, script: &str) {
    fs::write(folder.join("script"), script).unwrap();
    let names = [folder.join("script"), folder.join("qemu")];
    assert!(Command::new("install").args(["-m", "755"]).args(names).status().unwrap().success());
}

fn parse(folder: &Path, more: &[&str]) -> VmArgs {
    let path = |name: &str| folder.join(name).display().to_string();
    let (kernel, qemu, programs, out) = (path("vmlinuz"), path("qemu"), path("bin"), path("out"));
    let common = ["vm", "--kernel", &kernel, "--guest-bin-dir", &programs, "--out", &out, "--run", "probe"];
    let mut words: Vec<&str> = common.to_vec();
    if !more.contains(&"--qemu") {
        words.extend(["--qemu", &qemu]);
    }
    words.extend_from_slice(more);
    Cli::try_parse_from(words).unwrap().vm
}

fn run(folder: &Path, more: &[&str]) -> anyhow::Result<ExitCode> {
    super::run(&parse(folder, more))
}

/// What becomes of a boot on a machine where KVM can be tried.
fn boot_kvm_or_tcg(folder: &Path) -> anyhow::Result<Booted> {
    let args = parse(folder, &[]);
    let plan = args.plan()?;
    let kernel = Kernel::obtain(&args.kernel, folder)?;
    let machine = args.machine(&kernel, &plan, Files::create(&folder.join("out"))?);
    Session { plan: &plan, machine: &machine, limits: args.limits() }.boot_kvm_or_tcg()
}

fn failure(body: &str, more: &[&str]) -> String {
    let folder = stage(body);
    format!("{:#}", run(folder.path(), more).unwrap_err())
}

/// Shell that writes a good report.
fn good() -> String {
    format!("echo hello >$console; printf '%s\\n' '{BOOT}' '{PROBE}' '{END}' >$records")
}

#[test]
fn a_guest_that_reports_success_leaves_a_verdict_with_the_hash_of_its_kernel() {
    let folder = stage(&good());
    run(folder.path(), &["--accel", "tcg", "--memory-mib", "300"]).unwrap();
    let verdict: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("out/vm.json")).unwrap()).unwrap();
    let image = fs::read(folder.path().join("vmlinuz")).unwrap();
    assert_eq!(verdict["kernel"]["sha256"], uring_echo::hash::sha256(&image));
    assert_eq!(verdict["boot"]["release"], "6.1.0-test");
    assert_eq!(verdict["functional_only"], true);
    assert_eq!(verdict["memory_mib"], 300);
}

#[test]
fn the_guest_is_told_what_to_run_and_its_words_come_last() {
    let folder = stage(&format!("echo \"$*\" >$console.words; {}", good()));
    run(
        folder.path(),
        &[
            "--accel",
            "tcg",
            "--cmdline",
            "slub_debug=F",
            "--mitigations",
            "off",
            "--timeout-s",
            "50",
            "--",
            "--json",
        ],
    )
    .unwrap();
    let words = fs::read_to_string(folder.path().join("out/console.log.words")).unwrap();
    assert!(words.contains(" panic=-1 oops=panic sysctl.vm.panic_on_oom=1 "), "{words}");
    let expected = "URING_ECHO_SCALE=0.05 mitigations=off slub_debug=F uring_echo.run=probe uring_echo.deadline_s=40 -- --json";
    assert!(words.trim_end().ends_with(expected), "{words}");
}

#[test]
fn without_an_emulator_the_error_says_how_to_get_one() {
    let error = failure("", &["--qemu", "/no/such/qemu"]);
    assert!(error.contains("/no/such/qemu") && error.contains("apt-get install qemu-system-x86"), "{error}");
}

#[test]
fn an_emulator_that_refuses_its_arguments_is_quoted() {
    let error = failure("echo 'unknown machine' >&2; exit 1", &["--accel", "tcg"]);
    assert!(error.contains("exit status: 1") && error.contains("unknown machine"), "{error}");
}

#[test]
fn a_guest_that_hangs_while_booting_is_stopped_and_its_console_shown() {
    let started = Instant::now();
    let error = failure(
        "echo 'Loading initrd' >$console; exec sleep 60",
        &["--accel", "tcg", "--boot-timeout-s", "1"],
    );
    assert!(error.contains("did not boot") && error.contains("    Loading initrd"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_guest_that_hangs_in_a_step_is_stopped_and_counted() {
    let body = format!("echo '{BOOT}' >$records; exec sleep 60");
    let error = failure(&body, &["--accel", "tcg", "--boot-timeout-s", "1", "--timeout-s", "2"]);
    assert!(error.contains("0 of 1 steps were over"), "{error}");
}

#[test]
fn a_guest_that_panics_is_reported_in_its_own_words() {
    let error = failure("echo '[1.0] Kernel panic - not syncing: VFS' >$console", &["--accel", "tcg"]);
    assert!(error.contains("the guest panicked: Kernel panic - not syncing: VFS"), "{error}");
}

#[test]
fn a_report_that_makes_no_sense_is_an_error_and_not_a_verdict() {
    let folder = stage("echo '@@@@' >$records");
    let error = run(folder.path(), &["--accel", "tcg"]).unwrap_err().to_string();
    assert!(error.contains("line 1 of the guest's report makes no sense"), "{error}");
    assert!(!folder.path().join("out/vm.json").exists());
}

#[test]
fn a_report_of_an_earlier_boot_is_not_taken_for_this_one() {
    let folder = stage(&good());
    run(folder.path(), &["--accel", "tcg"]).unwrap();
    install_emulator(folder.path(), "#!/bin/sh\n");
    let error = run(folder.path(), &["--accel", "tcg"]).unwrap_err().to_string();
    assert!(error.contains("before its report was complete"), "{error}");
}

#[test]
fn a_step_that_fails_fails_the_command() {
    let step = PROBE.replace(r#"{"exit":0}"#, r#"{"exit":101}"#);
    let error = failure(&format!("printf '%s\\n' '{BOOT}' '{step}' '{END}' >$records"), &["--accel", "tcg"]);
    assert!(
        error.contains("step probe failed: exit status 101") && error.contains("    ring yes"),
        "{error}"
    );
}

#[test]
fn a_guest_that_boots_under_kvm_stays_there() {
    let folder = stage(&format!("test $accel = kvm || exit 1; {}", good()));
    let booted = boot_kvm_or_tcg(folder.path()).unwrap();
    assert_eq!((booted.accel, booted.kvm_failure), (Accel::Kvm, None));
}

#[test]
fn where_kvm_fails_the_guest_is_emulated_and_the_reason_kept() {
    let folder = stage(&format!("test $accel = tcg || {{ echo 'no MSR' >&2; exit 1; }}; {}", good()));
    let booted = boot_kvm_or_tcg(folder.path()).unwrap();
    assert_eq!(booted.accel, Accel::Tcg);
    assert!(booted.kvm_failure.unwrap().contains("no MSR"));
}

#[test]
fn a_guest_that_fails_under_kvm_is_not_tried_again() {
    let folder = stage(&format!("echo '{BOOT}' >$records; echo $accel >>$console.tries"));
    let error = boot_kvm_or_tcg(folder.path()).unwrap_err().to_string();
    assert!(error.contains("before its report was complete"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("out/console.log.tries")).unwrap(), "kvm\n");
}

#[test]
fn an_argument_that_would_not_survive_the_command_line_is_refused() {
    let error = failure(&good(), &["--accel", "tcg", "--", "two words"]);
    assert!(error.contains("'two words'"), "{error}");
}

#[test]
fn a_guest_whose_clock_is_its_instructions_has_one_cpu_and_is_told_so() {
    let folder = stage(&format!("echo \"$*\" >$console.words; {}", good()));
    run(folder.path(), &["--accel", "tcg", "--clock", "instructions"]).unwrap();
    let words = fs::read_to_string(folder.path().join("out/console.log.words")).unwrap();
    for part in [
        "-icount shift=0,sleep=off",
        "-rtc base=2026-01-01T00:00:00,clock=vm",
        "-smp 1",
        "-cpu max,-erms,-fsrm,-rdrand,-rdseed",
        "URING_ECHO_CLOCK=instructions nokaslr norandmaps",
    ] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    let folder = stage(&format!("echo \"$*\" >$console.words; {}", good()));
    run(folder.path(), &["--accel", "tcg"]).unwrap();
    let words = fs::read_to_string(folder.path().join("out/console.log.words")).unwrap();
    assert!(!words.contains("icount") && !words.contains("URING_ECHO_CLOCK"), "{words}");
}

#[test]
fn an_experiment_is_passed_on_to_the_guest_that_counts_it() {
    let line = "experiments parity --clock instructions --size full --seed 7 --filter mode=stream --kernel debian:6.12 --out there";
    let words = line.split(' ').map(std::ffi::OsString::from);
    let Request::BuiltIn(id, run) = cli::parse(words).unwrap().unwrap() else { panic!("no experiment") };
    let args = VmArgs::recording(&id, run.kernel[0].clone(), &run, &[]);
    let plan = args.plan().unwrap();
    assert_eq!(plan.steps, ["experiments"]);
    assert_eq!(plan.args.join(" "), "parity --size full --seed 7 --filter mode=stream");
    let same = VmArgs::recording(&id, Source::default(), &RunArgs { seed: None, ..run }, &[]);
    let words = same.plan().unwrap().args.join(" ");
    assert!(words.contains("--seed 1 "), "two boots do the same: {words}");
    assert_eq!((args.kernel, args.recordings), (Source::Debian("6.12".into()), PathBuf::from("there")));
}
