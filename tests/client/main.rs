//! The load client against echo servers that are honest, faulty, absent or dying.

mod company;
mod discard;
mod disturbed;
mod open_loop;
mod output;
mod scarce;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use uring_echo::measure::fairness::jain;
use uring_echo::record::{RunRecord, Verify};
use uring_echo::sys::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_uring-echo");

/// What a server does to the bytes of a connection.
#[derive(Clone, Copy)]
enum Fault {
    None,
    /// Leaves out the byte at this position.
    Drop(usize),
    /// Sends the byte at this position twice.
    Double(usize),
    /// Exchanges the bytes at this position and the next.
    Swap(usize),
    /// Closes the connection after this many bytes.
    CloseAfter(usize),
    /// Reads and sends nothing.
    Swallow,
    /// Adds a byte when the client has ended its direction.
    Append,
    /// Does not close when the client has.
    Linger,
}

/// A server on a free port; it lives as long as the test process.
fn serve(fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || echo(stream.unwrap(), fault));
        }
    });
    address
}

fn echo(mut stream: TcpStream, fault: Fault) {
    let (mut buffer, mut position) = (vec![0; 64 << 10], 0);
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            break;
        }
        let end = position + count;
        let hit = |at: usize| (position..end - 1).contains(&at).then(|| at - position);
        let mut bytes = buffer[..count].to_vec();
        match fault {
            Fault::Drop(at) => drop(hit(at).map(|index| bytes.remove(index))),
            Fault::Double(at) => drop(hit(at).map(|index| bytes.insert(index, bytes[index]))),
            Fault::Swap(at) => drop(hit(at).map(|index| bytes.swap(index, index + 1))),
            Fault::CloseAfter(limit) if end >= limit => return,
            Fault::Swallow => bytes.clear(),
            _ => {}
        }
        if stream.write_all(&bytes).is_err() {
            return;
        }
        position = end;
    }
    match fault {
        Fault::Append => stream.write_all(&[0]).unwrap_or_default(),
        Fault::Linger => thread::sleep(Duration::from_secs(60)),
        _ => {}
    }
}

/// A server that gives each of two connections what the other one sends.
fn serve_crossed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (a, b) = (listener.accept().unwrap().0, listener.accept().unwrap().0);
        let other_way = (b.try_clone().unwrap(), a.try_clone().unwrap());
        for (mut from, mut to) in [(a, b), other_way] {
            thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    address
}

struct Run {
    output: Output,
    record: RunRecord,
    _directory: TempDir,
}

impl Run {
    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Asserts that the run is void for the reason that `word` names, and says so everywhere it should.
    fn assert_void(&self, word: &str) {
        let validity = &self.record.validity;
        assert!(validity.iter().any(|reason| reason.starts_with(&format!("{word}: "))), "{validity:?}");
        assert_eq!(self.output.status.code(), Some(1));
        assert!(self.stderr().contains("not valid: "), "{}", self.stderr());
        let stdout = String::from_utf8_lossy(&self.output.stdout);
        assert!(stdout.contains("NOT VALID"), "{stdout}");
    }
}

fn command(address: SocketAddr, arguments: &str) -> (Command, TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.json");
    let mut command = Command::new(PROGRAM);
    command.arg("client").args(arguments.split(' '));
    command.args(["--connect", &address.to_string(), "--out"]).arg(&path);
    (command, directory, path)
}

/// What a run is told that a test says nothing about: two connections, small messages, a short window.
const DEFAULTS: [(&str, &str); 4] =
    [("--connections", "2"), ("--payload-bytes", "1000"), ("--warmup-s", "0.1"), ("--duration-s", "0.3")];

/// A whole run against `address`.
fn client(address: SocketAddr, arguments: &str) -> Run {
    let unsaid = DEFAULTS.iter().filter(|(name, _)| !arguments.contains(name));
    let complete = unsaid.fold(arguments.to_owned(), |line, (name, value)| format!("{line} {name} {value}"));
    let (mut command, directory, path) = command(address, &complete);
    let output = command.output().unwrap();
    let record = RunRecord::read(&path).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    Run { output, record, _directory: directory }
}

#[test]
fn an_honest_server_makes_a_valid_run_in_both_modes() {
    for mode in ["stream", "req-res", "req-res --depth 4", "stream --threads 2", "stream --verify sample"] {
        let run = client(serve(Fault::None), mode);
        assert_eq!(run.record.validity, Vec::<String>::new(), "{mode}");
        assert!(run.output.status.success(), "{mode}");
        let totals = &run.record.totals;
        assert_eq!((totals.connections_requested, totals.connections_achieved), (2, 2), "{mode}");
        assert!(totals.window.received_messages > 0, "{mode}");
        assert_eq!(totals.run.sent_bytes, totals.run.received_bytes, "{mode}");
        assert!(run.record.latency.is_some_and(|latency| latency.p99_ns >= latency.p50_ns), "{mode}");
    }
}

#[test]
fn every_odd_size_of_message_comes_back_whole() {
    for payload_bytes in [1, 255, 65_521, 100_000, 3_000_000] {
        for mode in ["stream", "req-res --depth 2"] {
            let arguments = format!("{mode} --connections 3 --payload-bytes {payload_bytes}");
            let run = client(serve(Fault::None), &arguments);
            assert!(run.record.is_valid(), "{arguments}: {:?}", run.record.validity);
            assert_eq!(run.record.totals.verified_bytes, run.record.totals.run.received_bytes, "{arguments}");
        }
    }
}

#[test]
fn parts_of_a_record_add_up_to_its_totals() {
    let arguments = "stream --connections 7 --payload-bytes 777 --threads 3 --duration-s 2.2";
    let (mut command, _directory, path) = command(serve(Fault::None), arguments);
    assert!(command.output().unwrap().status.success());
    let record = RunRecord::read(&path).unwrap();
    let (window, connections) = (record.totals.window, &record.connections);
    assert_eq!(connections.sent_bytes.iter().sum::<u64>(), window.sent_bytes);
    assert_eq!(connections.received_bytes.iter().sum::<u64>(), window.received_bytes);
    assert_eq!(connections.messages.iter().sum::<u64>(), window.received_messages);
    assert_eq!(record.series.received_bytes.iter().sum::<u64>(), window.received_bytes);
    assert_eq!(record.series.messages.iter().sum::<u64>(), window.received_messages);
    assert!(record.series.at_ns.len() <= 2, "a step that would be short joins the last one");
    let summary = record.summary.unwrap();
    assert_eq!(summary.jain, jain(&connections.received_bytes));
    assert_eq!(record.cpu.unwrap().client_threads_ns.len(), 3);
}

#[test]
fn request_response_waits_for_its_echoes() {
    let run = client(serve(Fault::None), "req-res --connections 5 --payload-bytes 300 --depth 2");
    let window = run.record.totals.window;
    let in_flight_max = 5 * 2 * 300;
    assert!(window.sent_bytes.abs_diff(window.received_bytes) <= in_flight_max, "{window:?}");
    assert_eq!(run.record.latency.unwrap().count, window.received_messages);
}

#[test]
fn unverified_bytes_are_counted_and_called_so() {
    let run = client(serve(Fault::Swap(5000)), "stream --verify off");
    assert!(run.record.is_valid(), "nobody looked: {:?}", run.record.validity);
    assert_eq!((run.record.client.verify, run.record.totals.verified_bytes), (Verify::Off, 0));
    assert!(run.record.notes.iter().any(|note| note.contains("verified only")));
}

#[test]
fn a_dropped_byte_voids_the_run() {
    client(serve(Fault::Drop(5000)), "stream").assert_void("mismatch");
}

#[test]
fn a_doubled_byte_voids_the_run() {
    client(serve(Fault::Double(5000)), "stream").assert_void("mismatch");
}

#[test]
fn swapped_bytes_void_the_run_and_are_located() {
    let run = client(serve(Fault::Swap(5000)), "req-res --connections 1 --payload-bytes 65536");
    run.assert_void("mismatch");
    assert!(
        run.stderr().contains("connection 0 got") && run.stderr().contains("at position 500"),
        "{}",
        run.stderr()
    );
}

#[test]
fn bytes_of_another_connection_void_the_run() {
    client(serve_crossed(), "req-res").assert_void("mismatch");
}

#[test]
fn a_connection_closed_early_voids_the_run() {
    let run = client(serve(Fault::CloseAfter(5000)), "req-res");
    run.assert_void(if run.stderr().contains("reset: ") { "reset" } else { "closed" });
}

#[test]
fn a_server_that_never_answers_voids_the_run() {
    for mode in ["stream", "req-res"] {
        let run = client(serve(Fault::Swallow), &format!("{mode} --drain-s 1"));
        run.assert_void("drain");
        assert!(run.stderr().contains("2 connections still miss"), "{}", run.stderr());
        assert_eq!(run.record.totals.window.received_bytes, 0);
    }
}

#[test]
fn bytes_after_the_last_echo_void_the_run() {
    client(serve(Fault::Append), "stream").assert_void("surplus");
}

#[test]
fn a_server_that_does_not_close_voids_the_run() {
    client(serve(Fault::Linger), "stream --drain-s 1").assert_void("no-end");
}

#[test]
fn a_refused_connection_voids_the_run_at_once() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = client(address, "stream");
    run.assert_void("refused");
    assert!(run.stderr().contains("nothing listens there"), "{}", run.stderr());
    assert_eq!(run.record.totals.connections_achieved, 0);
    assert!(run.record.timeline.is_none() && run.record.summary.is_none());
}

#[test]
fn too_few_connections_void_the_run() {
    // Nobody accepts, and the backlog that the standard library asks for holds 129.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = client(listener.local_addr().unwrap(), "stream --connections 600 --connect-s 0.5");
    run.assert_void("short");
    assert!((1..600).contains(&run.record.totals.connections_achieved), "{:?}", run.record.totals);
}

#[test]
fn too_few_descriptors_void_the_run_before_it_begins() {
    let (program, directory, path) = command(serve(Fault::None), "stream --connections 500");
    let line = format!("ulimit -n 100; exec {:?} \"$@\"", program.get_program());
    let output = Command::new("sh").args(["-c", &line, "sh"]).args(program.get_args()).output().unwrap();
    let run = Run { output, record: RunRecord::read(&path).unwrap(), _directory: directory };
    run.assert_void("setup");
    assert!(run.stderr().contains("the hard limit is 100"), "{}", run.stderr());
}

#[test]
fn a_signal_ends_the_run_and_leaves_a_void_record() {
    let (mut command, directory, path) = command(serve(Fault::None), "stream --duration-s 30 --progress");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first line of progress says that the load runs.
    let mut first = [0];
    child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
    process::terminate(child.id()).unwrap();
    let output = child.wait_with_output().unwrap();
    let run = Run { output, record: RunRecord::read(&path).unwrap(), _directory: directory };
    run.assert_void("interrupted");
    assert!(run.record.totals.run.received_bytes > 0);
}

#[test]
fn a_record_with_nowhere_to_go_is_refused_before_the_run() {
    let started = std::time::Instant::now();
    let output = Command::new(PROGRAM)
        .args(["client", "stream", "--connect", "127.0.0.1:1", "--duration-s", "60"])
        .args(["--out", "/nonexistent/directory/run.json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("create it"));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_that_resets_in_the_middle_voids_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            sender.send(stream.try_clone().unwrap()).unwrap();
            thread::spawn(move || echo(stream, Fault::None));
        }
    });
    thread::spawn(move || {
        let victim = receiver.recv().unwrap();
        thread::sleep(Duration::from_millis(200));
        victim.shutdown(Shutdown::Both).unwrap();
    });
    let run = client(address, "req-res --connections 3 --payload-bytes 256");
    run.assert_void(if run.stderr().contains("reset: ") { "reset" } else { "closed" });
}

/// A server of this program on a free port, pinned, with a stats file.
struct Server {
    child: Child,
    address: SocketAddr,
    stats: PathBuf,
    _directory: TempDir,
}

impl Server {
    /// What `command` starts, such as `serve epoll`.
    fn start(command: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stats = directory.path().join("stats");
        let mut serve = Command::new(PROGRAM);
        serve.args(command.split(' '));
        serve.args(["--listen", "127.0.0.1:0", "--cpu", "0", "--stats"]).arg(&stats);
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(' ').nth(2).and_then(|address| address.parse().ok());
        Self { child, address: address.expect("the line names an address"), stats, _directory: directory }
    }

    /// Lines of a kind that it has written to its stats file.
    fn stats_lines(&self, kind: &str) -> usize {
        let text = std::fs::read_to_string(&self.stats).unwrap_or_default();
        text.lines().filter(|line| line.contains(&format!(r#""kind":"{kind}""#))).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_named_server_is_measured_at_both_ends_of_the_window() {
    let server = Server::start("serve epoll");
    let run = client(server.address, &format!("req-res --server-stats {}", server.stats.display()));
    assert!(run.record.is_valid(), "{:?}", run.record.validity);
    let record = &run.record;
    assert_eq!(record.server.pid, Some(server.child.id()));
    assert_eq!(record.server.settings.as_ref().unwrap()["engine"], "epoll");
    assert_eq!(record.server.exe_sha256, record.build.exe_sha256);
    assert_eq!(record.server.cpus.as_deref(), Some(&[0][..]));
    let counted = record.counters.window.unwrap();
    assert!(counted.syscalls > 0 && counted.received_bytes > 0, "{counted:?}");
    assert_eq!(record.counters.run.unwrap().received_bytes, record.totals.run.sent_bytes);
    assert!(record.cpu.as_ref().unwrap().server_process_ns.unwrap().0 > 0);
    let summary = record.summary.as_ref().unwrap();
    assert!(summary.syscalls_per_message.is_some_and(|count| count > 0.0), "{summary:?}");
    assert!(summary.cpu_ns_per_message.is_some_and(|ns| ns > 0.0), "{summary:?}");
}

#[test]
fn a_server_that_dies_voids_the_run() {
    let mut server = Server::start("serve epoll");
    let arguments = format!("req-res --duration-s 30 --progress --server-stats {}", server.stats.display());
    let (mut command, directory, path) = command(server.address, &arguments);
    let mut client = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    client.stderr.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    server.child.kill().unwrap();
    let output = client.wait_with_output().unwrap();
    let run = Run { output, record: RunRecord::read(&path).unwrap(), _directory: directory };
    run.assert_void(if run.stderr().contains("reset: ") { "reset" } else { "closed" });
}

#[test]
fn the_stats_file_of_another_process_is_refused() {
    let server = Server::start("serve epoll");
    let arguments = format!("req-res --server-pid 1 --server-stats {}", server.stats.display());
    client(server.address, &arguments).assert_void("observe");
}

#[test]
fn a_server_process_that_is_gone_is_named() {
    let gone = Command::new("true").spawn().and_then(|mut child| child.wait().map(|_| child.id())).unwrap();
    client(serve(Fault::None), &format!("req-res --server-pid {gone}")).assert_void("server-gone");
}

#[test]
fn ends_that_share_a_core_are_seen_to_push_each_other_off_it() {
    let server = Server::start("serve epoll");
    let run = client(server.address, &format!("stream --cpus 0 --server-stats {}", server.stats.display()));
    let noise = run.record.noise.expect("the window ended");
    let switches = noise.server_involuntary_switches.unwrap() + noise.client_involuntary_switches.unwrap();
    assert!(switches > 0, "{noise:?}");
    let core = run.record.cpu.as_ref().unwrap().server_core.unwrap();
    assert_eq!(noise.steal_ns, Some(core.steal_ns));
    assert_eq!(noise.server_core_softirq_ns, Some(core.softirq_ns));
}

#[test]
fn noise_of_a_server_that_is_not_named_is_unknown() {
    let noise = client(serve(Fault::None), "req-res").record.noise.expect("the window ended");
    assert_eq!((noise.server_involuntary_switches, noise.steal_ns), (None, None));
    assert!(noise.client_involuntary_switches.is_some());
}
