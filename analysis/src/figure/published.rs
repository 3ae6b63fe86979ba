//! What the study of 2023 published, drawn from its numbers.

use experiments::report::format as number;

use crate::chart::{Better, Estimate, MarkKind, Ratio, Sheet};

use super::grid::{Shown, panel, ratios};
use super::input::{About, At, Compared, Measured, Workload};

/// One published run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) at: At,
    /// `epoll` or `io_uring`.
    pub(crate) engine: String,
    pub(crate) responses_per_s: f64,
    /// Bytes a connection sent that never came back.
    pub(crate) unechoed_bytes_per_connection: f64,
}

/// The charts that the study published.
pub(crate) const CHARTED: [(Workload, u64); 6] = [
    (Workload::Stream, 256),
    (Workload::Stream, 512),
    (Workload::Stream, 1024),
    (Workload::Stream, 4096),
    (Workload::ReqRes, 256),
    (Workload::ReqRes, 512),
];

/// Twice what the largest socket buffers that Linux gives by default hold on the way there and back, 4 MiB to send and
/// 6 MiB to receive: what is missing beyond this was lost.
const BUFFERED_BYTES_MAX: f64 = 2.0 * 20.0 * 1024.0 * 1024.0;

/// One of the charts that the study published.
pub(crate) fn chart(runs: &[Run], (workload, payload_bytes): (Workload, u64)) -> Sheet {
    let own: Vec<Run> = runs
        .iter()
        .filter(|r| r.at.workload == workload && r.at.payload_bytes == payload_bytes)
        .cloned()
        .collect();
    let measured = measured(&own);
    let mut panel = panel(&measured, payload_bytes, &Shown { mark: MarkKind::Bar, ..Shown::responses() });
    panel.title = String::new();
    let twice = measured.iter().any(|m| m.value.is_some_and(|value| value.runs() > 1));
    let whiskers = if twice { "Mean of two runs; the whisker joins them." } else { "One run a bar." };
    let size = number::label_bytes(payload_bytes);
    Sheet {
        title: format!("{}, {size}: responses per second, as published in 2023", workload.title()),
        subtitle: format!(
            "180 s a run, Linux 6.1, i9-11900K, mitigations off, server on an isolated core. {whiskers}"
        ),
        quick: false,
        stamp: None,
        description: describe(&measured),
        notes: vec!["The study recorded neither CPU time nor how busy its servers were.".to_owned()],
        columns: 1,
        one_scale: false,
        panels: vec![panel],
    }
}

fn describe(measured: &[Measured]) -> String {
    let say = |m: &Measured| {
        let value = m.value.map_or("nothing published".to_owned(), |value| number::grouped(value.value()));
        format!("{} connections, {}: {value}", m.at.connections, m.engine)
    };
    format!("Responses per second. {}.", measured.iter().map(say).collect::<Vec<String>>().join("; "))
}

/// The runs of each place and engine in one: the mean, and from the smallest to the largest.
fn measured(runs: &[Run]) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    for run in runs {
        if all.iter().any(|m| m.at == run.at && m.engine == run.engine) {
            continue;
        }
        let values = values(runs, run.at, &run.engine);
        all.push(Measured { at: run.at, engine: run.engine.clone(), value: mean(&values) });
    }
    all
}

fn values(runs: &[Run], at: At, engine: &str) -> Vec<f64> {
    runs.iter().filter(|r| r.at == at && r.engine == engine).map(|r| r.responses_per_s).collect()
}

fn mean(values: &[f64]) -> Option<Estimate> {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    Estimate::new(values.iter().sum::<f64>() / values.len() as f64, Some((low, high)), values.len() as u32)
}

/// The ratios of the published grid, with what makes a cell doubtful.
pub(crate) fn compared(runs: &[Run]) -> Vec<Compared> {
    let mut places: Vec<At> = runs.iter().map(|run| run.at).collect();
    places.sort();
    places.dedup();
    places.into_iter().map(|at| Compared { at, ratio: ratio(runs, at) }).collect()
}

fn ratio(runs: &[Run], at: At) -> Option<Ratio> {
    let (ours, base) = (values(runs, at, "io_uring"), values(runs, at, "epoll"));
    let pairs = ours.len().min(base.len());
    let logarithms: f64 = ours.iter().zip(&base).map(|(ours, base)| (ours / base).ln()).sum();
    let own = |run: &&Run| run.at == at;
    let most = runs.iter().filter(own).map(|run| run.unechoed_bytes_per_connection).fold(0.0, f64::max);
    Ratio::new((logarithms / pairs as f64).exp(), None, pairs as u32, doubt(at, most))
}

/// What makes a cell doubtful whose connections ended with at most `unechoed_bytes` under way.
fn doubt(at: At, unechoed_bytes: f64) -> &'static str {
    match at.workload {
        Workload::Stream if unechoed_bytes > BUFFERED_BYTES_MAX => "†",
        // In lock-step at most one message a connection is under way when the clock stops.
        Workload::ReqRes if unechoed_bytes > at.payload_bytes as f64 => "‡",
        Workload::Stream | Workload::ReqRes => "",
    }
}

/// The published ratios of one workload.
pub(crate) fn heat_map(runs: &[Run], workload: Workload) -> Sheet {
    let own: Vec<Compared> = compared(runs).into_iter().filter(|c| c.at.workload == workload).collect();
    let marked = |mark: &str| own.iter().any(|c| c.ratio.as_ref().is_some_and(|ratio| ratio.mark() == mark));
    let interval = "As published in 2023, one run a cell, 4 KiB the geometric mean of two.".to_owned();
    let mut sheet =
        ratios("Responses per second", Better::Higher, &own, &About { interval, ..About::default() });
    let notes = [
        ("†", "†: bytes were lost: more never came back than socket buffers hold."),
        ("‡", "‡: not lock-step: several messages of a connection were under way."),
    ];
    sheet.title.push_str(", as published in 2023");
    sheet.notes = notes.iter().filter(|(mark, _)| marked(mark)).map(|(_, note)| (*note).to_owned()).collect();
    sheet
}
