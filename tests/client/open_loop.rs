//! Open loops: intended starts are kept, and what a closed loop hides is seen.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use uring_echo::measure::histogram::Histogram;
use uring_echo::record::{Arrivals, Latency, RunRecord};
use uring_echo::units::Nanos;

use super::{Fault, PROGRAM, Server, client, command, serve};

/// How long the server is stopped in the middle of a window.
const STALL: Duration = Duration::from_millis(100);

/// Slower than this is a message that met the stall.
const SLOW: Nanos = Nanos::from_millis(30);

#[test]
fn an_open_loop_sends_at_its_rate_and_all_of_it_comes_back() {
    for arrivals in [Arrivals::Poisson, Arrivals::Staggered] {
        let run = client(serve(Fault::None), &format!("req-res --rate 2000 --arrivals {arrivals}"));
        // Late the client may be on a busy machine; nothing else may be wrong.
        let validity = &run.record.validity;
        assert!(validity.iter().all(|reason| reason.starts_with("late: ")), "{validity:?}");
        let (totals, open_loop) = (&run.record.totals, run.record.open_loop.as_ref().unwrap());
        assert_eq!((open_loop.rate_per_s, open_loop.arrivals), (2000, arrivals));
        assert_eq!(totals.run.sent_bytes, totals.run.received_bytes);
        let timeline = run.record.timeline.unwrap();
        let load_s = (timeline.window_end_ns - timeline.load_start_ns).as_secs_f64();
        let offered = 2000.0 * load_s;
        let sent = totals.run.sent_messages as f64;
        assert!(sent <= offered + 6.0 * offered.sqrt(), "{sent} of {offered}: never more than intended");
        assert_eq!(open_loop.uncorrected.as_ref().unwrap().count, totals.window.received_messages);
        assert_eq!(open_loop.send_lag.as_ref().unwrap().count, totals.window.sent_messages);
        assert_eq!(run.record.latency, open_loop.corrected);
    }
}

#[test]
fn a_closed_loop_has_no_intended_starts() {
    let run = client(serve(Fault::None), "req-res");
    assert!(run.record.open_loop.is_none() && run.record.client.arrivals.is_none());
}

#[test]
fn a_rate_of_a_stream_is_refused_before_anything_is_done() {
    let (mut command, _directory, path) = command("127.0.0.1:1".parse().unwrap(), "stream --rate 100");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--rate") && stderr.contains("use req-res"), "{stderr}");
    assert!(!path.exists());
}

/// The record of a load of four connections on a server that is stopped for a while in the window.
fn stalled(arguments: &str) -> RunRecord {
    let server = Server::start("serve epoll");
    let arguments = format!(
        "{arguments} --connections 4 --payload-bytes 100 --warmup-s 0.1 --duration-s 1 --server-stats {}",
        server.stats.display()
    );
    let (mut command, _directory, path) = command(server.address, &arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The client asks for the first snapshot when the window begins.
    while server.stats_lines("snapshot") == 0 && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    let server_process = Pid::from_child(&server.child);
    kill_process(server_process, Signal::STOP).unwrap();
    thread::sleep(STALL);
    kill_process(server_process, Signal::CONT).unwrap();
    let output = child.wait_with_output().unwrap();
    RunRecord::read(&path).unwrap_or_else(|error| panic!("{PROGRAM}: {error}: {output:?}"))
}

/// How many messages of a distribution were slow.
fn slow(latency: &Latency) -> u64 {
    let histogram = Histogram::decode(&latency.histogram_v2_deflate_base64).unwrap();
    (histogram.share_above(SLOW) * latency.count as f64).round() as u64
}

#[test]
fn a_stall_of_the_server_shows_in_the_corrected_latency_and_hides_in_the_uncorrected() {
    let record = stalled("req-res --rate 1000");
    let open_loop = record.open_loop.as_ref().unwrap();
    let (corrected, uncorrected) =
        (open_loop.corrected.as_ref().unwrap(), open_loop.uncorrected.as_ref().unwrap());
    // Of a thousand messages a hundred were due during the stall, and each connection waited in one of them.
    assert!(corrected.p99_ns > SLOW, "{:?}", corrected.p99_ns);
    assert!(slow(uncorrected) >= 1, "the stall was met");
    assert!(slow(corrected) > 3 * slow(uncorrected), "{} {}", slow(corrected), slow(uncorrected));
}

#[test]
fn a_stall_of_the_server_hides_from_a_closed_loop() {
    let record = stalled("req-res");
    assert!(record.is_valid(), "it was not the client that was stopped: {:?}", record.validity);
    let latency = record.latency.as_ref().unwrap();
    assert!(latency.max_ns > SLOW, "the stall was met");
    assert!(slow(latency) * 100 < latency.count, "{} of {}", slow(latency), latency.count);
}

#[test]
fn waiting_for_a_stalled_server_is_not_the_clients_delay() {
    let record = stalled("req-res --rate 1000");
    let open_loop = record.open_loop.as_ref().unwrap();
    let (send_lag, client_lag) =
        (open_loop.send_lag.as_ref().unwrap(), open_loop.client_lag.as_ref().unwrap());
    assert!(slow(send_lag) > 3 * slow(client_lag), "{} {}", slow(send_lag), slow(client_lag));
}
