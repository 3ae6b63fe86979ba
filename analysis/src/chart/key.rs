//! The key: which colour, marker or line is which series.

use super::mark::{Filling, marker};
use super::paint::{Paint, Role, SMALL};
use super::svg::{Anchor, Label, Svg, Tag};
use super::wrap;

/// Room for the swatch, left of the name.
const SWATCH: f64 = 24.0;

/// How a key shows its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swatch {
    Box,
    Marker,
    Line,
    MarkedLine,
    Dashed,
    /// A piece of the band behind the marks, in no colour of a series.
    Band,
}

/// An entry of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    name: String,
    role: Role,
    swatch: Swatch,
}

impl Key {
    pub(crate) fn new(name: &str, role: Role, swatch: Swatch) -> Self {
        Self { name: name.to_owned(), role, swatch }
    }

    /// Room that it takes, up to the next entry.
    pub(crate) fn width(&self) -> f64 {
        SWATCH + wrap::width(&self.name, SMALL) + 16.0
    }

    /// Draws it with the baseline of its name at `y`.
    pub(crate) fn draw(&self, svg: &mut Svg, (x, y): (f64, f64)) {
        let middle = y - 4.0;
        let paint = Paint::Series(self.role);
        let line = |dash: &str| {
            let ends = [("x1", x), ("x2", x + 20.0), ("y1", middle), ("y2", middle)];
            Tag::new("line").numbers(&ends).stroke(paint, 1.8).text("stroke-dasharray", dash)
        };
        let frame = [("x", x + 4.0), ("y", y - 9.5), ("width", 14.0), ("height", 11.0)];
        match self.swatch {
            Swatch::Box => svg.leaf(&Tag::new("rect").numbers(&frame).fill(paint)),
            Swatch::Line | Swatch::MarkedLine => svg.leaf(&line("none")),
            Swatch::Dashed => svg.leaf(&line("5 3")),
            Swatch::Band => {
                svg.leaf(&Tag::new("rect").numbers(&frame).fill(Paint::Band).stroke(Paint::Muted, 0.7));
            }
            Swatch::Marker => {}
        }
        if matches!(self.swatch, Swatch::Marker | Swatch::MarkedLine) {
            marker(svg, self.role, Filling::Full, (x + 10.0, middle), &self.name);
        }
        svg.label(Label::new(&self.name, (x + SWATCH, y), Anchor::Start));
    }
}
