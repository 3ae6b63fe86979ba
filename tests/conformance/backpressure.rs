//! A client that does not read costs its server little, and the other clients nothing.

use std::time::Duration;

use crate::both_engines;
use crate::support::fairness::assert_p99_below;
use crate::support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SMALL, SocketBuffers, TINY};
use crate::support::procfs::resident_bytes;
use crate::support::{Engine, Launch, Server, Stream, scaled};

both_engines! {
    beside_others: [
        a_client_that_does_not_read_is_not_read_from_and_then_gets_exact_bytes,
        a_client_that_reads_slowly_gets_exact_bytes,
    ],
    one_at_a_time: [
        four_thousand_connections_that_hold_data_are_all_served,
    ],
}

fn a_client_that_does_not_read_is_not_read_from_and_then_gets_exact_bytes(engine: Engine) {
    let server = Server::start(engine);
    server.assert_serves();
    let idle = resident_bytes(server.pid());
    let mut fleet = Fleet::connect(server.addr, 4, SocketBuffers::default());
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    assert!(fleet.sent() < 4 * MORE_THAN_KERNELS_HOLD as u64, "the server read on without being read from");
    let grown = resident_bytes(server.pid()).saturating_sub(idle);
    // A ring that is published whole is touched once and kept: 512 times 64 KiB and what is between them.
    assert!(grown <= 36 << 20, "{grown} bytes more than idle for four blocked readers");
    fleet.drain();
    fleet.finish();
    server.stop_clean();
}

fn a_client_that_reads_slowly_gets_exact_bytes(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::with_buffers(server.addr, TINY);
    for _ in 0..20 {
        stream.send(20_000);
        std::thread::sleep(Duration::from_millis(5));
        for _ in 0..20 {
            stream.receive(1000);
        }
    }
    stream.finish();
    server.stop_clean();
}

pub(crate) fn one_connection_is_served_beside_three_thousand_that_do_not_read(engine: Engine) {
    let server = Launch::new(engine).args("--max-connections 4096").start();
    let mut blocked = Fleet::connect(server.addr, scaled(3000), SMALL);
    blocked.fill(MORE_THAN_KERNELS_HOLD);
    let mut served = Fleet::connect(server.addr, 1, SocketBuffers::default());
    if engine.strategy().cured {
        let times = served.request_response(256, Duration::from_secs(1));
        assert_p99_below(Duration::from_millis(100), &times);
        served.finish();
    } else {
        // What it says of itself: the blocked ones hold every buffer.
        assert_eq!(served.answered_within(256, Duration::from_secs(1)), 0, "it is fairer than it says");
        served.reset();
    }
    // The served connection has ended for its peer a moment before the server has let go of it. One that was not served is
    // let go of when there is a buffer to learn of its end with.
    let still_served = scaled(3000) as u64;
    if engine.strategy().cured {
        server.wait_until("left with the blocked ones", |connections, _| connections == still_served);
    }
    blocked.reset();
    server.wait_until("empty", |connections, _| connections == 0);
    server.stop();
}

fn four_thousand_connections_that_hold_data_are_all_served(engine: Engine) {
    let server = Launch::new(engine).args("--max-connections 4096").start();
    let mut fleet = Fleet::connect(server.addr, scaled(4000), SMALL);
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    fleet.echo(10_000);
    fleet.finish();
    server.stop_clean();
}

pub(crate) fn more_connections_than_buffers_all_make_progress(engine: Engine) {
    let mut launch = Launch::new(engine).args("--buffer-bytes 4096 --budget-bytes 8192");
    if engine == Engine::Uring {
        launch = launch.shared_buffers(4);
    }
    let server = launch.start();
    let mut fleet = Fleet::connect(server.addr, scaled(60), SMALL);
    fleet.echo(100_000);
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    fleet.drain();
    fleet.finish();
    server.stop_clean();
}
