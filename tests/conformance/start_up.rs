//! A server that cannot do what it was asked says why and what to do about it, in one line, and does not start.

use std::fs;
use std::os::unix::fs::MetadataExt;

use uring_echo::sys::affinity;

use crate::both_engines;
use crate::support::fleet::{Fleet, SocketBuffers};
use crate::support::{Engine, Launch, Server, Stream};

both_engines! {
    beside_others: [
        the_line_it_prints_names_every_setting,
        it_runs_on_the_cpu_it_is_told_to,
        a_plain_user_runs_it_at_the_defaults,
        a_port_in_use_is_refused,
        a_privileged_port_is_refused_to_a_plain_user,
        an_address_of_another_machine_is_refused,
        an_address_that_others_can_reach_is_warned_of,
        a_cpu_that_does_not_exist_is_refused,
        a_descriptor_limit_below_the_table_is_refused,
        few_descriptors_mean_fewer_connections_by_default,
        little_address_space_means_fewer_connections_by_default,
        a_backlog_that_the_kernel_would_cut_is_refused,
        a_stats_file_that_cannot_be_written_is_refused,
        arguments_that_make_no_sense_are_refused,
    ],
}

/// The longest accept queue that can be asked for.
const BACKLOG_MAX: u32 = 65_535;

/// A user without privileges, `nobody` on most systems.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A launch as a plain user with the memlock limit of a usual login.
fn launch_unprivileged(engine: Engine) -> Launch {
    let launch = Launch::new(engine).memlock(8 << 20);
    if is_root() { launch.uid(NOBODY) } else { launch }
}

/// Fails unless `line` contains each of `words`.
fn assert_says(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "'{word}' is not in: {line}");
    }
}

fn the_line_it_prints_names_every_setting(engine: Engine) {
    let server =
        Launch::new(engine).args("--max-connections 77 --backlog 33 --nodelay off --drain-ms 1234").start();
    let settings = &server.settings;
    let expected = [
        ("engine", engine.name()),
        ("max_connections", "77"),
        ("backlog", "33"),
        ("nodelay", "off"),
        ("drain_ms", "1234"),
        ("preset", "tuned"),
    ];
    for (key, value) in expected {
        assert_eq!(settings.get(key).map(String::as_str), Some(value), "{key} in {settings:?}");
    }
    for key in ["buffer_bytes", "budget_bytes"] {
        assert!(settings[key].parse::<usize>().unwrap() > 0, "{settings:?}");
    }
    server.stop_clean();
}

fn it_runs_on_the_cpu_it_is_told_to(engine: Engine) {
    let cpu = *affinity::permitted(0).unwrap().last().unwrap();
    let server = Launch::new(engine).args(&format!("--cpu {cpu}")).start();
    assert_eq!(affinity::permitted(server.pid()).unwrap(), [cpu]);
    assert_eq!(server.settings["cpu"], cpu.to_string());
    server.assert_serves();
    server.stop_clean();
}

fn a_plain_user_runs_it_at_the_defaults(engine: Engine) {
    let server = launch_unprivileged(engine).start();
    let uid = fs::metadata(format!("/proc/{}", server.pid())).unwrap().uid();
    assert_ne!(uid, 0, "the server runs as root");
    let mut stream = Stream::connect(server.addr);
    stream.full_duplex(1 << 20, true);
    stream.finish();
    server.stop_clean();
}

fn a_port_in_use_is_refused(engine: Engine) {
    let first = Server::start(engine);
    for second in [Engine::Epoll, Engine::Uring] {
        let line = Launch::new(second).listen(&first.addr).refused();
        assert_says(&line, &["cannot listen on", &first.addr.to_string(), "in use", "--listen"]);
    }
    first.assert_serves();
    first.stop_clean();
}

fn a_privileged_port_is_refused_to_a_plain_user(engine: Engine) {
    let lowest: u16 =
        fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap().trim().parse().unwrap();
    if lowest <= 1 {
        println!("every port is free for plain users here (ip_unprivileged_port_start is {lowest})");
        launch_unprivileged(engine).listen("127.0.0.1:1").start().stop_clean();
        return;
    }
    let line = launch_unprivileged(engine).listen("127.0.0.1:1").refused();
    assert_says(&line, &["cannot listen on 127.0.0.1:1", "denied", "CAP_NET_BIND_SERVICE"]);
}

fn an_address_of_another_machine_is_refused(engine: Engine) {
    // TEST-NET-1 belongs to nobody (RFC 5737).
    let line = Launch::new(engine).listen("192.0.2.1:0").refused();
    assert_says(&line, &["cannot listen on 192.0.2.1:0", "--listen"]);
}

fn an_address_that_others_can_reach_is_warned_of(engine: Engine) {
    let server = Launch::new(engine).listen("0.0.0.0:0").start();
    Stream::connect(([127, 0, 0, 1], server.addr.port()).into()).finish();
    assert_says(&server.log(), &["warning", "0.0.0.0"]);
    server.stop_clean();
    let quiet = Server::start(engine);
    quiet.assert_serves();
    assert_eq!(quiet.log(), "", "a server on loopback has nothing to warn of");
    quiet.stop_clean();
}

fn a_cpu_that_does_not_exist_is_refused(engine: Engine) {
    for cpu in [1023, 5000] {
        let line = Launch::new(engine).args(&format!("--cpu {cpu}")).refused();
        assert_says(&line, &["CPU", &cpu.to_string(), "--cpu"]);
    }
}

fn a_descriptor_limit_below_the_table_is_refused(engine: Engine) {
    let line = Launch::new(engine).args("--max-connections 100").nofile(64, 64).refused();
    assert_says(&line, &["RLIMIT_NOFILE", "64", "lower --max-connections to 48", "ulimit"]);
    // What it says to do helps.
    Launch::new(engine).args("--max-connections 48").nofile(64, 64).start().stop_clean();
    // The soft limit alone is the server's to raise.
    Launch::new(engine).args("--max-connections 100").nofile(64, 256).start().stop_clean();
}

fn few_descriptors_mean_fewer_connections_by_default(engine: Engine) {
    let server = Launch::new(engine).nofile(1024, 1024).start();
    assert_eq!(server.settings["max_connections"], "1008");
    assert_says(&server.log(), &["note", "--max-connections is 1008", "RLIMIT_NOFILE allows 1024", "ulimit"]);
    // All of them are served at once, and none of the descriptors set aside for the rest is missing.
    let mut fleet = Fleet::connect(server.addr, 1008, SocketBuffers::default());
    fleet.echo(100);
    fleet.finish();
    assert_eq!(server.stop_clean().accept_pauses, 0);
}

fn little_address_space_means_fewer_connections_by_default(engine: Engine) {
    let little = |args: &str| Launch::new(engine).args(args).address_space(400 << 20);
    let server = little("").start();
    let served: u64 = server.settings["max_connections"].parse().unwrap();
    // A strategy may want several buffers for each.
    assert!((400..10_240).contains(&served), "{served} connections in 400 MiB");
    assert_says(&server.log(), &["note", &served.to_string(), "RLIMIT_AS"]);
    server.assert_serves();
    server.stop_clean();
    let line = little("--max-connections 10000").refused();
    assert_says(&line, &["RLIMIT_AS", "lower --max-connections to ", "ulimit"]);
    let granted = line.split("lower --max-connections to ").nth(1).unwrap().split(' ').next().unwrap();
    little(&format!("--max-connections {granted}")).start().stop_clean();
}

fn a_backlog_that_the_kernel_would_cut_is_refused(engine: Engine) {
    let somaxconn = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let somaxconn: u32 = somaxconn.trim().parse().unwrap();
    if somaxconn >= BACKLOG_MAX {
        println!("the kernel cuts no backlog that can be asked for (net.core.somaxconn is {somaxconn})");
        return;
    }
    let line = Launch::new(engine).args(&format!("--backlog {}", somaxconn + 1)).refused();
    assert_says(&line, &["net.core.somaxconn", &format!("lower --backlog to {somaxconn} ")]);
    let server = Launch::new(engine).args(&format!("--backlog {somaxconn}")).start();
    assert_eq!(server.settings["backlog"], somaxconn.to_string());
    server.stop_clean();
}

fn a_stats_file_that_cannot_be_written_is_refused(engine: Engine) {
    for path in ["/", "/proc/no-such-directory/stats"] {
        let line = Launch::new(engine).stats(path).refused();
        assert_says(&line, &[path, "--stats"]);
    }
}

fn arguments_that_make_no_sense_are_refused(engine: Engine) {
    let common = [
        "--max-connections 0",
        "--max-connections=-1",
        "--buffer-bytes 0",
        "--budget-bytes 0",
        "--buffer-bytes 1Q",
        "--nodelay maybe",
        "--preset best",
        "--no-such-flag",
    ];
    let own: &[&str] = match engine {
        Engine::Epoll => &["--strategy sometimes", "--buffers 8"],
        Engine::Uring => &["--buffers 0", "--recv telepathy", "--setup hope", "--strategy telepathy"],
    };
    for args in common.iter().chain(own) {
        let line = Launch::new(engine).args(args).refused();
        let flag = args.split([' ', '=']).next().unwrap();
        assert_says(&line, &["error", flag]);
    }
    for addr in ["nonsense", "127.0.0.1", "127.0.0.1:99999", "no.such.host.invalid:0"] {
        let line = Launch::new(engine).listen(addr).refused();
        assert_says(&line, &["error", "--listen", addr]);
    }
}
