//! A client that is itself held up: what it measures then is its own.

use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use uring_echo::record::RunRecord;

use super::{Fault, Run, Server, client, command, serve};

/// A run of `arguments` whose client is stopped for `stop` when its window has lasted for `delay`.
fn stopped(arguments: &str, delay: Duration, stop: Duration) -> Run {
    let server = Server::start("serve epoll");
    let arguments = format!(
        "{arguments} --connections 4 --payload-bytes 100 --warmup-s 0.1 --server-stats {}",
        server.stats.display()
    );
    let (mut command, directory, path) = command(server.address, &arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The client asks for the first snapshot when the window begins.
    while server.stats_lines("snapshot") == 0 && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(delay);
    let process = Pid::from_child(&child);
    kill_process(process, Signal::STOP).unwrap();
    thread::sleep(stop);
    kill_process(process, Signal::CONT).unwrap();
    let output = child.wait_with_output().unwrap();
    let record = RunRecord::read(&path).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    Run { output, record, _directory: directory }
}

const SHORT: Duration = Duration::from_millis(400);

#[test]
fn a_client_that_was_stopped_in_the_window_voids_the_run() {
    for mode in ["stream", "req-res", "req-res --rate 1000"] {
        let run = stopped(&format!("{mode} --duration-s 1.5"), Duration::from_millis(300), SHORT);
        run.assert_void("stalled");
    }
}

#[test]
fn messages_that_fell_due_while_the_client_was_stopped_are_late() {
    let run = stopped("req-res --rate 1000 --duration-s 1.5", Duration::from_millis(300), SHORT);
    run.assert_void("late");
    let late_share = run.record.open_loop.as_ref().unwrap().late_share;
    assert!(late_share > 0.15, "0.4 of 1.5 s, and {late_share} of the messages");
}

#[test]
fn a_client_that_was_stopped_over_the_end_of_the_window_voids_the_run() {
    let run = stopped("stream --duration-s 1", Duration::from_millis(400), Duration::from_millis(1500));
    run.assert_void("window");
    assert!(run.stderr().contains("where 1.00 s were asked for"), "{}", run.stderr());
}

#[test]
fn a_client_that_nobody_lets_speak_until_its_window_is_over_voids_the_run() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // As much as a pipe holds, so that the first line of progress blocks.
    writer.write_all(&vec![b'x'; 65_536]).unwrap();
    let (mut command, directory, path) = command(
        serve(Fault::None),
        "stream --connections 1 --payload-bytes 100 --warmup-s 0.1 --duration-s 1.2 --progress",
    );
    let child = command.stdout(Stdio::piped()).stderr(writer).spawn().unwrap();
    drop(command);
    thread::sleep(Duration::from_millis(4000));
    let drained = thread::spawn(move || reader.read_to_end(&mut Vec::new()));
    let output = child.wait_with_output().unwrap();
    drained.join().unwrap().unwrap();
    let record = RunRecord::read(&path).unwrap();
    let run = Run { output, record, _directory: directory };
    let validity = &run.record.validity;
    assert!(validity.iter().any(|reason| reason.starts_with("window: ")), "{validity:?}");
}

#[test]
fn a_load_of_tiny_writes_is_counted_within_its_window() {
    for connections in [3, 16] {
        let run = client(
            serve(Fault::None),
            &format!("stream --payload-bytes 1 --batch-bytes 1 --connections {connections}"),
        );
        assert!(run.record.is_valid(), "{:?}", run.record.validity);
        assert!(run.record.totals.window.received_messages > 0, "{:?}", run.record.totals);
        let stdout = String::from_utf8_lossy(&run.output.stdout);
        assert!(!stdout.contains(" 0.0 MB/s"), "{stdout}");
    }
}
