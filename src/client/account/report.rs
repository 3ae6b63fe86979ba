//! A record for people: what was run, what came out, whether to believe it.

use std::fmt::Write;

use crate::client::quantity::{rate, size, span};
use crate::measure::fairness::Spread;
use crate::record::{ClientSettings, Hogs, Latency, Limit, Mode, OpenLoop, RunRecord, Summary};

/// Width of the column of labels.
const LABEL_WIDTH: usize = 14;

/// Aligned lines, one a measure.
pub fn render(record: &RunRecord) -> String {
    let mut lines =
        vec![("run", load(&record.client, record.server.settings.as_ref().and_then(|s| s.get("engine"))))];
    if let Some(summary) = &record.summary {
        lines.extend(measures(summary));
    }
    if let Some(latency) = &record.latency {
        lines.push(("latency", percentiles(latency)));
    }
    if let Some(open_loop) = &record.open_loop {
        lines.extend(lags(open_loop));
    }
    lines.extend(record.hogs.iter().map(|hogs| ("hogs", company(hogs))));
    if record.client.discard {
        lines.push(("sent", offered(record)));
    }
    if let Some(spread) = record.summary.as_ref().and_then(|summary| summary.connection_received_bytes) {
        lines.push(("connections", connections(&spread)));
    }
    lines.push(("verified", verified(record)));
    lines.extend(record.notes.iter().map(|note| ("note", note.clone())));
    lines.push(("validity", if record.is_valid() { "valid".into() } else { "NOT VALID".into() }));
    lines.extend(record.validity.iter().map(|reason| ("", reason.clone())));
    lines.iter().fold(String::new(), |mut text, (label, value)| {
        writeln!(text, "{label:<LABEL_WIDTH$}{value}").expect("a string takes every write");
        text
    })
}

fn load(client: &ClientSettings, engine: Option<&String>) -> String {
    let ClientSettings { mode, connections, payload_bytes, threads, verify, depth, .. } = client;
    let depth = if *mode == Mode::ReqRes { format!(", depth {depth}") } else { String::new() };
    let open = client.rate_per_s.zip(client.arrivals);
    let open = open.map_or(String::new(), |(rate, arrivals)| format!(", {rate}/s {arrivals}"));
    let idle = if client.idle > 0 { format!(", {} idle", client.idle) } else { String::new() };
    let engine = engine.map_or("a server".into(), |engine| format!("engine {engine}"));
    format!(
        "{mode} on {engine}: {connections} x {payload_bytes} B{depth}{open}{idle}, threads {threads}, verify {verify}"
    )
}

fn measures(summary: &Summary) -> Vec<(&'static str, String)> {
    let Summary { goodput_bytes_per_s, messages_per_s, server_busy_share, client_busy_share, limit, .. } =
        summary;
    vec![
        ("throughput", format!("{}   {messages_per_s:.0} messages/s", rate(*goodput_bytes_per_s))),
        (
            "server CPU",
            format!(
                "{} ns/message   {} ns/byte",
                optional(summary.cpu_ns_per_message, 0),
                optional(summary.cpu_ns_per_byte, 3)
            ),
        ),
        ("system calls", format!("{} per message", optional(summary.syscalls_per_message, 3))),
        ("fairness", format!("Jain {}", optional(summary.jain, 4))),
        (
            "limit",
            format!(
                "{} (busy: server {} %, client {:.0} %)",
                limit_name(*limit),
                optional(server_busy_share.map(|share| share * 100.0), 0),
                client_busy_share * 100.0
            ),
        ),
    ]
}

const fn limit_name(limit: Limit) -> &'static str {
    match limit {
        Limit::Server => "server",
        Limit::Client => "client",
        Limit::Both => "both ends",
        Limit::Neither => "neither end",
    }
}

fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or("unknown".into(), |value| format!("{value:.decimals$}"))
}

fn percentiles(latency: &Latency) -> String {
    format!(
        "p50 {}   p90 {}   p99 {}   p99.9 {}   max {}   ({} messages)",
        span(latency.p50_ns),
        span(latency.p90_ns),
        span(latency.p99_ns),
        span(latency.p99_9_ns),
        span(latency.max_ns),
        latency.count
    )
}

/// The latency above is from the intended start; these say how much of it an uncorrected one would hide.
fn lags(open_loop: &OpenLoop) -> Vec<(&'static str, String)> {
    let known = |latency: &Option<Latency>| latency.as_ref().map_or("unknown".into(), percentiles);
    vec![
        ("uncorrected", known(&open_loop.uncorrected)),
        ("send lag", known(&open_loop.send_lag)),
        (
            "client's lag",
            format!("{}   {:.2} % late", known(&open_loop.client_lag), 100.0 * open_loop.late_share),
        ),
    ]
}

fn company(hogs: &Hogs) -> String {
    let Hogs { kind, connections, sent_bytes, received_bytes } = hogs;
    format!("{connections} {kind}: {} sent, {} came back", size(*sent_bytes), size(*received_bytes))
}

fn offered(record: &RunRecord) -> String {
    let seconds = record.timeline.map_or(0.0, |timeline| timeline.window().as_secs_f64()).max(1e-9);
    let window = record.totals.window;
    format!(
        "{}   {:.0} messages/s, all discarded",
        rate(window.sent_bytes as f64 / seconds),
        window.sent_messages as f64 / seconds
    )
}

fn connections(spread: &Spread) -> String {
    format!(
        "min {}   median {}   max {}   min/max {}",
        size(spread.min),
        size(spread.median),
        size(spread.max),
        optional(spread.min_max_ratio, 3)
    )
}

fn verified(record: &RunRecord) -> String {
    let totals = &record.totals;
    let part = 100.0 * totals.verified_bytes as f64 / totals.run.received_bytes.max(1) as f64;
    format!("{} of {} bytes received ({part:.0} %)", totals.verified_bytes, totals.run.received_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_called_so() {
        assert_eq!(optional(None, 2), "unknown");
        assert_eq!(optional(Some(1.005), 1), "1.0");
    }
}
