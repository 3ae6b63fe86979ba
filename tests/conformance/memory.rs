//! What connections cost, and that it is given back.

use std::time::Duration;

use crate::both_engines;
use crate::support::fairness::assert_p99_below;
use crate::support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SMALL, SocketBuffers};
use crate::support::procfs::resident_bytes;
use crate::support::{Engine, Launch, Server, Stream, scaled};

both_engines! {
    beside_others: [
        connections_that_once_held_data_give_their_memory_back_to_the_next,
    ],
}

pub(crate) fn ten_thousand_connections_are_served_within_64_kib_each(engine: Engine) {
    let count = scaled(10_000);
    let server = Launch::new(engine).args(&format!("--max-connections {count} --backlog 1024")).start();
    let mut fleet = Fleet::connect(server.addr, count, SocketBuffers::default());
    fleet.echo(4096);
    fleet.echo(4096);
    let each = resident_bytes(server.pid()) / count;
    assert!(each <= 64 << 10, "{each} bytes of resident memory a connection");
    assert_eq!(server.snapshot().0, count as u64);
    fleet.finish();
    let counters = server.stop_clean();
    assert_eq!(counters.received_bytes, count as u64 * 8192);
}

pub(crate) fn one_connection_is_served_beside_two_thousand_idle_ones(engine: Engine) {
    let server = Server::start(engine);
    let mut idle = Fleet::connect(server.addr, scaled(2000), SocketBuffers::default());
    idle.echo(1);
    let mut active = Fleet::connect(server.addr, 1, SocketBuffers::default());
    let times = active.request_response(256, Duration::from_secs(1));
    assert_p99_below(Duration::from_millis(100), &times);
    idle.echo(1);
    idle.finish();
    active.finish();
    server.stop_clean();
}

pub(crate) fn twenty_thousand_connections_one_after_the_other_leave_no_memory_behind(engine: Engine) {
    let server = Server::start(engine);
    let visit = |times: usize| {
        for _ in 0..times {
            let mut stream = Stream::connect(server.addr);
            stream.echo(500);
        }
    };
    visit(scaled(1000));
    let before = resident_bytes(server.pid());
    visit(scaled(20_000));
    let grown = resident_bytes(server.pid()).saturating_sub(before);
    assert!(grown <= 6 << 20, "{grown} bytes more after twenty thousand connections");
    server.stop_clean();
}

fn connections_that_once_held_data_give_their_memory_back_to_the_next(engine: Engine) {
    let server = Server::start(engine);
    server.assert_serves();
    let idle = resident_bytes(server.pid());
    for _ in 0..5 {
        let mut fleet = Fleet::connect(server.addr, scaled(50), SMALL);
        fleet.fill(MORE_THAN_KERNELS_HOLD);
        fleet.drain();
        fleet.finish();
        let grown = resident_bytes(server.pid()).saturating_sub(idle);
        // A ring that is published whole is touched once and kept: 512 times 64 KiB and what is between them.
        assert!(grown <= 36 << 20, "{grown} bytes more than idle, after the connections are gone");
    }
    server.stop_clean();
}
