//! Whoever asks for much does not keep the others from getting their little.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use uring_echo::server::strategies;

use crate::strategies::launch;
use crate::support::fairness::{assert_p99_below, jain};
use crate::support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SocketBuffers};
use crate::support::{Engine, Launch, Server, Stream};

/// Streams as fast as it can until told to stop; returns how many bytes came back, checked.
fn stream_until(stop: &AtomicBool, mut stream: Stream) -> u64 {
    while !stop.load(Ordering::Relaxed) {
        stream.full_duplex(4 << 20, false);
    }
    let received = stream.received;
    stream.finish();
    received
}

pub(crate) fn fifty_polite_connections_are_served_beside_a_greedy_one(engine: Engine) {
    let server = Server::start(engine);
    let stop = AtomicBool::new(false);
    let greedy = Stream::connect(server.addr);
    let mut polite = Fleet::connect(server.addr, 50, SocketBuffers::default());
    let (times, streamed) = thread::scope(|scope| {
        let streaming = scope.spawn(|| stream_until(&stop, greedy));
        let times = polite.request_response(256, Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
        (times, streaming.join().unwrap())
    });
    assert!(streamed > 0, "the greedy connection was not served");
    assert_p99_below(Duration::from_millis(100), &times);
    let jain = jain(&times);
    assert!(jain >= 0.8, "Jain's index of 50 equal connections is {jain:.3}");
    polite.finish();
    server.stop_clean();
}

pub(crate) fn every_strategy_is_as_fair_as_it_says_beside_senders_that_never_read() {
    for one in strategies::all().filter(|one| one.require().is_ok()) {
        eprintln!("{} {}", one.engine, one.name);
        if one.cured {
            serves_beside_senders_that_never_read(launch(one.engine, one.name));
        } else {
            starves_beside_senders_that_never_read(launch(one.engine, one.name));
        }
    }
}

/// What a strategy does that says it is not fair: no answer until those who do not read begin to.
fn starves_beside_senders_that_never_read(launch: Launch) {
    let server = launch.start();
    let mut hogs = Fleet::connect(server.addr, 8, SocketBuffers::default());
    hogs.fill(MORE_THAN_KERNELS_HOLD);
    let mut polite = Fleet::connect(server.addr, 4, SocketBuffers::default());
    assert_eq!(polite.answered_within(256, Duration::from_millis(500)), 0, "it is fairer than it says");
    assert!(server.snapshot().1.starved > 0, "nobody was short of a buffer");
    hogs.drain();
    polite.drain();
    hogs.finish();
    polite.finish();
    server.stop_clean();
}

/// What a fair strategy does.
fn serves_beside_senders_that_never_read(launch: Launch) {
    let server = launch.start();
    let mut hogs = Fleet::connect(server.addr, 8, SocketBuffers::default());
    hogs.fill(MORE_THAN_KERNELS_HOLD);
    let mut polite = Fleet::connect(server.addr, 4, SocketBuffers::default());
    let times = polite.request_response(256, Duration::from_millis(500));
    assert_p99_below(Duration::from_millis(100), &times);
    let jain = jain(&times);
    assert!(jain >= 0.8, "Jain's index of 4 equal connections is {jain:.3}");
    polite.finish();
    hogs.drain();
    hogs.finish();
    server.stop_clean();
}
