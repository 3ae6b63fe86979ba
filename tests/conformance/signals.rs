//! Signals: those that stop a server, those that it must not notice, and the one that asks it for numbers.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use uring_echo::sys::process;

use crate::both_engines;
use crate::support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SocketBuffers, TINY};
use crate::support::kernel::{self, Signal};
use crate::support::scale::widened;
use crate::support::{Engine, Launch, Server, Stream, scaled};

both_engines! {
    beside_others: [
        sigterm_ends_an_idle_server_and_frees_its_port,
        sigint_ends_a_server_with_idle_connections,
        owed_bytes_are_sent_before_a_stopped_server_exits,
        bytes_that_nobody_reads_are_cut_off_at_the_deadline,
        a_second_stop_signal_cuts_the_drain_short,
        stop_signals_at_once_cut_off_and_count_everybody,
        a_stopping_server_accepts_nobody,
        a_frozen_and_thawed_server_goes_on_when_idle,
        a_snapshot_holds_what_was_echoed_up_to_it,
        a_server_whose_log_reader_left_serves_and_stops_as_ever,
    ],
}

fn sigterm_ends_an_idle_server_and_frees_its_port(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    stream.echo(1000);
    let addr = server.addr;
    // The server closes first, so its end of the connection is the one in TIME_WAIT.
    server.stop_clean();
    stream.finish();
    let deadline = Instant::now() + widened(Duration::from_secs(2));
    // std binds with SO_REUSEADDR, as a server does: what is left of old connections is no hindrance.
    while let Err(error) = TcpListener::bind(addr) {
        assert!(Instant::now() < deadline, "the port is not free: {error}");
        thread::sleep(Duration::from_millis(10));
    }
    Launch::new(engine).listen(&addr).start().stop_clean();
}

fn sigint_ends_a_server_with_idle_connections(engine: Engine) {
    let server = Server::start(engine);
    let mut fleet = Fleet::connect(server.addr, 20, SocketBuffers::default()).that_may_be_cut();
    fleet.echo(1000);
    server.upset(Signal::INT);
    let counters = server.exited();
    assert_eq!((counters.received_bytes, counters.sent_bytes), (20_000, 20_000));
    assert_eq!(fleet.echo_to_end(0), 20_000);
}

fn owed_bytes_are_sent_before_a_stopped_server_exits(engine: Engine) {
    let server = Launch::new(engine).args("--drain-ms 4000").start();
    let mut fleet = Fleet::connect(server.addr, 4, TINY).that_may_be_cut();
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    let received = server.snapshot().1.received_bytes;
    process::terminate(server.pid()).unwrap();
    // Stopping has begun before the first byte is read.
    thread::sleep(Duration::from_millis(200));
    let echoed = fleet.echo_to_end(0);
    let counters = server.exited();
    // A strategy without a cure has received without a bound: no time to drain it is long enough.
    if engine.strategy().cured {
        assert!(echoed >= received, "{echoed} bytes came back of {received} that the server had received");
        assert_eq!(counters.cut_off, 0, "{counters:?}");
        assert_eq!(counters.received_bytes, counters.sent_bytes, "{counters:?}");
    }
}

fn bytes_that_nobody_reads_are_cut_off_at_the_deadline(engine: Engine) {
    let server = Launch::new(engine).args("--drain-ms 500").start();
    let mut fleet = Fleet::connect(server.addr, 3, TINY);
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    let begun = Instant::now();
    process::terminate(server.pid()).unwrap();
    let counters = server.exited();
    assert!(begun.elapsed() >= Duration::from_millis(500), "gave up after {:?}", begun.elapsed());
    assert_eq!(counters.cut_off, 3, "{counters:?}");
}

fn a_second_stop_signal_cuts_the_drain_short(engine: Engine) {
    let server = Launch::new(engine).args("--drain-ms 60000").start();
    let mut fleet = Fleet::connect(server.addr, 1, TINY);
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    process::terminate(server.pid()).unwrap();
    thread::sleep(Duration::from_millis(200));
    server.upset(Signal::INT);
    assert_eq!(server.exited().cut_off, 1);
}

fn stop_signals_at_once_cut_off_and_count_everybody(engine: Engine) {
    let server = Server::start(engine);
    let mut fleet = Fleet::connect(server.addr, 8, SocketBuffers::default()).that_may_be_cut();
    fleet.echo(1000);
    // Frozen, so that it learns of both in one look, as it may under load.
    server.upset(Signal::STOP);
    process::terminate(server.pid()).unwrap();
    server.upset(Signal::INT);
    server.upset(Signal::CONT);
    let counters = server.exited();
    assert_eq!(counters.cut_off, 8, "{counters:?}");
}

fn a_stopping_server_accepts_nobody(engine: Engine) {
    let server = Launch::new(engine).args("--drain-ms 2000").start();
    let mut fleet = Fleet::connect(server.addr, 1, TINY);
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    process::terminate(server.pid()).unwrap();
    thread::sleep(Duration::from_millis(200));
    let refused = kernel::connect(server.addr, SocketBuffers::default()).err().map(|error| error.kind());
    assert_eq!(refused, Some(std::io::ErrorKind::ConnectionRefused));
    assert_eq!(server.exited().accepted, 1);
}

fn a_frozen_and_thawed_server_goes_on_when_idle(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    for _ in 0..10 {
        freeze_and_thaw(&server, Duration::from_millis(20));
        stream.echo(1000);
    }
    stream.finish();
    server.stop_clean();
}

fn a_snapshot_holds_what_was_echoed_up_to_it(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    for round in 1..=3 {
        stream.echo(5000);
        let counters = server.wait_until("balanced", |connections, counters| {
            connections == 1 && counters.sent_bytes == round * 5000
        });
        assert_eq!(counters.received_bytes, round * 5000);
        assert!(
            counters.receives >= round && counters.syscalls > 0 && counters.iterations > 0,
            "{counters:?}"
        );
    }
    let (_, early) = server.snapshot();
    stream.echo(5000);
    stream.finish();
    let late = server.stop_clean();
    assert_eq!(late.since(&early).received_bytes, 5000);
    let rings = (late.sqes > 0, late.cqes > 0);
    assert_eq!(rings, (engine == Engine::Uring, engine == Engine::Uring), "SQEs and CQEs of {engine:?}");
}

fn a_server_whose_log_reader_left_serves_and_stops_as_ever(engine: Engine) {
    // Listening on every address makes it warn, stopping makes it report: both go to a closed pipe.
    let server = Launch::new(engine).listen("0.0.0.0:0").without_log_reader().start();
    let mut stream = Stream::connect(([127, 0, 0, 1], server.addr.port()).into());
    stream.echo(1000);
    stream.finish();
    server.stop_clean();
}

pub(crate) fn sigterm_amid_load_cuts_no_byte_out_of_any_stream(engine: Engine) {
    let server = Server::start(engine);
    let mut fleet = Fleet::connect(server.addr, 8, SocketBuffers::default()).that_may_be_cut();
    fleet.echo(100_000);
    let pid = server.pid();
    let echoed = thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(200));
            process::terminate(pid).unwrap();
        });
        fleet.echo_to_end(1 << 40)
    });
    let counters = server.exited();
    assert!(
        echoed >= counters.received_bytes.min(counters.sent_bytes)
            || counters.peer_faults + counters.cut_off > 0,
        "{echoed} bytes came back, {counters:?}"
    );
}

pub(crate) fn a_server_frozen_and_thawed_under_load_loses_nothing(engine: Engine) {
    let server = Server::start(engine);
    let mut fleet = Fleet::connect(server.addr, 20, SocketBuffers::default());
    let mut stream = Stream::connect(server.addr);
    thread::scope(|scope| {
        let streaming = scope.spawn(|| {
            stream.full_duplex(scaled(64 << 20), true);
            stream.finish();
        });
        let echoing = scope.spawn(|| {
            fleet.echo(scaled(2 << 20));
            fleet.finish();
        });
        while !(streaming.is_finished() && echoing.is_finished()) {
            freeze_and_thaw(&server, Duration::from_millis(15));
            thread::sleep(Duration::from_millis(15));
        }
    });
    server.stop_clean();
}

pub(crate) fn a_flood_of_snapshots_under_load_loses_nothing(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    thread::scope(|scope| {
        let streaming = scope.spawn(|| {
            stream.full_duplex(scaled(32 << 20), true);
            stream.finish();
        });
        while !streaming.is_finished() {
            process::request_snapshot(server.pid()).unwrap();
            thread::sleep(Duration::from_micros(500));
        }
    });
    server.stop_clean();
}

fn freeze_and_thaw(server: &Server, span: Duration) {
    server.upset(Signal::STOP);
    thread::sleep(span);
    server.upset(Signal::CONT);
}
