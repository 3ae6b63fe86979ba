//! Connections beside the measured ones: hogs and idle ones.

use super::{Fault, Server, client, serve};

#[test]
fn hogs_are_counted_apart_and_get_everything_back() {
    for kind in ["reading", "greedy"] {
        let server = Server::start("serve uring");
        let arguments =
            format!("req-res --hogs 3 --hog-kind {kind} --idle 4 --server-stats {}", server.stats.display());
        let record = client(server.address, &arguments).record;
        assert!(record.is_valid(), "{kind}: {:?}", record.validity);
        let (totals, hogs) = (record.totals, record.hogs.unwrap());
        assert_eq!((hogs.kind.to_string().as_str(), hogs.connections), (kind, 3));
        assert!(hogs.received_bytes > 0, "{kind}: {hogs:?}");
        assert_eq!((totals.connections_achieved, totals.idle_connections), (2, 4));
        assert_eq!(record.connections.messages.len(), 2, "only measured connections are listed");
        assert_eq!(record.connections.received_bytes.iter().sum::<u64>(), totals.window.received_bytes);
        assert_eq!(record.series.received_bytes.iter().sum::<u64>(), totals.window.received_bytes);
        assert_eq!(record.latency.unwrap().count, totals.window.received_messages);
        let counted = record.counters.run.unwrap();
        assert_eq!(counted.received_bytes, counted.sent_bytes, "hogs too have got everything back");
        assert!(counted.received_bytes >= totals.run.sent_bytes + hogs.sent_bytes);
        let summary = record.summary.unwrap();
        assert!(summary.cpu_ns_per_message.is_none(), "whose messages?");
        assert!(summary.cpu_ns_per_byte.is_some());
    }
}

#[test]
fn hogs_that_do_not_read_get_nothing_in_the_window_and_everything_after_it() {
    let server = Server::start("serve epoll");
    let arguments =
        format!("req-res --hogs 2 --hog-kind non-reading --server-stats {}", server.stats.display());
    let record = client(server.address, &arguments).record;
    assert!(record.is_valid(), "{:?}", record.validity);
    assert_eq!(record.hogs.unwrap().received_bytes, 0);
    assert!(record.totals.window.received_messages > 0, "the others are served meanwhile");
    let counted = record.counters.run.unwrap();
    assert!(counted.received_bytes > record.totals.run.sent_bytes, "hogs have sent");
    assert_eq!(counted.received_bytes, counted.sent_bytes, "and got it back");
}

#[test]
fn a_byte_that_a_hog_loses_voids_the_run() {
    let run = client(serve(Fault::Drop(500_000)), "req-res --duration-s 2 --hogs 1 --hog-kind reading");
    run.assert_void("mismatch");
    assert!(run.stderr().contains("connection 2 got"), "{}", run.stderr());
}

#[test]
fn hogs_that_never_get_their_bytes_back_void_the_run() {
    let run = client(serve(Fault::Swallow), "req-res --drain-s 1 --hogs 1 --hog-kind non-reading");
    run.assert_void("drain");
    assert!(run.stderr().contains("3 connections still miss"), "{}", run.stderr());
}

#[test]
fn hogs_of_no_kind_are_refused() {
    let (mut command, _directory, _) = super::command("127.0.0.1:1".parse().unwrap(), "req-res --hogs 2");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("add --hog-kind"));
}

#[test]
fn an_idle_connection_that_the_server_closes_voids_the_run() {
    // This server closes what has been silent for a quarter of a second.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(std::time::Duration::from_millis(250))).unwrap();
                super::echo(stream, Fault::None);
            });
        }
    });
    let run = client(address, "req-res --idle 1 --duration-s 5");
    run.assert_void(if run.stderr().contains("reset: ") { "reset" } else { "closed" });
    assert!(run.stderr().contains("connection 2"), "{}", run.stderr());
}
