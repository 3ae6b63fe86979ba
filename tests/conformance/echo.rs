//! What is sent comes back: every byte, in order, once.

use std::thread;

use crate::both_engines;
use crate::support::{Engine, Fleet, Launch, Server, Stream, fleet, kernel, scaled};

both_engines! {
    beside_others: [
        a_connection_that_sends_nothing_gets_end_of_stream,
        one_byte_comes_back,
        every_byte_value_comes_back,
        one_mebibyte_comes_back,
        messages_around_the_size_of_a_buffer_come_back,
        buffers_smaller_than_a_message_pass_it_on_whole,
        bytes_sent_one_at_a_time_come_back,
        an_urgent_byte_comes_back_in_its_place,
        an_ipv6_address_is_served,
        the_2023_preset_loses_nothing_either,
    ],
}

fn a_connection_that_sends_nothing_gets_end_of_stream(engine: Engine) {
    let server = Server::start(engine);
    Stream::connect(server.addr).finish();
    server.stop_clean();
}

fn one_byte_comes_back(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    stream.echo(1);
    stream.finish();
    assert_eq!(server.stop_clean().received_bytes, 1);
}

fn every_byte_value_comes_back(engine: Engine) {
    use std::io::{Read, Write};
    let server = Server::start(engine);
    let mut socket = Stream::connect(server.addr).socket;
    let sent: Vec<u8> = (0..=255).collect();
    socket.write_all(&sent).unwrap();
    let mut received = vec![0; 256];
    socket.read_exact(&mut received).unwrap();
    assert_eq!(received, sent);
    drop(socket);
    server.stop_clean();
}

fn one_mebibyte_comes_back(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    stream.full_duplex(1 << 20, false);
    stream.finish();
    assert_eq!(server.stop_clean().received_bytes, 1 << 20);
}

fn messages_around_the_size_of_a_buffer_come_back(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    for power in [12, 13, 14, 15, 16, 17] {
        for size in [(1 << power) - 1, 1 << power, (1 << power) + 1] {
            stream.echo(size);
        }
    }
    stream.finish();
    server.stop_clean();
}

fn buffers_smaller_than_a_message_pass_it_on_whole(engine: Engine) {
    let server = Launch::new(engine).args("--buffer-bytes 4096 --budget-bytes 4096").start();
    let mut stream = Stream::connect(server.addr);
    stream.echo(5_000);
    stream.full_duplex(1_000_003, true);
    stream.finish();
    server.stop_clean();
}

fn bytes_sent_one_at_a_time_come_back(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    for _ in 0..scaled(2000) {
        stream.echo(1);
    }
    let dribble = scaled(20_000);
    for _ in 0..dribble {
        stream.send(1);
    }
    stream.receive(dribble);
    stream.finish();
    server.stop_clean();
}

fn an_urgent_byte_comes_back_in_its_place(engine: Engine) {
    let server = Server::start(engine);
    let mut stream = Stream::connect(server.addr);
    for _ in 0..20 {
        stream.send(100);
        let urgent = stream.pattern.slice(stream.sent, 1)[0];
        kernel::send_urgent(&stream.socket, urgent);
        stream.sent += 1;
        stream.send(100);
        stream.receive(201);
    }
    stream.finish();
    server.stop_clean();
}

fn an_ipv6_address_is_served(engine: Engine) {
    let server = Launch::new(engine).listen("[::1]:0").start();
    assert!(server.addr.is_ipv6());
    let mut stream = Stream::connect(server.addr);
    stream.echo(100_000);
    stream.finish();
    server.stop_clean();
}

fn the_2023_preset_loses_nothing_either(engine: Engine) {
    let server = Launch::new(engine).args("--preset study").start();
    let mut fleet = Fleet::connect(server.addr, 8, fleet::TINY);
    fleet.echo(scaled(1 << 20));
    fleet.finish();
    server.stop_clean();
}

pub(crate) fn sixty_four_mebibytes_come_back_while_being_sent(engine: Engine) {
    let server = Server::start(engine);
    let len = scaled(64 << 20);
    let mut stream = Stream::connect(server.addr);
    stream.full_duplex(len, true);
    stream.finish();
    assert_eq!(server.stop_clean().received_bytes, len as u64);
}

pub(crate) fn a_thousand_connections_get_their_own_bytes_back(engine: Engine) {
    let server = Server::start(engine);
    let mut fleet = Fleet::connect(server.addr, scaled(1000), fleet::SocketBuffers::default());
    for len in [1, 300, 70_000] {
        fleet.echo(len);
    }
    thread::scope(|scope| {
        scope.spawn(|| Stream::connect(server.addr).full_duplex(scaled(8 << 20), false));
        fleet.echo(10_000);
    });
    fleet.finish();
    server.stop_clean();
}
