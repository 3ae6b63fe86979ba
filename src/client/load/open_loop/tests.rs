//! An open loop, with a clock set by hand.

use super::*;
use crate::client::testing;
use crate::record::{Arrivals as Kind, Mode};

/// One flow with a message of 1000 bytes due every microsecond from the first instant on, in the window.
fn open_loop(depth: u32) -> OpenLoop {
    let settings = ClientSettings {
        connections: 1,
        depth,
        rate_per_s: Some(1_000_000),
        arrivals: Some(Kind::Staggered),
        ..testing::settings(Mode::ReqRes)
    };
    let mut pace = OpenLoop::new(&settings, 1_000_000, 0..1, Epoch::default());
    pace.begin();
    pace.begun = Nanos(0);
    pace.ahead.clear();
    pace.enter(Phase::Window);
    pace
}

const fn at(sent: u64, received: u64) -> Ledger {
    Ledger { sent, received }
}

/// The only value in `histogram`, to three digits.
fn only(histogram: &Histogram) -> u64 {
    assert_eq!(histogram.count(), 1);
    (histogram.max().0 + 500) / 1000 * 1000
}

#[test]
fn a_message_is_not_sent_before_its_intended_start() {
    let mut pace = open_loop(4);
    assert_eq!(pace.sendable(0, at(0, 0)), 1000);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(Nanos(0)));
    assert_eq!(pace.sendable(0, at(1000, 0)), 0);
    assert_eq!(pace.ahead.peek(), Some(&Reverse((Nanos(1000), 0))));
    pace.now = Nanos(1000);
    assert_eq!(pace.sendable(0, at(1000, 0)), 1000);
}

#[test]
fn a_message_cut_short_is_completed_whenever_that_is_possible() {
    let mut pace = open_loop(1);
    pace.on_sent(0, at(0, 0), at(400, 0), Some(Nanos(0)));
    pace.on_blocked(0);
    assert_eq!(pace.sendable(0, at(400, 0)), 600);
    pace.on_sent(0, at(400, 0), at(1000, 0), Some(Nanos(5000)));
    assert_eq!(pace.lags.send_lag.count(), 1, "it is one message");
}

#[test]
fn a_full_connection_sends_no_more_however_many_messages_are_due() {
    let mut pace = open_loop(2);
    pace.now = Nanos(1_000_000);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(Nanos(1_000_000)));
    assert_eq!(pace.sendable(0, at(1000, 0)), 1000);
    pace.on_sent(0, at(1000, 0), at(2000, 0), Some(Nanos(1_000_000)));
    assert_eq!(pace.sendable(0, at(2000, 0)), 0);
    assert_eq!(pace.sendable(0, at(2000, 1000)), 1000);
    assert!(pace.ahead.is_empty(), "a flow with a backlog waits for echoes, not for a time");
}

#[test]
fn waiting_for_a_reply_is_the_servers_lag_and_not_the_clients() {
    let mut pace = open_loop(1);
    pace.enter(Phase::WarmUp);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(Nanos(0)));
    pace.enter(Phase::Window);
    // The second message is due at 1000, its connection free from 50,000 on, when an iteration begins.
    pace.now = Nanos(50_000);
    pace.on_received(0, at(1000, 0), at(1000, 1000));
    pace.on_sent(0, at(1000, 1000), at(2000, 1000), Some(Nanos(54_000)));
    assert_eq!((only(&pace.lags.send_lag), only(&pace.lags.client_lag)), (53_000, 4000));
}

#[test]
fn waiting_for_room_in_the_socket_is_not_the_clients_lag() {
    let mut pace = open_loop(1);
    pace.now = Nanos(9000);
    pace.on_blocked(0);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(Nanos(9000)));
    assert_eq!((only(&pace.lags.send_lag), pace.lags.client_lag.max().0), (9000, 0));
}

#[test]
fn what_the_client_does_late_is_its_own_lag() {
    let mut pace = open_loop(4);
    pace.now = Nanos(7000);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(Nanos(7000)));
    assert_eq!((only(&pace.lags.send_lag), only(&pace.lags.client_lag)), (7000, 7000));
}

#[test]
fn what_fell_due_while_the_client_was_away_is_its_own_lag_even_behind_a_full_connection() {
    let mut pace = open_loop(1);
    let ms = Nanos::from_millis;
    pace.absences.note(Nanos(500), ms(400));
    pace.now = ms(400);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(ms(400)));
    pace.on_received(0, at(1000, 0), at(1000, 1000));
    pace.on_sent(0, at(1000, 1000), at(2000, 1000), Some(ms(400)));
    assert_eq!(pace.lags.client_lag.count(), 2);
    assert!(pace.lags.client_lag.min() > ms(390), "both were due in the first microsecond or so");
}

#[test]
fn a_thread_that_is_busy_with_other_flows_is_not_away() {
    let mut absences = Absences::default();
    absences.note(Nanos(0), Nanos::from_millis(9));
    assert!(!absences.cover(Nanos::from_millis(5)));
    absences.note(Nanos::from_millis(20), Nanos::from_millis(30));
    assert!(absences.cover(Nanos::from_millis(20)) && !absences.cover(Nanos::from_millis(30)));
}

#[test]
fn a_reply_counts_from_the_intended_start_and_from_the_actual_one() {
    let mut pace = open_loop(1);
    let begun = clock::monotonic();
    pace.now = begun;
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(begun));
    pace.on_received(0, at(1000, 0), at(1000, 999));
    assert_eq!(pace.corrected.count(), 0, "it is not whole yet");
    pace.on_received(0, at(1000, 999), at(1000, 1000));
    let (corrected, uncorrected) = (pace.corrected.max(), pace.lags.uncorrected.max());
    // The intended start was at 0, where the clock of the machine begins.
    assert!(corrected.0 - corrected.0 / 500 >= uncorrected.0, "{corrected:?} {uncorrected:?}");
}

#[test]
fn outside_the_window_nothing_is_recorded() {
    let mut pace = open_loop(1);
    pace.enter(Phase::Drain);
    pace.on_sent(0, at(0, 0), at(1000, 0), Some(Nanos(0)));
    pace.on_received(0, at(1000, 0), at(1000, 1000));
    let timings = pace.finish();
    let lags = timings.open_loop.unwrap();
    let counts = [&timings.latency, &lags.uncorrected, &lags.send_lag, &lags.client_lag];
    assert!(counts.iter().all(|histogram| histogram.count() == 0));
}
