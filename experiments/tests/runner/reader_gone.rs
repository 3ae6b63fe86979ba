//! Whoever reads what the programs say may go away at any time: `| head`, a terminal that is closed, a full disk.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::bench::{Bench, SHORT_SPEC, programs, signal, text};
use experiments::recording::manifest::Status;

/// Takes no byte.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    io::pipe().unwrap().1.into()
}

fn panicked(output: &Output) -> bool {
    output.status.code() == Some(101) || text(&output.stderr).contains("panicked")
}

#[test]
fn a_recording_goes_on_to_its_end_without_anybody_who_reads_of_it() {
    for nowhere in [full, closed] {
        let bench = Bench::new("short", SHORT_SPEC);
        let mut runner = bench.command(&["run", "--spec", "spec.toml"]);
        let status = runner.stdout(closed()).stderr(nowhere()).status().unwrap();
        assert_eq!(status.code(), Some(0));
        let manifest = bench.manifest();
        assert_eq!(manifest.count(Status::Valid), manifest.runs.len());
        assert!(manifest.finished_unix_ms.is_some());
    }
}

#[test]
fn a_reader_that_leaves_after_the_first_line_does_not_end_the_recording() {
    let bench = Bench::new("short", SHORT_SPEC);
    let mut runner = bench.start(&[]);
    let mut line = String::new();
    BufReader::with_capacity(1, runner.stderr.take().unwrap()).read_line(&mut line).unwrap();
    drop(runner.stdout.take());
    assert_eq!(runner.wait().unwrap().code(), Some(0), "after {line}");
    assert!(bench.manifest().finished_unix_ms.is_some());
}

#[test]
fn what_prints_a_result_ends_quietly_when_its_reader_leaves_and_says_so_when_the_disk_is_full() {
    let bench = Bench::new("short", SHORT_SPEC);
    assert!(bench.run(&["--filter", "engine=epoll,connections=2"]).status.success());
    let recording = bench.recording().display().to_string();
    let commands: [&[&str]; 4] = [&["list"], &["show", &recording], &["verify", &recording], &["--help"]];
    for arguments in commands {
        let output = bench.command(arguments).stdout(closed()).output().unwrap();
        assert!(!panicked(&output), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    }
    for arguments in &commands[..3] {
        let output = bench.command(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).starts_with("experiments: cannot write "), "{}", text(&output.stderr));
    }
}

#[test]
fn an_error_that_nobody_reads_is_an_error_all_the_same() {
    let bench = Bench::new("short", SHORT_SPEC);
    let doctor = ["doctor", "--root", "nowhere", "--watch-ms", "1"];
    let vm = ["vm", "--kernel", "nowhere"];
    let commands: [&[&str]; 4] = [&["show", "nowhere"], &["verify", "nowhere"], &doctor, &vm];
    for arguments in commands {
        let status = bench.command(arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn the_yardstick_serves_although_nobody_reads_where_it_listens() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut command = Command::new(programs().join("baseline-mio"));
    command.args(["--listen", &free.to_string()]).stdout(full()).stderr(full());
    let mut server = command.spawn().unwrap();
    let mut stream = connect(free);
    stream.write_all(b"anybody there?").unwrap();
    let mut echoed = [0; 14];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"anybody there?");
    assert!(signal("TERM", server.id()));
    server.wait().unwrap();
}

fn connect(address: std::net::SocketAddr) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_users_mistake_is_told_in_one_line_however_much_rust_is_asked_to_trace() {
    let bench = Bench::new("short", SHORT_SPEC);
    let mut mistakes =
        vec![bench.command(&["show", "nowhere"]), bench.command(&["run", "--spec", "nowhere"])];
    let mut busy = Command::new(programs().join("baseline-mio"));
    busy.args(["--listen", "192.0.2.1:1"]);
    mistakes.push(busy);
    for command in &mut mistakes {
        let output = command.env("RUST_BACKTRACE", "1").env("RUST_LIB_BACKTRACE", "1").output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(!stderr.contains("Stack backtrace"), "{stderr}");
    }
}
