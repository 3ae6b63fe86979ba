//! What the study of 2023 published, drawn from its numbers.

use std::collections::BTreeMap;

use experiments::report::format as number;
use experiments::spec::factors::Factors;
use experiments::spec::workload::Workload;
use polars::prelude::*;
use uring_echo::record::Mode;

use super::drawn::{Chapter, Drawn, Origin};
use super::reading;
use crate::chart::{Better, Estimate, MarkKind, Ratio, Sheet};
use crate::figure::grid::{Shown, panel, ratios};
use crate::figure::input::{About, Compared, Measured, label_bytes, title};
use crate::figure::{Figure, Source};
use crate::grid::{Grid, Samples, texts};
use crate::metric;
use crate::published::UNECHOED;
use crate::recording::Cell;
use crate::servers::Servers;
use crate::statistics::geometric_mean;

/// The programs of ours that do what the study divided: what its ratios can be shown beside.
pub(super) const PROGRAMS: [&str; 2] = ["uring", "epoll"];

/// The charts that the study published.
const CHARTED: [(Mode, usize); 6] = [
    (Mode::Stream, 256),
    (Mode::Stream, 512),
    (Mode::Stream, 1024),
    (Mode::Stream, 4096),
    (Mode::ReqRes, 256),
    (Mode::ReqRes, 512),
];

/// Twice what the largest socket buffers that Linux gives by default hold on the way there and back, 4 MiB to send and
/// 6 MiB to receive: what is missing beyond this was lost.
const BUFFERED_BYTES_MAX: f64 = 2.0 * 20.0 * 1024.0 * 1024.0;

/// The charts that the study published, and the `compared` ratios of its `grid`.
pub(super) fn chapter(grid: &Grid, compared: &[Compared], origin: &Origin) -> PolarsResult<Chapter> {
    let figure = |what: String, sheet| {
        let source = Source {
            experiment: "published".to_owned(),
            recordings: vec!["published_2023.csv".to_owned()],
            run_ids: Vec::new(),
            revision: origin.revision.clone(),
            command: origin.command.clone(),
        };
        Figure { stem: format!("published-{what}"), sheet, source }
    };
    let heat_maps = [Mode::Stream, Mode::ReqRes].map(|mode| Drawn {
        figure: figure(format!("{mode}-ratios"), heat_map(compared, mode)),
        how_to_read: reading::HEAT,
    });
    let measured = measured(grid)?;
    let charts = CHARTED.map(|(mode, payload_bytes)| Drawn {
        figure: figure(format!("{mode}-{payload_bytes}"), chart(&measured, mode, payload_bytes)),
        how_to_read: reading::PUBLISHED,
    });
    Ok(Chapter { name: "published".to_owned(), figures: heat_maps.into_iter().chain(charts).collect() })
}

/// One of the charts that the study published.
pub(crate) fn chart(measured: &[Measured], mode: Mode, payload_bytes: usize) -> Sheet {
    let is_own = |m: &&Measured| m.at.mode == mode && m.at.payload_bytes == payload_bytes;
    let own: Vec<Measured> = measured.iter().filter(is_own).cloned().collect();
    let mut panel =
        panel(&own, payload_bytes, &Shown { mark: MarkKind::Bar, ..Shown::responses() }, &about());
    panel.title = String::new();
    let twice = own.iter().any(|m| m.value.is_some_and(|value| value.runs() > 1));
    let whiskers = if twice { "Mean of two runs; the whisker joins them." } else { "One run a bar." };
    let interval =
        format!("180 s a run, Linux 6.1, i9-11900K, mitigations off, server on an isolated core. {whiskers}");
    let size = label_bytes(payload_bytes);
    let title = format!("{}, {size}: responses per second, as published in 2023", title(Workload::of(mode)));
    Sheet {
        notes: vec!["The study recorded neither CPU time nor how busy its servers were.".to_owned()],
        columns: 1,
        ..About { interval, ..about() }.sheet(title, describe(&own), vec![panel])
    }
}

/// What all figures of the study say.
fn about() -> About {
    About { servers: Servers::plain(&["epoll", "io_uring"]), ..About::default() }
}

fn describe(measured: &[Measured]) -> String {
    let say = |m: &Measured| {
        let value = m.value.map_or("nothing published".to_owned(), |value| number::grouped(value.value()));
        format!("{} connections, {}: {value}", m.at.connections, m.engine)
    };
    format!("Responses per second. {}.", measured.iter().map(say).collect::<Vec<String>>().join("; "))
}

/// The runs of each cell and server in one: the mean, and from the smallest to the largest.
pub(crate) fn measured(grid: &Grid) -> PolarsResult<Vec<Measured>> {
    let of = |samples: Samples| {
        let cell = grid.cells.iter().find(|cell| cell.key == samples.cell)?;
        let value = mean(&samples.values[metric::MESSAGES]);
        Some(Measured { at: cell.factors.clone(), engine: samples.engine, value })
    };
    Ok(grid.samples()?.into_iter().filter_map(of).collect())
}

fn mean(values: &[f64]) -> Option<Estimate> {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    Estimate::new(values.iter().sum::<f64>() / values.len() as f64, Some((low, high)), values.len() as u32)
}

/// The ratios of the published `grid`, with what makes a cell doubtful.
pub(crate) fn compared(grid: &Grid) -> PolarsResult<Vec<Compared>> {
    let [comparison] = &grid.comparisons[..] else { return Ok(Vec::new()) };
    let (ratios, unechoed_bytes) = (grid.ratios(comparison)?, most_unechoed_bytes(grid)?);
    let of = |cell: &Cell| {
        let own = ratios.get(&cell.key).map_or(&[][..], |values| &values[metric::MESSAGES]);
        let doubt = doubt(&cell.factors, unechoed_bytes.get(&cell.key).copied().unwrap_or(0.0));
        let mean = geometric_mean(own).and_then(|mean| Estimate::new(mean, None, own.len() as u32));
        Compared { at: cell.factors.clone(), ratio: mean.and_then(|mean| Ratio::new(mean, doubt)) }
    };
    Ok(grid.cells.iter().map(of).collect())
}

/// The most bytes that a connection of each cell sent and that never came back, by the cell's key.
fn most_unechoed_bytes(grid: &Grid) -> PolarsResult<BTreeMap<String, f64>> {
    let most =
        grid.runs.clone().lazy().group_by_stable([col("cell")]).agg([col(UNECHOED).max()]).collect()?;
    let bytes = most.column(UNECHOED)?.f64()?.iter().map(Option::unwrap_or_default);
    Ok(texts(&most, "cell")?.into_iter().zip(bytes).collect())
}

/// What makes a cell doubtful whose connections ended with at most `unechoed_bytes` under way.
fn doubt(cell: &Factors, unechoed_bytes: f64) -> &'static str {
    match cell.mode {
        Mode::Stream if unechoed_bytes > BUFFERED_BYTES_MAX => "†",
        // In lock-step at most one message a connection is under way when the clock stops.
        Mode::ReqRes if unechoed_bytes > cell.payload_bytes as f64 => "‡",
        Mode::Stream | Mode::ReqRes => "",
    }
}

/// The published ratios of one mode.
pub(crate) fn heat_map(compared: &[Compared], mode: Mode) -> Sheet {
    let own: Vec<Compared> = compared.iter().filter(|c| c.at.mode == mode).cloned().collect();
    let marked = |mark: &str| own.iter().any(|c| c.ratio.as_ref().is_some_and(|ratio| ratio.mark() == mark));
    let interval = "As published in 2023, one run a cell, 4 KiB the geometric mean of two.".to_owned();
    let mut sheet = ratios("Responses per second", Better::Higher, &own, &About { interval, ..about() });
    let notes = [
        ("†", "†: bytes were lost: more never came back than socket buffers hold."),
        ("‡", "‡: not lock-step: several messages of a connection were under way."),
    ];
    sheet.title.push_str(", as published in 2023");
    sheet.notes = notes.iter().filter(|(mark, _)| marked(mark)).map(|(_, note)| (*note).to_owned()).collect();
    sheet
}
