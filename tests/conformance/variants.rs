//! Whatever else an engine can be told to be is still an echo server: each variant loses nothing under the loads that
//! make it short of send buffers, of receive buffers, of slots.

use std::thread;

use uring_echo::kernel_version::KernelVersion;
use uring_echo::server::strategies;

use crate::support::fleet::{Fleet, MORE_THAN_KERNELS_HOLD, SMALL, TINY};
use crate::support::{Engine, Launch, Server, Stream, beside_others, kernel, scaled};

/// Makes a test of each variant: its name, engine and arguments.
macro_rules! variants {
    ($($name:ident: $engine:ident, $args:literal;)+) => {$(
        #[test]
        fn $name() {
            beside_others(|| loses_nothing_or_is_refused(Launch::new(Engine::$engine).args($args)));
        }
    )+};
}

variants! {
    level_triggered_epoll_loses_nothing: Epoll, "--strategy level";
    level_triggered_epoll_with_small_buffers_loses_nothing: Epoll, "--strategy level --buffer-bytes 4096 --budget-bytes 4096";
    epoll_without_nodelay_loses_nothing: Epoll, "--nodelay off";
    epoll_with_the_2023_preset_loses_nothing: Epoll, "--preset study";
    uring_with_the_2023_preset_loses_nothing: Uring, "--preset study";
    uring_without_nodelay_loses_nothing: Uring, "--nodelay off";
    uring_that_sends_once_loses_nothing: Uring, "--send once";
    uring_that_accepts_one_by_one_loses_nothing: Uring, "--accept single";
    uring_that_polls_first_loses_nothing: Uring, "--strategy alternate --recv poll-first";
    uring_with_calls_that_polls_first_loses_nothing: Uring, "--strategy adaptive --recv poll-first";
    uring_with_plain_descriptors_loses_nothing: Uring, "--strategy alternate --files plain";
    uring_that_publishes_its_whole_ring_loses_nothing: Uring, "--publish full";
    uring_with_coop_taskrun_alone_loses_nothing: Uring, "--setup coop";
    uring_without_taskrun_flags_loses_nothing: Uring, "--setup plain";
    uring_whose_entries_a_thread_submits_loses_nothing: Uring, "--setup sqpoll";
    uring_with_a_ring_that_is_not_registered_loses_nothing: Uring, "--ring-fd plain";
    uring_that_sends_without_a_copy_loses_nothing: Uring, "--send-kind zero-copy";
    uring_that_sends_once_and_without_a_copy_loses_nothing: Uring, "--send-kind zero-copy --send once";
    uring_without_calls_that_sends_without_a_copy_loses_nothing: Uring, "--strategy alternate --send-kind zero-copy --send once";
    uring_that_sends_from_registered_memory_loses_nothing: Uring, "--send-kind zero-copy-registered --max-connections 300";
    uring_with_one_buffer_loses_nothing: Uring, "--buffers 1";
    uring_with_one_small_buffer_loses_nothing: Uring, "--buffers 1 --buffer-bytes 4096 --send once --publish full";
    uring_with_large_buffers_and_a_small_budget_loses_nothing: Uring, "--buffer-bytes 256K --budget-bytes 1000";
    uring_with_links_that_polls_first_loses_nothing: Uring, "--strategy linked --recv poll-first";
    uring_with_links_and_one_small_buffer_loses_nothing: Uring, "--strategy linked --buffers 1 --buffer-bytes 4096 --budget-bytes 4096";
    uring_with_private_buffers_that_polls_first_loses_nothing: Uring, "--strategy private --recv poll-first --send once";
    uring_with_small_private_buffers_loses_nothing: Uring, "--strategy private --buffer-bytes 4096 --budget-bytes 4096";
    uring_with_links_between_private_buffers_that_polls_first_loses_nothing: Uring, "--strategy private-linked --recv poll-first";
    uring_that_skips_successes_loses_nothing: Uring, "--strategy private-linked --skip-success on";
    uring_that_skips_successes_with_small_buffers_loses_nothing: Uring, "--strategy private-linked --skip-success on --buffer-bytes 4096 --budget-bytes 1000 --files plain";
    epoll_with_large_buffers_and_a_small_budget_loses_nothing: Epoll, "--buffer-bytes 256K --budget-bytes 1000";
}

/// The same of variants that came with a release of Linux: an older one refuses them and says which release that was.
macro_rules! newer_variants {
    ($($name:ident: $args:literal, $major:literal . $minor:literal;)+) => {$(
        #[test]
        fn $name() {
            beside_others(|| loses_nothing_or_is_too_old($args, KernelVersion::new($major, $minor)));
        }
    )+};
}

newer_variants! {
    uring_without_a_submission_array_loses_nothing_where_the_kernel_has_that: "--setup defer-no-sqarray", 6 . 6;
    uring_that_polls_a_card_loses_nothing_where_the_kernel_has_that: "--napi-us 50", 6 . 9;
    uring_that_waits_for_a_batch_loses_nothing_where_the_kernel_has_that: "--wait min-wait", 6 . 12;
    uring_with_a_region_for_waits_loses_nothing_where_the_kernel_has_that: "--wait region", 6 . 13;
}

fn loses_nothing_or_is_too_old(args: &str, since: KernelVersion) {
    let launch = Launch::new(Engine::Uring).args(args);
    if KernelVersion::running().expect("/proc says what runs") >= since {
        return loses_nothing(launch);
    }
    let line = launch.refused();
    assert!(line.contains(&since.to_string()), "refused by the release that brought it: {line}");
}

/// A strategy that is held to all cases refuses what makes no sense with it.
fn loses_nothing_or_is_refused(launch: Launch) {
    let may_refuse = launch.is_held();
    match launch.try_start() {
        Ok(server) => server_loses_nothing(server),
        Err(line) => assert!(may_refuse && line.contains("cannot serve with --strategy"), "{line}"),
    }
}

#[test]
fn what_makes_no_sense_with_a_strategy_is_refused_with_the_reason() {
    let refusals = [
        ("linked", "--send once", "would follow a short send"),
        ("private-linked", "--send once", "would follow a short send"),
        ("private", "--buffers 8", "--buffers: each connection has its own buffer"),
        ("private-linked", "--publish full", "--publish: each connection has its own buffer"),
        ("private", "--hot-bytes 1M", "--hot-bytes: each connection has its own buffer"),
        (
            "multishot-group",
            "--buffers 512 --publish demand",
            "--publish: all buffers of a connection are its own",
        ),
        ("alternate", "--skip-success on", "choose --strategy private-linked"),
        ("private", "--skip-success on", "only its completion tells"),
        ("private", "--send-kind zero-copy", "the next receive goes where the send still reads"),
        ("linked", "--send-kind zero-copy", "would follow before the buffer is free"),
        ("multishot", "--setup coop", "can miss urgent data"),
        ("multishot-group", "--setup sqpoll", "can miss urgent data"),
        ("multishot-quota", "--send-kind zero-copy", "that a send may still read"),
        ("multishot-limit", "--send-kind zero-copy-registered", "that a send may still read"),
        ("multishot-group", "--send-kind zero-copy", "that a send may still read"),
        ("adaptive", "--files direct", "its calls name descriptors"),
        ("inline", "--recv poll-first", "when to wait for readiness"),
        ("inline", "--send-kind zero-copy", "its calls send a copy"),
        ("linked", "--setup sqpoll", "may take the send and not yet what follows it"),
    ];
    let lacks = |strategy: &str| strategies::all().any(|one| one.name == strategy && one.require().is_err());
    for (strategy, args, reason) in refusals.into_iter().filter(|refusal| !lacks(refusal.0)) {
        let line = Launch::new(Engine::Uring).strategy(strategy).args(args).refused();
        assert!(line.contains(reason) && line.lines().count() == 1, "{strategy} {args}: {line}");
    }
}

pub(crate) fn loses_nothing(launch: Launch) {
    server_loses_nothing(launch.start());
}

fn server_loses_nothing(server: Server) {
    thread::scope(|scope| {
        scope.spawn(|| block_and_drain(&server));
        scope.spawn(|| come_and_go(&server));
        let mut stream = Stream::connect(server.addr);
        stream.full_duplex(scaled(8 << 20), true);
        stream.finish();
    });
    server.assert_serves();
    let counters = server.stop();
    assert_eq!(counters.cut_off, 0, "{counters:?}");
}

/// Connections that do not read until their server cannot send, then read it all.
fn block_and_drain(server: &Server) {
    let mut fleet = Fleet::connect(server.addr, scaled(20), SMALL);
    fleet.echo(10_000);
    fleet.fill(MORE_THAN_KERNELS_HOLD);
    fleet.drain();
    fleet.finish();
}

/// Connections that end in each of the ways there are.
fn come_and_go(server: &Server) {
    for round in 0..scaled(200) {
        let mut stream = Stream::with_buffers(server.addr, TINY);
        stream.send(1000);
        match round % 4 {
            0 => drop(stream),
            1 => stream.reset(),
            2 => {
                kernel::send_urgent(&stream.socket, stream.pattern.slice(1000, 1)[0]);
                stream.sent += 1;
                stream.finish();
            }
            _ => stream.finish(),
        }
    }
}
