//! Percentiles, latency over load, distributions over connections, seconds of a run, scaling.

use crate::chart::{Axis, Body, Dash, Estimate, Extent, Format, Line, Lines, Panel, Sheet};

use super::input::{About, reader_name, roles};

/// A curve that belongs to a server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    pub(crate) engine: String,
    /// Points from left to right; `None` without a valid run.
    pub(crate) points: Vec<(f64, Option<Estimate>)>,
}

/// The curves of one cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CellCurves {
    /// The cell in words; may be empty if there is only one.
    pub(crate) title: String,
    pub(crate) curves: Vec<Curve>,
}

/// A point of a curve that is read off one merged distribution, and hence has no interval of its own.
pub(crate) fn point(x: f64, y: f64) -> (f64, Option<Estimate>) {
    (x, Estimate::single(y))
}

fn sheet(title: &str, about: &About, panels: Vec<Panel>) -> Sheet {
    let names: Vec<String> =
        panels.iter().map(|panel| panel.title.clone()).filter(|name| !name.is_empty()).collect();
    let of = if names.is_empty() { String::new() } else { format!(" For {}.", names.join("; ")) };
    about.sheet(title.to_owned(), format!("{title}.{of}"), panels)
}

/// How [`panel`] draws its curves.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    markers: bool,
    steps: bool,
}

fn panel(cell: &CellCurves, (x, y): (Axis, Axis), look: Look) -> Panel {
    let engines: Vec<String> = cell.curves.iter().map(|curve| curve.engine.clone()).collect();
    let lines = cell.curves.iter().zip(roles(&engines)).map(|(curve, role)| Line {
        name: reader_name(&curve.engine),
        role,
        dash: Dash::Solid,
        markers: look.markers,
        steps: look.steps,
        points: curve.points.clone(),
    });
    let body = Lines { x, y, lines: lines.collect(), verticals: Vec::new() };
    let empty = cell.curves.iter().filter(|curve| is_empty(&curve.points)).map(|curve| &curve.engine);
    Panel { title: with_missing(&cell.title, empty), body: Body::Lines(body) }
}

fn is_empty(points: &[(f64, Option<Estimate>)]) -> bool {
    points.iter().all(|(_, value)| value.is_none())
}

/// `title` with the servers that have no curve in its panel: nobody looks for what is not there.
fn with_missing<'a>(title: &str, engines: impl Iterator<Item = &'a String>) -> String {
    let missing: Vec<String> = engines.map(|engine| reader_name(engine)).collect();
    match (title, missing.is_empty()) {
        (title, true) => title.to_owned(),
        ("", false) => format!("no data: {}", missing.join(", ")),
        (title, false) => format!("{title}; no data: {}", missing.join(", ")),
    }
}

/// Latency by percentile: points are (share, nanoseconds) of the merged histograms of a cell's runs.
pub(crate) fn percentiles(title: &str, cells: &[CellCurves], about: &About) -> Sheet {
    let panels = cells.iter().map(|cell| panel(cell, percentile_axes(), Look::default()));
    sheet(title, about, panels.collect())
}

fn percentile_axes() -> (Axis, Axis) {
    let x = Axis::new("percentile", Extent::Tail, Format::Percentile);
    (x, Axis::new("latency (log)", Extent::Log, Format::Nanoseconds))
}

/// What an open loop measured of one server: the same messages timed from two instants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Timed {
    pub(crate) engine: String,
    pub(crate) corrected: Vec<(f64, Option<Estimate>)>,
    pub(crate) uncorrected: Vec<(f64, Option<Estimate>)>,
}

/// A panel of an open loop: its title and every server.
pub(crate) type TimedPanel = (String, Vec<Timed>);

/// Both curves of every server, the uncorrected one dashed.
fn timed(servers: &[Timed], markers: bool) -> Vec<Line> {
    let engines: Vec<String> = servers.iter().map(|timed| timed.engine.clone()).collect();
    let lines = servers.iter().zip(roles(&engines)).flat_map(|(timed, role)| {
        let line = |name: &str, dash, points: &[(f64, Option<Estimate>)]| Line {
            name: format!("{}, {name}", reader_name(&timed.engine)),
            role,
            dash,
            markers: markers && dash == Dash::Solid,
            steps: false,
            points: points.to_vec(),
        };
        [
            line("from intended start", Dash::Solid, &timed.corrected),
            line("from actual send", Dash::Dashed, &timed.uncorrected),
        ]
    });
    lines.collect()
}

fn without(servers: &[Timed]) -> impl Iterator<Item = &String> {
    servers.iter().filter(|timed| is_empty(&timed.corrected)).map(|timed| &timed.engine)
}

/// Latency over offered load, a panel a percentile, whose title names it. `capacity_per_s` is what the slower engine can
/// do in a closed loop, if it is known.
pub(crate) fn latency_load(
    title: &str,
    panels: &[TimedPanel],
    capacity_per_s: Option<f64>,
    about: &About,
) -> Sheet {
    let verticals: Vec<(f64, String)> =
        capacity_per_s.map(|rate| (rate, "capacity".to_owned())).into_iter().collect();
    let drawn = panels.iter().map(|(what, servers)| {
        let body = Lines {
            x: Axis::new("offered load, messages per second", Extent::FromZero, Format::Thousands),
            y: Axis::new(format!("{what} latency (log)"), Extent::Log, Format::Nanoseconds),
            lines: timed(servers, true),
            verticals: verticals.clone(),
        };
        Panel { title: with_missing(what, without(servers)), body: Body::Lines(body) }
    });
    let mut sheet = sheet(title, about, drawn.collect());
    if !verticals.is_empty() {
        sheet.notes = vec!["Capacity: what the slower engine did in a closed loop.".to_owned()];
    }
    sheet
}

/// Latency by percentile at a few offered loads, a panel a load.
pub(crate) fn tails(title: &str, panels: &[TimedPanel], about: &About) -> Sheet {
    let drawn = panels.iter().map(|(load, servers)| {
        let (x, y) = percentile_axes();
        let body = Lines { x, y, lines: timed(servers, false), verticals: Vec::new() };
        Panel { title: with_missing(load, without(servers)), body: Body::Lines(body) }
    });
    let mut sheet = sheet(title, about, drawn.collect());
    sheet.one_scale = true;
    sheet
}

/// What the connections of one server received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shares {
    pub(crate) engine: String,
    /// What each connection received, in any unit.
    pub(crate) received: Vec<f64>,
    /// Jain's index of it; `None` if nobody received anything.
    pub(crate) jain: Option<f64>,
}

/// Most points of a distribution: more cannot be told apart on a page.
const CDF_POINTS_MAX: usize = 200;

/// How evenly connections were served: the distribution of what each received over the fair share of its run.
pub(crate) fn connections(title: &str, cells: &[(String, Vec<Shares>)], about: &About) -> Sheet {
    let panels = cells.iter().map(|(name, shares)| {
        let curves =
            shares.iter().map(|s| Curve { engine: s.engine.clone(), points: distribution(&s.received) });
        let cell = CellCurves { title: name.clone(), curves: curves.collect() };
        let x = Axis::new("received ÷ fair share", Extent::Around, Format::Fine);
        let y = Axis::new("connections that got at most this", Extent::Fixed(0.0, 1.0), Format::Percent);
        let mut panel = panel(&cell, (x, y), Look { steps: true, markers: false });
        panel.title.push_str(&indices(shares));
        panel
    });
    sheet(title, about, panels.collect())
}

/// Jain's indices in words.
fn indices(shares: &[Shares]) -> String {
    let say = |s: &Shares| match s.jain {
        Some(jain) => format!("{} {jain:.3}", reader_name(&s.engine)),
        None => format!("{} –", reader_name(&s.engine)),
    };
    format!("; Jain: {}", shares.iter().map(say).collect::<Vec<String>>().join(", "))
}

/// The distribution of `received` over its mean; empty if nothing was received.
fn distribution(received: &[f64]) -> Vec<(f64, Option<Estimate>)> {
    let mut sorted: Vec<f64> = received.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let mean = sorted.iter().sum::<f64>() / count as f64;
    if count == 0 || mean <= 0.0 {
        return Vec::new();
    }
    let every = count.div_ceil(CDF_POINTS_MAX);
    let kept = (0..count).filter(|index| index % every == 0 || index + 1 == count);
    let rises = kept.map(|index| point(sorted[index] / mean, (index + 1) as f64 / count as f64));
    std::iter::once(point(sorted[0] / mean, 0.0)).chain(rises).collect()
}

/// A run second by second: points are (seconds, messages per second).
pub(crate) fn seconds(title: &str, cells: &[CellCurves], about: &About) -> Sheet {
    let axes = || {
        let x = Axis::new("seconds since the window began", Extent::FromZero, Format::Plain);
        (x, Axis::new("messages per second", Extent::FromZero, Format::Thousands))
    };
    let panels = cells.iter().map(|cell| panel(cell, axes(), Look::default()));
    sheet(title, about, panels.collect())
}

/// Quantities over rising numbers of what `x_label` names, a panel a quantity with an axis of its own.
pub(crate) fn scaling(title: &str, x_label: &str, quantities: &[(Axis, CellCurves)], about: &About) -> Sheet {
    let x = || Axis::new(format!("{x_label} (log)"), Extent::Log, Format::Thousands);
    let look = Look { markers: true, steps: false };
    let panels = quantities.iter().map(|(y, cell)| panel(cell, (x(), y.clone()), look));
    sheet(title, about, panels.collect())
}
