//! The sink, and a client that expects nothing back.

use uring_echo::measure::counters::StatsLine;
use uring_echo::sys::process;

use super::{Fault, Server, client, serve};

#[test]
fn a_sink_takes_everything_and_answers_nothing() {
    let mut server = Server::start("discard");
    let arguments = format!("stream --discard --server-stats {}", server.stats.display());
    let run = client(server.address, &arguments);
    assert!(run.record.is_valid(), "{:?}", run.record.validity);
    let totals = run.record.totals;
    assert!(totals.window.sent_messages > 0 && totals.run.received_bytes == 0, "{totals:?}");
    assert_eq!(run.record.server.settings.as_ref().unwrap()["engine"], "discard");
    assert!(run.record.latency.is_none());
    assert!(String::from_utf8_lossy(&run.output.stdout).contains("all discarded"));
    process::terminate(server.child.id()).unwrap();
    assert!(server.child.wait().unwrap().success());
    let text = std::fs::read_to_string(&server.stats).unwrap();
    let StatsLine::Exit { counters, .. } = serde_json::from_str(text.lines().last().unwrap()).unwrap() else {
        panic!("the last line is not of the exit: {text}");
    };
    assert_eq!(counters.received_bytes, totals.run.sent_bytes, "not a byte was lost");
    assert_eq!((counters.sent_bytes, counters.accepted, counters.closed), (0, 2, 2));
}

#[test]
fn a_sink_has_room_again_when_connections_end() {
    let server = Server::start("discard --max-connections 2");
    for _ in 0..3 {
        assert!(client(server.address, "stream --discard").record.is_valid());
    }
}

#[test]
fn a_server_that_echoes_is_no_sink() {
    client(serve(Fault::None), "stream --discard").assert_void("echoed");
}

#[test]
fn a_sink_is_no_echo_server() {
    let server = Server::start("discard");
    client(server.address, "req-res --drain-s 1").assert_void("drain");
}
