//! What the tests of several modules share.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use crate::record::{ClientSettings, Mode, Verify};
use crate::units::{Bytes, Nanos};

/// Three connections of one thread that send messages of 1000 bytes, in a closed loop.
pub(crate) fn settings(mode: Mode) -> ClientSettings {
    ClientSettings {
        mode,
        connections: 3,
        payload_bytes: Bytes(1000),
        batch_bytes: Bytes(4000),
        depth: 4,
        in_flight_bytes_max: Bytes(1 << 20),
        rate_per_s: None,
        arrivals: None,
        hogs: 0,
        hog_kind: None,
        idle: 0,
        discard: false,
        threads: 1,
        cpus: vec![],
        nodelay: true,
        verify: Verify::Full,
        warmup_ns: Nanos(0),
        duration_ns: Nanos(1),
        drain_limit_ns: Nanos(1),
        seed: 1,
    }
}

/// A server that echoes, for as long as the test process lives.
pub(crate) fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let (mut stream, mut buffer) = (stream.unwrap(), [0; 8192]);
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    stream.write_all(&buffer[..count]).unwrap();
                }
            });
        }
    });
    address
}
