//! Guests that go wrong, booted for real: each has to fail the command, with its reason, within its time.

use clap::Parser;

use super::VmArgs;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    vm: VmArgs,
}

/// Why a guest under Debian's 6.1 that is given the arguments `more` fails.
fn failure(more: &[&str]) -> String {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().display().to_string();
    let common = ["vm", "--kernel", "debian:6.1", "--accel", "tcg", "--out", &path];
    let args = Cli::try_parse_from(common.iter().chain(more)).unwrap().vm;
    format!("{:#}", super::run(&args).unwrap_err())
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
    assert!(
        error.contains("--memory-mib may be too little") || error.contains("its memory ran out"),
        "{error}"
    );
}
