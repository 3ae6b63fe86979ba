//! A client that may have fewer threads than it was asked for.

use std::process::Command;

use uring_echo::record::RunRecord;

use super::{Fault, Run, command, serve};

/// A run of `thread_count` threads, started by a shell after `limits`.
fn limited(limits: &str, thread_count: usize) -> Run {
    let arguments = format!("stream --connections {thread_count} --threads {thread_count} --duration-s 0.1");
    let (program, directory, path) = command(serve(Fault::None), &arguments);
    let line = format!("{limits} exec {:?} \"$@\"", program.get_program());
    let output = Command::new("sh").args(["-c", &line, "sh"]).args(program.get_args()).output().unwrap();
    Run { output, record: RunRecord::read(&path).unwrap(), _directory: directory }
}

#[test]
fn threads_that_find_no_place_are_refused_in_advance_with_the_remedy() {
    let run = limited("ulimit -v 800000;", 1024);
    run.assert_void("setup");
    let stderr = run.stderr();
    assert!(stderr.contains("cannot start 1024 load threads: RLIMIT_AS leaves "), "{stderr}");
    assert!(stderr.contains("lower --threads or raise ulimit -v"), "{stderr}");
}

#[test]
fn a_thread_that_the_system_does_not_give_is_numbered_and_the_remedy_named() {
    // Stacks of 1 GiB: the watchdog and one or two load threads find a place.
    let run = limited("ulimit -v 3500000; export RUST_MIN_STACK=1073741824;", 4);
    run.assert_void("setup");
    let stderr = run.stderr();
    assert!(stderr.contains("cannot start load thread ") && stderr.contains(" of 4: Resource"), "{stderr}");
    assert!(stderr.contains("lower --threads, or raise ulimit -v or ulimit -u"), "{stderr}");
}
