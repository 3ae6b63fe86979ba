//! Guests that go wrong, booted for real: each has to fail the command, with its reason, within its time.

use clap::Parser;

use super::VmArgs;
use super::qemu::Files;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    vm: VmArgs,
}

/// Why a guest under Debian's 6.1 that is given the arguments `more` fails.
fn failure(more: &[&str]) -> String {
    failure_and_records(more).0
}

/// The same, and what the guest had reported until then.
fn failure_and_records(more: &[&str]) -> (String, String) {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().display().to_string();
    let common = ["vm", "--kernel", "debian:6.1", "--accel", "tcg", "--out", &path];
    let args = Cli::try_parse_from(common.iter().chain(more)).unwrap().vm;
    let error = format!("{:#}", super::run(&args).unwrap_err());
    (error, Files::text(&out.path().join("records.jsonl")))
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_guest_whose_first_process_exits_panics_and_says_so() {
    let error = failure(&["--run", "probe", "--cmdline", "rdinit=/bin/uring-echo"]);
    assert!(
        error.contains("the guest panicked: Kernel panic - not syncing: Attempted to kill init!"),
        "{error}"
    );
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_guest_that_hangs_while_it_boots_is_given_up() {
    // The kernel waits for a root device that never comes, as there is no first process in the archive by this name.
    let words = "rdinit=/none root=/dev/none rootwait";
    let error = failure(&["--run", "probe", "--cmdline", words, "--boot-timeout-s", "20"]);
    assert!(error.contains("the guest did not boot within its time"), "{error}");
    assert!(error.contains("Waiting for root device"), "{error}");
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_step_that_never_ends_is_killed_at_its_deadline() {
    let error = failure(&["--run", "uring-echo", "--step-timeout-s", "3", "--", "serve", "epoll"]);
    assert!(error.contains("step uring-echo failed: killed at its deadline of 3 s"), "{error}");
    assert!(error.contains("listening on "), "{error}");
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_guest_that_writes_among_the_records_is_not_believed() {
    let arguments = ["--", "serve", "epoll", "--stats", "/dev/ttyS1"];
    let error = failure(&[&["--run", "uring-echo", "--step-timeout-s", "3"], arguments.as_slice()].concat());
    assert!(error.contains("line 2 of the guest's report makes no sense"), "{error}");
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_guest_without_the_memory_to_unpack_itself_is_told_from_one_that_hangs() {
    let error = failure(&["--run", "probe", "--memory-mib", "56"]);
    let named =
        ["--memory-mib may be too little", "the guest ran out of memory; a larger --memory-mib may help"];
    assert!(named.iter().any(|reason| error.contains(reason)), "{error}");
}

/// A guest that booted, then took more memory than it has, with these further `words` on its command line.
fn outgrown(words: &str) -> String {
    let own = ["--run", "glutton", "--memory-mib", "128", "--timeout-s", "120", "--cmdline", words];
    let (error, records) = failure_and_records(&own);
    assert!(records.starts_with(r#"{"record":"boot""#), "it did not boot: {records}{error}");
    assert!(error.starts_with("the guest ran out of memory; a larger --memory-mib may help\n"), "{error}");
    assert!(error.contains("invoked oom-killer"), "{error}");
    assert!(!error.contains("within its time"), "{error}");
    error
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_guest_that_runs_out_of_memory_while_it_works_ends_at_once_and_names_who_had_it() {
    let error = outgrown("");
    assert!(error.contains("Kernel panic - not syncing: Out of memory: "), "{error}");
    assert!(error.lines().any(|row| row.contains("] [") && row.ends_with(" glutton")), "{error}");
}

#[test]
#[ignore = "boots a guest: wants qemu, apt and a minute"]
fn a_guest_that_goes_on_after_a_process_was_killed_for_its_memory_still_fails_for_it() {
    let error = outgrown("sysctl.vm.panic_on_oom=0");
    assert!(error.contains("Out of memory: Killed process ") && error.contains("(glutton)"), "{error}");
}
