//! Curves: percentiles, latency over load, distributions, seconds of a run, scaling.

use std::fmt::Write as _;

use serde::Serialize;

use super::axis::Axis;
use super::estimate::Estimate;
use super::hints::Hints;
use super::key::{Key, Swatch};
use super::kind::{Kind, draw_value_axis, plot_area};
use super::mark::{Area, Filling, gap, marker, whisker_up};
use super::paint::{Paint, Role};
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg, Tag, coordinate};
use super::wrap;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Dash {
    Solid,
    /// A dashed line: the same quantity, taken differently.
    Dashed,
}

/// A curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    /// What the key calls it.
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) dash: Dash,
    /// Whether each point has a marker; without one, the points are only where the curve bends.
    pub(crate) markers: bool,
    /// Whether it holds a value until the next point, as a distribution does.
    pub(crate) steps: bool,
    /// Points from left to right; one without a value breaks the curve.
    pub(crate) points: Vec<(f64, Option<Estimate>)>,
}

/// Curves over a numeric axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Lines {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
    /// Values of `x` that carry a line from bottom to top, with what it says.
    pub(crate) verticals: Vec<(f64, String)>,
}

/// Where values are on the page.
struct Place {
    area: Area,
    x: Scale,
    y: Scale,
}

impl Place {
    fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (x, y) = (self.x.place(x)?, self.y.place(y)?);
        Some((self.area.across(x), self.area.up(y)))
    }
}

impl Kind for Lines {
    fn keys(&self) -> Vec<Key> {
        let swatch = |line: &Line| match (line.dash, line.markers) {
            (Dash::Dashed, _) => Swatch::Dashed,
            (Dash::Solid, true) => Swatch::MarkedLine,
            (Dash::Solid, false) => Swatch::Line,
        };
        self.lines.iter().map(|line| Key::new(&line.name, line.role, swatch(line))).collect()
    }

    fn hints(&self) -> Hints {
        let values =
            || self.lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, point.1)));
        Hints {
            hollow: values().any(|(line, value)| {
                line.markers && value.is_some_and(|estimate| estimate.interval().is_none())
            }),
            gap: self.reach().is_empty(),
            broken_line: values().any(|(_, value)| value.is_none()) && !self.reach().is_empty(),
            ..Hints::default()
        }
    }

    fn axis(&self) -> Option<(Axis, Vec<f64>)> {
        Some((self.y.clone(), self.reach()))
    }

    fn draw(&self, svg: &mut Svg, area: Area, scale: Scale) {
        let area = plot_area(area, 18.0);
        draw_value_axis(svg, area, &self.y, scale);
        let place = Place { area, x: self.x_scale(), y: scale };
        self.draw_x_axis(svg, &place);
        self.draw_verticals(svg, &place);
        if self.reach().is_empty() {
            gap(svg, area, "no valid run");
        }
        for line in &self.lines {
            draw_whiskers(svg, &place, line);
            draw_path(svg, &place, line);
        }
        for line in self.lines.iter().filter(|line| line.markers) {
            self.draw_markers(svg, &place, line);
        }
    }
}

impl Lines {
    /// Every number of `y` that has to be visible.
    fn reach(&self) -> Vec<f64> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let estimates = points.filter_map(|(_, value)| *value);
        estimates.flat_map(|estimate| <[f64; 2]>::from(estimate.reach())).collect()
    }

    /// The scale from left to right.
    fn x_scale(&self) -> Scale {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let own = points.map(|(x, _)| *x);
        let marked = self.verticals.iter().map(|(x, _)| *x);
        self.x.scale(&own.chain(marked).collect::<Vec<f64>>())
    }

    fn draw_x_axis(&self, svg: &mut Svg, place: &Place) {
        let area = place.area;
        let mut free_from = f64::NEG_INFINITY;
        for tick in place.x.ticks((area.width / 44.0) as usize) {
            let Some(share) = place.x.place(tick) else { continue };
            let (x, text) = (area.across(share), self.x.format.say(tick));
            svg.stroke((x, area.y), (x, area.bottom()), Paint::Grid, 0.8);
            let half = wrap::width(&text, super::paint::SMALL) / 2.0;
            if x - half > free_from {
                svg.label(Label::new(&text, (x, area.bottom() + 14.0), Anchor::Middle));
                free_from = x + half + 6.0;
            }
        }
        let below = (area.x + area.width / 2.0, area.bottom() + 29.0);
        svg.label(Label { paint: Paint::Muted, ..Label::new(&self.x.label, below, Anchor::Middle) });
        svg.stroke((area.x, area.bottom()), (area.right(), area.bottom()), Paint::Ink, 1.0);
    }

    fn draw_verticals(&self, svg: &mut Svg, place: &Place) {
        for (index, (value, text)) in self.verticals.iter().enumerate() {
            let Some(share) = place.x.place(*value) else { continue };
            let x = place.area.across(share);
            let ends = [("x1", x), ("y1", place.area.y), ("x2", x), ("y2", place.area.bottom())];
            let line = Tag::new("line").numbers(&ends).stroke(Paint::Muted, 1.0);
            svg.leaf(&line.text("stroke-dasharray", "2 3"));
            // Far right it stands above the curves, which rise there; elsewhere the axis's label is above.
            let (at, anchor) = if share > 0.6 {
                ((x, place.area.y - 4.0), Anchor::Middle)
            } else {
                ((x + 4.0, place.area.y + 11.0 + 13.0 * index as f64), Anchor::Start)
            };
            svg.label(Label { paint: Paint::Muted, ..Label::new(text, at, anchor) });
        }
    }

    fn draw_markers(&self, svg: &mut Svg, place: &Place, line: &Line) {
        for (x, value) in &line.points {
            let Some(estimate) = value else { continue };
            let Some(at) = place.at(*x, estimate.value()) else { continue };
            let (x, y) = (self.x.format.say(*x), self.y.format.say(estimate.value()));
            let title = format!("{}, {x}: {y} ({} runs)", line.name, estimate.runs());
            marker(svg, line.role, Filling::of(estimate), at, &title);
        }
    }
}

fn draw_whiskers(svg: &mut Svg, place: &Place, line: &Line) {
    for (x, value) in &line.points {
        let Some((low, high)) = value.and_then(|estimate| estimate.interval()) else { continue };
        let (Some((x, top)), Some(share)) = (place.at(*x, high), place.x.place(*x)) else { continue };
        let low = place.y.place(low).unwrap_or(0.0).max(0.0);
        debug_assert!((place.area.across(share) - x).abs() < 1e-9);
        whisker_up(svg, x, place.area.up(low), top, Paint::Series(line.role));
    }
}

fn draw_path(svg: &mut Svg, place: &Place, line: &Line) {
    let mut path = String::new();
    let mut previous: Option<(f64, f64)> = None;
    for (x, value) in &line.points {
        let at = value.and_then(|estimate| place.at(*x, estimate.value()));
        if let Some((x, y)) = at {
            let point = |x: f64, y: f64| format!("{} {}", coordinate(x), coordinate(y));
            // Writing to a string cannot fail.
            let _ = match previous {
                // A point between two gaps is a line to itself, which its round end makes visible.
                None => write!(path, "M{0}L{0}", point(x, y)),
                Some((_, before)) if line.steps => write!(path, "L{}L{}", point(x, before), point(x, y)),
                Some(_) => write!(path, "L{}", point(x, y)),
            };
        }
        previous = at;
    }
    if path.is_empty() {
        return;
    }
    let tag = Tag::new("path")
        .text("d", &path)
        .text("fill", "none")
        .text("stroke-linejoin", "round")
        .text("stroke-linecap", "round");
    let tag = tag.stroke(Paint::Series(line.role), 1.8);
    let tag = if line.dash == Dash::Dashed { tag.text("stroke-dasharray", "5 3") } else { tag };
    svg.leaf_saying(&tag, &line.name);
}
