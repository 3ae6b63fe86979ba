//! A client that has said all it has to say still gets all it is owed, then end of stream.

use std::thread;
use std::time::Duration;

use crate::both_engines;
use crate::support::fleet::{Fleet, SocketBuffers, TINY};
use crate::support::{Engine, Server, Stream, scaled};

const SIZES: [usize; 8] = [0, 1, 4096, 65_536, 65_537, 262_144, 1 << 20, 10 << 20];

both_engines! {
    beside_others: [
        a_half_closed_client_gets_every_owed_byte,
        a_client_that_only_then_begins_to_read_gets_every_owed_byte,
        an_end_that_travels_with_the_last_bytes_is_seen,
        a_half_closed_client_with_tiny_buffers_gets_every_owed_byte,
    ],
}

fn a_half_closed_client_gets_every_owed_byte(engine: Engine) {
    let server = Server::start(engine);
    for len in SIZES {
        let mut stream = Stream::connect(server.addr);
        stream.full_duplex(len, true);
        stream.finish();
    }
    server.stop_clean();
}

fn a_client_that_only_then_begins_to_read_gets_every_owed_byte(engine: Engine) {
    let server = Server::start(engine);
    // The kernels hold this much between two ends that do not read.
    for len in [1, 65_536, 1 << 20] {
        let mut stream = Stream::connect(server.addr);
        stream.send(len);
        stream.end_sending();
        thread::sleep(Duration::from_millis(100));
        stream.receive(len);
        stream.finish();
    }
    server.stop_clean();
}

fn an_end_that_travels_with_the_last_bytes_is_seen(engine: Engine) {
    let server = Server::start(engine);
    for len in 0..scaled(1000) {
        let mut stream = Stream::connect(server.addr);
        stream.send(len);
        stream.finish();
    }
    server.stop_clean();
}

fn a_half_closed_client_with_tiny_buffers_gets_every_owed_byte(engine: Engine) {
    let server = Server::start(engine);
    for len in SIZES.map(|len| scaled(len.min(2 << 20))) {
        let mut stream = Stream::with_buffers(server.addr, TINY);
        stream.full_duplex(len, true);
        stream.finish();
    }
    server.stop_clean();
}

pub(crate) fn fifty_half_closed_clients_at_once_get_every_owed_byte(engine: Engine) {
    let server = Server::start(engine);
    for (len, buffers) in [(100, TINY), (200_000, TINY), (2 << 20, SocketBuffers::default())] {
        let mut fleet = Fleet::connect(server.addr, 50, buffers);
        // What the kernels hold is owed when the clients half-close: nobody has read a byte.
        fleet.fill(scaled(len));
        fleet.finish();
    }
    server.stop_clean();
}
