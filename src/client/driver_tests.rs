//! A load thread's loop, turned by hand.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use super::*;
use crate::client::phase::Command;
use crate::record::Mode;
use crate::units::Bytes;

fn echo_server() -> SocketAddr {
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

fn settings(mode: Mode) -> ClientSettings {
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

/// A connected driver in the window, and the coordinator's end.
fn driver(mode: Mode) -> (Driver, Command) {
    let (command, mut controls) = Command::new(1).unwrap();
    let share = Share { address: echo_server(), nodelay: true, numbers: 0..3 };
    let job = Job { settings: settings(mode), share, pattern: Arc::new(Pattern::new(1, 4000)) };
    let mut driver = Driver::new(job, controls.pop().unwrap()).unwrap();
    driver.connect().unwrap();
    command.enter(Phase::Window);
    driver.obey().unwrap();
    (driver, command)
}

#[test]
fn a_turn_allocates_nothing() {
    for mode in [Mode::Stream, Mode::ReqRes] {
        let (mut driver, _command) = driver(mode);
        let allocations = allocation_counter::measure(|| {
            while driver.tally.messages < 1000 {
                driver.turn().unwrap();
            }
        });
        assert_eq!(allocations.count_total, 0, "{mode}");
        assert!(driver.latency.count() > 0 && driver.verified_bytes >= 1_000_000, "{mode}");
    }
}

#[test]
fn every_flow_gets_its_turns() {
    let (mut driver, _command) = driver(Mode::Stream);
    while driver.flows.iter().any(|flow| flow.ledger.received == 0) {
        driver.turn().unwrap();
    }
    assert!(driver.ready.len() <= 3, "no flow is queued twice");
}

#[test]
fn a_drained_thread_owes_nothing_and_then_closes() {
    let (mut driver, command) = driver(Mode::Stream);
    while driver.tally.messages < 10 {
        driver.turn().unwrap();
    }
    command.enter(Phase::Drain);
    driver.obey().unwrap();
    while driver.awaited > 0 {
        driver.turn().unwrap();
    }
    assert!(driver.flows.iter().all(|flow| flow.ledger.in_flight() == 0));
    command.enter(Phase::Close);
    driver.serve().unwrap();
    assert!(driver.flows.iter().all(|flow| flow.is_ended));
    let reports: Vec<_> = command.reports.try_iter().collect();
    assert_eq!(reports[0], Report::Connected);
    assert!(matches!(
        reports[1..],
        [Report::WindowBegun(_), Report::WindowEnded(_), Report::Drained, Report::Closed]
    ));
}
