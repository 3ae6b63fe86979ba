//! Connections that come and go, most of them badly.

use std::thread;
use std::time::Duration;

use crate::both_engines;
use crate::support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SocketBuffers, TINY};
use crate::support::kernel::Signal;
use crate::support::procfs::{descriptors, open_connections};
use crate::support::{Engine, Launch, Server, Stream, scaled};

both_engines! {
    beside_others: [
        a_thousand_resets_in_mid_stream_harm_nobody_else,
        clients_that_die_while_sending_harm_nobody_else,
        a_broken_pipe_does_not_end_the_server,
        a_burst_of_five_hundred_connections_is_served,
        a_reset_before_accept_is_survived,
    ],
}

/// Fails unless the server comes to hold no connection, in its books as in the kernel's.
fn assert_all_closed(server: &Server, descriptors_before: usize) {
    server.wait_until("empty", |connections, _| connections == 0);
    let deadline = std::time::Instant::now() + crate::support::patience();
    while open_connections(server.addr) > 0 {
        assert!(std::time::Instant::now() < deadline, "{} sockets leaked", open_connections(server.addr));
        thread::sleep(Duration::from_millis(20));
    }
    // Fewer is no leak: the first count may have met a file of the start-up that was about to be closed.
    let descriptors_after = descriptors(server.pid());
    assert!(
        descriptors_after <= descriptors_before,
        "{descriptors_after} open descriptors, {descriptors_before} before"
    );
}

fn a_thousand_resets_in_mid_stream_harm_nobody_else(engine: Engine) {
    let server = Server::start(engine);
    let before = descriptors(server.pid());
    let mut bystander = Stream::connect(server.addr);
    for round in 0..scaled(1000) {
        let mut stream = Stream::connect(server.addr);
        stream.send(100_000);
        if round % 2 == 0 {
            stream.receive(1);
        }
        stream.reset();
        bystander.echo(100);
    }
    bystander.finish();
    assert_all_closed(&server, before);
    server.stop();
}

fn clients_that_die_while_sending_harm_nobody_else(engine: Engine) {
    let server = Server::start(engine);
    let before = descriptors(server.pid());
    let mut bystander = Fleet::connect(server.addr, 4, SocketBuffers::default());
    for _ in 0..scaled(20) {
        // Closing with unread data in the socket is what the kernel does for a killed process.
        let mut doomed = Fleet::connect(server.addr, 20, SocketBuffers::default());
        doomed.send_only(1 << 20);
        drop(doomed);
        bystander.echo(10_000);
    }
    bystander.finish();
    assert_all_closed(&server, before);
    server.stop();
}

fn a_broken_pipe_does_not_end_the_server(engine: Engine) {
    // So few slots, and buffers with them, that one lost with each broken pipe would soon be missed.
    let mut launch = Launch::new(engine).args("--max-connections 40");
    if engine == Engine::Uring {
        launch = launch.shared_buffers(8);
    }
    let server = launch.start();
    for _ in 0..scaled(8) {
        let mut blocked = Fleet::connect(server.addr, 32, TINY);
        blocked.fill(MORE_THAN_KERNELS_HOLD);
        // The server is about to send on all of them.
        blocked.reset();
    }
    server.upset(Signal::PIPE);
    server.assert_serves();
    server.stop();
}

fn a_burst_of_five_hundred_connections_is_served(engine: Engine) {
    let server = Launch::new(engine).args("--backlog 512").start();
    // Frozen, the server accepts none: all of them wait in the backlog.
    server.upset(Signal::STOP);
    let mut fleet = Fleet::connect(server.addr, 500, SocketBuffers::default());
    server.upset(Signal::CONT);
    fleet.echo(1000);
    fleet.finish();
    assert_eq!(server.stop_clean().accepted, 500);
}

fn a_reset_before_accept_is_survived(engine: Engine) {
    let server = Launch::new(engine).args("--backlog 512").start();
    let before = descriptors(server.pid());
    for _ in 0..scaled(10) {
        server.upset(Signal::STOP);
        let mut fleet = Fleet::connect(server.addr, 50, SocketBuffers::default());
        fleet.send_only(1000);
        fleet.reset();
        server.upset(Signal::CONT);
        server.assert_serves();
    }
    assert_all_closed(&server, before);
    server.stop();
}

pub(crate) fn five_thousand_connections_that_close_at_once_leave_nothing_open(engine: Engine) {
    let server = Server::start(engine);
    let before = descriptors(server.pid());
    for _ in 0..scaled(5000) {
        drop(Stream::connect(server.addr));
    }
    server.assert_serves();
    assert_all_closed(&server, before);
    let counters = server.stop_clean();
    assert_eq!(counters.accepted, scaled(5000) as u64 + 1);
}

pub(crate) fn a_new_connection_never_gets_bytes_of_the_one_before_it(engine: Engine) {
    // With so few slots each is used again at once, while completions of its last owner may be on their way.
    let server = Launch::new(engine).args("--max-connections 8").start();
    let before = descriptors(server.pid());
    for round in 0..scaled(3000) {
        let mut stream = Stream::connect(server.addr);
        stream.send(30_000);
        match round % 4 {
            0 => stream.reset(),
            1 => drop(stream),
            2 => {
                stream.receive(10_000);
                stream.reset();
            }
            _ => stream.finish(),
        }
    }
    assert_all_closed(&server, before);
    server.stop();
}

pub(crate) fn more_connections_than_the_table_has_slots_are_served_one_after_the_other(engine: Engine) {
    let server = Launch::new(engine).args("--max-connections 16").start();
    for _ in 0..scaled(200) {
        let mut fleet = Fleet::connect(server.addr, 16, SocketBuffers::default());
        fleet.echo(2000);
        fleet.finish();
    }
    assert_eq!(server.stop_clean().accepted, 16 * scaled(200) as u64);
}
