//! Marks that several kinds of chart share: markers, whiskers, gaps.

use std::fmt::Write as _;

use super::estimate::Estimate;
use super::paint::{Paint, Role};
use super::svg::{Svg, Tag, coordinate};

/// A rectangle of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Area {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Where a place between 0 and 1 is from left to right.
    pub(crate) fn across(&self, place: f64) -> f64 {
        self.x + place * self.width
    }

    /// Where a place between 0 and 1 is from the bottom up.
    pub(crate) fn up(&self, place: f64) -> f64 {
        self.bottom() - place * self.height
    }

    /// This area less a margin on each side.
    pub(crate) fn inset(&self, left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self {
            x: self.x + left,
            y: self.y + top,
            width: (self.width - left - right).max(1.0),
            height: (self.height - top - bottom).max(1.0),
        }
    }
}

/// What a marker says beside its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    Full,
    /// One run only, hence no interval; or what was published by others.
    Hollow,
}

impl Filling {
    /// Hollow for a value that stands on a single run.
    pub(crate) fn of(estimate: &Estimate) -> Self {
        if estimate.interval().is_some() { Self::Full } else { Self::Hollow }
    }
}

/// Half the size of a marker.
pub(crate) const MARKER: f64 = 3.6;

/// Draws the marker of `role`; each has a shape of its own.
pub(crate) fn marker(svg: &mut Svg, role: Role, filling: Filling, at: (f64, f64), title: &str) {
    let (x, y) = at;
    let shape = match role {
        Role::Series(0) => Tag::new("circle").numbers(&[("cx", x), ("cy", y), ("r", MARKER)]),
        Role::Series(1) => {
            let side = MARKER * 1.8;
            let place = [("x", x - side / 2.0), ("y", y - side / 2.0), ("width", side), ("height", side)];
            Tag::new("rect").numbers(&place)
        }
        Role::Series(place) => polygon(corners(place), at),
        Role::Neither => polygon(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)], at),
    };
    let paint = Paint::Series(role);
    let inside = if filling == Filling::Full { paint } else { Paint::Paper };
    svg.leaf_saying(&shape.fill(inside).stroke(paint, 1.5), title);
}

/// Corners of the shape of the `place`-th series; the first two are a circle and a square.
fn corners(place: u8) -> &'static [(f64, f64)] {
    match place {
        2 => &[(0.0, -1.25), (1.2, 0.95), (-1.2, 0.95)],
        3 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        4 => &[(0.0, 1.25), (1.2, -0.95), (-1.2, -0.95)],
        _ => &[(-1.3, -0.5), (1.3, -0.5), (1.3, 0.5), (-1.3, 0.5)],
    }
}

fn polygon(corners: &[(f64, f64)], at: (f64, f64)) -> Tag {
    let place = |(x, y): &(f64, f64)| {
        let (x, y) = (at.0 + x * MARKER, at.1 + y * MARKER);
        format!("{},{}", coordinate(x), coordinate(y))
    };
    let points: Vec<String> = corners.iter().map(place).collect();
    // The numbers are checked, the points are text: a corner that is no number must not be drawn either.
    Tag::new("polygon")
        .text("points", &points.join(" "))
        .number("stroke-miterlimit", at.0 * 0.0 + at.1 * 0.0 + 4.0)
}

/// Draws an interval as an upright line with caps.
pub(crate) fn whisker_up(svg: &mut Svg, x: f64, from: f64, to: f64, paint: Paint) {
    svg.stroke((x, from), (x, to), paint, 1.3);
    for end in [from, to] {
        svg.stroke((x - 2.5, end), (x + 2.5, end), paint, 1.3);
    }
}

/// Draws an interval as a level line with caps.
pub(crate) fn whisker_across(svg: &mut Svg, y: f64, from: f64, to: f64, paint: Paint) {
    svg.stroke((from, y), (to, y), paint, 1.5);
    for end in [from, to] {
        svg.stroke((end, y - 2.5), (end, y + 2.5), paint, 1.5);
    }
}

/// Marks a single run over a bar: a small hollow diamond where others have their interval.
pub(crate) fn single_run(svg: &mut Svg, at: (f64, f64)) {
    let diamond = polygon(&[(0.0, -0.7), (0.7, 0.0), (0.0, 0.7), (-0.7, 0.0)], at);
    svg.leaf(&diamond.fill(Paint::Paper).stroke(Paint::Ink, 0.9));
}

/// Hatches `area`, where there is nothing to show.
pub(crate) fn gap(svg: &mut Svg, area: Area, title: &str) {
    let frame = [("x", area.x), ("y", area.y), ("width", area.width), ("height", area.height)];
    svg.leaf_saying(&Tag::new("rect").numbers(&frame).fill(Paint::Paper), title);
    let path = hatching(area);
    svg.leaf(&Tag::new("path").text("d", &path).text("fill", "none").stroke(Paint::Muted, 0.7));
}

/// Slanted lines that fill `area` and do not leave it.
fn hatching(area: Area) -> String {
    const SPACING: f64 = 5.0;
    let mut path = String::new();
    let mut offset = SPACING / 2.0;
    while offset < area.width + area.height {
        // The line x + y = offset, cut off at the edges.
        let (x0, x1) = ((offset - area.height).max(0.0), offset.min(area.width));
        let point = |x: f64| format!("{} {}", coordinate(area.x + x), coordinate(area.y + offset - x));
        let _ = write!(path, "M{}L{}", point(x0), point(x1));
        offset += SPACING;
    }
    path
}
