//! Gigabytes through each server, in every size, to readers quick and slow, over connections long and short: every
//! byte that comes back is compared, and none may be missing at the end.

#[allow(dead_code, unused_imports, reason = "the suites beside this one use the rest")]
#[path = "conformance/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SocketBuffers, TINY};
use support::{Engine, Server, Stream, patience};

/// Bytes to echo and compare on each engine.
const GOAL_BYTES: u64 = 10 << 30;

/// Message sizes, around those of buffers, segments and pages.
const SIZES: [usize; 10] = [1, 100, 1460, 4096, 65_535, 65_536, 65_537, 300_000, 4 << 20, 16 << 20];

#[test]
#[ignore = "ten gigabytes an engine"]
fn epoll_echoes_ten_gigabytes_without_a_wrong_byte() {
    support::alone(|| soak(Engine::Epoll));
}

#[test]
#[ignore = "ten gigabytes an engine"]
fn uring_echoes_ten_gigabytes_without_a_wrong_byte() {
    support::alone(|| soak(Engine::Uring));
}

/// What the loads together have compared, and when they are to stop.
struct Progress {
    compared_bytes: AtomicU64,
    begun: Instant,
}

impl Progress {
    fn add(&self, bytes: u64) {
        self.compared_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_short(&self) -> bool {
        assert!(self.begun.elapsed() < 40 * patience(), "the soak takes far too long");
        self.compared_bytes.load(Ordering::Relaxed) < GOAL_BYTES
    }
}

fn soak(engine: Engine) {
    let server = Server::start(engine);
    let progress = Progress { compared_bytes: AtomicU64::new(0), begun: Instant::now() };
    thread::scope(|scope| {
        scope.spawn(|| echo_all_sizes(&server, &progress));
        scope.spawn(|| read_slowly(&server, &progress));
        scope.spawn(|| come_and_go(&server, &progress));
    });
    let compared = progress.compared_bytes.into_inner();
    let seconds = progress.begun.elapsed().as_secs_f64();
    let counters = server.stop_clean();
    assert_eq!(counters.received_bytes, compared, "bytes that the server saw");
    println!(
        "{engine:?}: {compared} bytes echoed and compared in {seconds:.1} s over {} connections, none wrong",
        counters.accepted
    );
}

/// Sixteen long connections that go through all sizes.
fn echo_all_sizes(server: &Server, progress: &Progress) {
    let mut fleet = Fleet::connect(server.addr, 16, SocketBuffers::default());
    for size in SIZES.iter().cycle().take_while(|_| progress.is_short()) {
        fleet.echo(*size);
        progress.add(16 * *size as u64);
    }
    fleet.finish();
}

/// Connections with tiny buffers that let their server wait before they read.
fn read_slowly(server: &Server, progress: &Progress) {
    let mut fleet = Fleet::connect(server.addr, 32, TINY);
    while progress.is_short() {
        let before = fleet.sent();
        fleet.fill(MORE_THAN_KERNELS_HOLD);
        thread::sleep(Duration::from_millis(50));
        fleet.drain();
        progress.add(fleet.sent() - before);
    }
    fleet.finish();
}

/// Connections that live for one message, half-closed while it is under way.
fn come_and_go(server: &Server, progress: &Progress) {
    for size in SIZES.iter().cycle().take_while(|_| progress.is_short()) {
        let mut stream = Stream::connect(server.addr);
        stream.full_duplex(*size, true);
        progress.add(*size as u64);
        stream.finish();
    }
}
