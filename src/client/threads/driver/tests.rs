//! A load thread's loop, iterated by hand.

use std::sync::Arc;

use super::*;
use crate::client::load::open_loop::{Epoch, OpenLoop};
use crate::client::load::pace::{ClosedLoop, Company};
use crate::client::load::pattern::Pattern;
use crate::client::testing;
use crate::client::threads::control::Command;
use crate::client::threads::job::{Group, Share};
use crate::record::{ClientSettings, Mode};
use crate::units::Bytes;

/// A connected driver in the window, and the coordinator's end.
fn driver<P: Pace>(settings: ClientSettings, pace: P) -> (Driver<P>, Command) {
    let (command, mut controls) = Command::new(1).unwrap();
    let share = Share { address: testing::echo_server(), nodelay: true, numbers: 0..3 };
    let pattern = Arc::new(Pattern::new(1, 4000));
    let job = Job { group: Group::Measured, settings, share, pattern, epoch: Epoch::default() };
    let mut driver = Driver::new(job, pace, controls.pop().unwrap()).unwrap();
    driver.connect().unwrap();
    command.enter(Phase::Window);
    driver.obey().unwrap();
    (driver, command)
}

fn closed(mode: Mode) -> (Driver<ClosedLoop>, Command) {
    let settings = testing::settings(mode);
    let pace = ClosedLoop::new(&settings, 3);
    driver(settings, pace)
}

fn open(rate_per_s: u64) -> (Driver<OpenLoop>, Command) {
    let settings = ClientSettings { rate_per_s: Some(rate_per_s), ..testing::settings(Mode::ReqRes) };
    let pace = OpenLoop::new(&settings, rate_per_s, 0..3, Epoch::default());
    driver(settings, pace)
}

fn holding_back() -> (Driver<Company>, Command) {
    let settings = testing::settings(Mode::Stream);
    let pace = Company::holding_back(&settings);
    driver(settings, pace)
}

/// Iterates until `messages` have come back, and says how often that allocated.
fn allocations(driver: &mut Driver<impl Pace>, messages: u64) -> u64 {
    let iterations = || {
        while driver.tally.messages < messages {
            driver.iterate().unwrap();
        }
    };
    allocation_counter::measure(iterations).count_total
}

#[test]
fn an_iteration_allocates_nothing() {
    for mode in [Mode::Stream, Mode::ReqRes] {
        let (mut driver, _command) = closed(mode);
        assert_eq!(allocations(&mut driver, 1000), 0, "{mode}");
        assert!(driver.verified_bytes >= 1_000_000, "{mode}");
        assert!(driver.pace.finish().latency.count() > 0, "{mode}");
    }
}

#[test]
fn an_iteration_of_an_open_loop_allocates_nothing() {
    let (mut driver, _command) = open(20_000);
    assert_eq!(allocations(&mut driver, 1000), 0);
    assert!(driver.pace.finish().latency.count() > 0);
}

#[test]
fn a_backlog_of_an_open_loop_is_sent_as_soon_as_the_depth_allows() {
    let (mut driver, _command) = open(10_000_000);
    while driver.tally.messages < 1000 {
        driver.iterate().unwrap();
        let in_flight = driver.flows.iter().map(|flow| flow.ledger.in_flight());
        assert!(in_flight.max().unwrap() <= 4000, "the depth holds");
    }
    assert!(driver.ready.len() <= 3, "no flow is queued twice");
}

#[test]
fn flows_that_hold_back_read_only_when_they_drain() {
    let (mut driver, command) = holding_back();
    while driver.flows.iter().any(|flow| flow.is_writable || !flow.is_readable) {
        driver.iterate().unwrap();
        assert!(driver.flows.iter().all(|flow| flow.ledger.received == 0), "nothing is read yet");
    }
    let in_flight: Vec<_> = driver.flows.iter().map(|flow| flow.ledger.in_flight()).collect();
    command.enter(Phase::Drain);
    driver.obey().unwrap();
    while driver.awaited > 0 {
        driver.iterate().unwrap();
    }
    assert!(driver.flows.iter().zip(in_flight).all(|(flow, owed)| flow.ledger.received >= owed));
    assert_eq!(driver.tally.messages, 0, "they are not measured");
    assert!(command.reports.try_iter().any(|report| report == Report::Drained));
}

#[test]
fn a_flow_of_tiny_writes_gives_way_to_the_others_soon() {
    let tiny =
        ClientSettings { payload_bytes: Bytes(1), batch_bytes: Bytes(1), ..testing::settings(Mode::Stream) };
    let pace = ClosedLoop::new(&tiny, 3);
    let (mut driver, _command) = driver(tiny, pace);
    for _ in 0..10 {
        let before: Vec<_> = driver.flows.iter().map(|flow| flow.ledger.sent).collect();
        driver.iterate().unwrap();
        let sent = driver.flows.iter().zip(before).map(|(flow, before)| flow.ledger.sent - before);
        assert!(sent.max().unwrap() <= 100, "an iteration is over in no time");
    }
}

#[test]
fn every_flow_gets_its_turns() {
    let (mut driver, _command) = closed(Mode::Stream);
    while driver.flows.iter().any(|flow| flow.ledger.received == 0) {
        driver.iterate().unwrap();
    }
    assert!(driver.ready.len() <= 3, "no flow is queued twice");
}

#[test]
fn a_drained_thread_owes_nothing_and_then_closes() {
    let (mut driver, command) = closed(Mode::Stream);
    while driver.tally.messages < 10 {
        driver.iterate().unwrap();
    }
    command.enter(Phase::Drain);
    driver.obey().unwrap();
    while driver.awaited > 0 {
        driver.iterate().unwrap();
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
