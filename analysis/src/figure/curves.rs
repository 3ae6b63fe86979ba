//! Percentiles, latency over load, distributions over connections, seconds of a run, scaling.

use crate::chart::{Axis, Body, Dash, Estimate, Extent, Format, Line, Lines, Panel, Role, Sheet};

use super::input::{About, names, reader_name};
use crate::servers::Servers;

/// A curve that belongs to a server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    pub(crate) engine: String,
    /// Since when latency is counted, where both ways are shown.
    pub(crate) since: Option<Since>,
    /// Points from left to right; `None` without a valid run.
    pub(crate) points: Vec<(f64, Option<Estimate>)>,
}

/// From when on an open loop times a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// From when it should have been sent.
    IntendedStart,
    ActualSend,
}

impl Curve {
    /// The curve of `engine` through `points`.
    pub(crate) fn new(engine: &str, points: Vec<(f64, Option<Estimate>)>) -> Self {
        Self { engine: engine.to_owned(), since: None, points }
    }

    fn line(&self, role: Role, look: Look) -> Line {
        let name = reader_name(&self.engine);
        let (name, dash) = match self.since {
            None => (name, Dash::Solid),
            Some(Since::IntendedStart) => (format!("{name}, from intended start"), Dash::Solid),
            Some(Since::ActualSend) => (format!("{name}, from actual send"), Dash::Dashed),
        };
        let markers = look.markers && dash == Dash::Solid;
        Line { name, role, dash, markers, steps: look.steps, points: self.points.clone() }
    }

    /// Whether its server has nothing to show.
    fn is_missing(&self) -> bool {
        self.since != Some(Since::ActualSend) && self.points.iter().all(|(_, value)| value.is_none())
    }
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

fn panel(cell: &CellCurves, (x, y): (Axis, Axis), look: Look, servers: &Servers) -> Panel {
    let engines = names(&cell.curves, |curve| &curve.engine);
    let roles = engines.iter().zip(servers.roles(&engines));
    let lines = roles.flat_map(|(engine, role)| {
        let own = cell.curves.iter().filter(move |curve| curve.engine == *engine);
        own.map(move |curve| curve.line(role, look))
    });
    let body = Lines { x, y, lines: lines.collect(), verticals: Vec::new() };
    let missing = cell.curves.iter().filter(|curve| curve.is_missing()).map(|curve| &curve.engine);
    Panel { title: with_missing(&cell.title, missing), body: Body::Lines(body) }
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
    let panels = cells.iter().map(|cell| panel(cell, percentile_axes(), Look::default(), &about.servers));
    sheet(title, about, panels.collect())
}

fn percentile_axes() -> (Axis, Axis) {
    let x = Axis::new("percentile", Extent::Tail, Format::Percentile);
    (x, Axis::new("latency (log)", Extent::Log, Format::Nanoseconds))
}

/// Latency over offered load, a panel a percentile, whose title names it. `capacity_per_s` is what the slower engine can
/// do in a closed loop, if it is known.
pub(crate) fn latency_load(
    title: &str,
    percentiles: &[CellCurves],
    capacity_per_s: Option<f64>,
    about: &About,
) -> Sheet {
    let panels = percentiles.iter().map(|of| {
        let x = Axis::new("offered load, messages per second", Extent::FromZero, Format::Thousands);
        let y = Axis::new(format!("{} latency (log)", of.title), Extent::Log, Format::Nanoseconds);
        let mut panel = panel(of, (x, y), Look { markers: true, steps: false }, &about.servers);
        if let Body::Lines(lines) = &mut panel.body {
            lines.verticals = capacity_per_s.map(|rate| (rate, "capacity".to_owned())).into_iter().collect();
        }
        panel
    });
    let note = capacity_per_s.map(|_| "Capacity: what the slower engine did in a closed loop.".to_owned());
    Sheet { notes: note.into_iter().collect(), ..sheet(title, about, panels.collect()) }
}

/// Latency by percentile at a few offered loads, a panel a load.
pub(crate) fn tails(title: &str, loads: &[CellCurves], about: &About) -> Sheet {
    Sheet { one_scale: true, ..percentiles(title, loads, about) }
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
        let curves = shares.iter().map(|s| Curve::new(&s.engine, distribution(&s.received)));
        let cell = CellCurves { title: name.clone(), curves: curves.collect() };
        let x = Axis::new("received ÷ fair share", Extent::Around, Format::Fine);
        let y = Axis::new("connections that got at most this", Extent::Fixed(0.0, 1.0), Format::Percent);
        let mut panel = panel(&cell, (x, y), Look { steps: true, markers: false }, &about.servers);
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
    let panels = cells.iter().map(|cell| panel(cell, axes(), Look::default(), &about.servers));
    sheet(title, about, panels.collect())
}

/// Counts by release of the kernel, a panel a cell; points are (releases since 6.0, count as a share of `to`).
pub(crate) fn releases(title: &str, to: &str, cells: &[CellCurves], about: &About) -> Sheet {
    let axes = || {
        let x = Axis::new("Linux", Extent::Around, Format::Release);
        (x, Axis::new(format!("÷ {to}"), Extent::Around, Format::Ratio))
    };
    let panels = cells.iter().map(|cell| panel(cell, axes(), Look::default(), &about.servers));
    Sheet { one_scale: true, ..sheet(title, about, panels.collect()) }
}

/// Quantities over rising numbers of what `x_label` names, a panel a quantity with an axis of its own.
pub(crate) fn scaling(title: &str, x_label: &str, quantities: &[(Axis, CellCurves)], about: &About) -> Sheet {
    let x = || Axis::new(format!("{x_label} (log)"), Extent::Log, Format::Thousands);
    let look = Look { markers: true, steps: false };
    let panels = quantities.iter().map(|(y, cell)| panel(cell, (x(), y.clone()), look, &about.servers));
    sheet(title, about, panels.collect())
}
