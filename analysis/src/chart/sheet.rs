//! The figure around its panels: title, key, caption, and the room each of them takes.

use serde::Serialize;

use super::axis::Axis;
use super::groups::Groups;
use super::heat::Heat;
use super::lines::Lines;
use super::mark::{Area, Filling, marker};
use super::paint::{FONTS, LARGE, MEDIUM, Paint, Role, SMALL};
use super::rows::Rows;
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg, Tag};
use super::wrap;

/// What a panel shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Body {
    /// Bars or dots over categories.
    Groups(Groups),
    /// Ratios over a grid.
    Heat(Heat),
    /// Curves.
    Lines(Lines),
    /// Estimates one below the other.
    Rows(Rows),
}

/// A part of a figure with axes of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Panel {
    /// What sets it apart from the other panels; may be empty.
    pub title: String,
    /// What it shows.
    pub body: Body,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sheet {
    /// What it shows, in a line.
    pub title: String,
    /// Under what conditions: workload, metric, what an interval is, how many runs.
    pub subtitle: String,
    /// Whether it stands on a recording of the size `quick`, which it then says.
    pub quick: bool,
    /// What a reader who sees no picture should be told.
    pub description: String,
    /// Remarks of the figure, before those that follow from the marks in it.
    pub notes: Vec<String>,
    /// Most panels side by side.
    pub columns: usize,
    /// Whether all panels have the same axis, so that they compare at a glance.
    pub one_scale: bool,
    /// The panels.
    pub panels: Vec<Panel>,
}

/// Which marks occur in a figure and want an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// A diamond instead of an interval.
    pub single_run: bool,
    /// A hollow marker or a ratio without an interval.
    pub no_interval: bool,
    /// A hatched place.
    pub gap: bool,
    /// A bold ratio.
    pub clear: bool,
    /// A ratio with ≈.
    pub within_noise: bool,
    /// A ratio with an interval that claims nothing.
    pub no_claim: bool,
    /// A curve that breaks off.
    pub broken_line: bool,
}

impl Hints {
    fn or(self, other: Self) -> Self {
        Self {
            single_run: self.single_run | other.single_run,
            no_interval: self.no_interval | other.no_interval,
            gap: self.gap | other.gap,
            clear: self.clear | other.clear,
            within_noise: self.within_noise | other.within_noise,
            no_claim: self.no_claim | other.no_claim,
            broken_line: self.broken_line | other.broken_line,
        }
    }

    fn sentences(self, hollow: bool) -> Vec<&'static str> {
        let without = if hollow { "Hollow marker: no interval." } else { "Plain: no interval." };
        let all = [
            (self.clear, "Bold: less or more, by the interval and by the A/A control."),
            (self.within_noise, "≈: no difference."),
            (self.no_claim, "Neither bold nor ≈: nothing is claimed."),
            (self.single_run, "◇: one run, no interval."),
            (self.no_interval, without),
            (self.gap, "Hatched: no valid run."),
            (self.broken_line, "A curve breaks off where there is no valid run."),
        ];
        all.into_iter().filter(|(occurs, _)| *occurs).map(|(_, sentence)| sentence).collect()
    }
}

/// How a key shows its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swatch {
    /// A filled box.
    Box,
    /// A marker.
    Marker,
    /// A line.
    Line,
    /// A line with a marker.
    MarkedLine,
    /// A dashed line.
    Dashed,
}

/// An entry of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    name: String,
    role: Role,
    swatch: Swatch,
}

impl Key {
    /// The entry of the series called `name`.
    #[must_use]
    pub fn new(name: &str, role: Role, swatch: Swatch) -> Self {
        Self { name: name.to_owned(), role, swatch }
    }

    fn width(&self) -> f64 {
        SWATCH + wrap::width(&self.name, SMALL) + 16.0
    }
}

/// Width for a column of text.
pub const WIDE: f64 = 640.0;
/// Width for a phone.
pub const NARROW: f64 = 360.0;

const MARGIN: f64 = 12.0;
const SWATCH: f64 = 24.0;
/// Height of the drawing area of bars, dots and curves.
const PLOT: f64 = 168.0;
/// Room left of a drawing area for the values' names.
const LEFT: f64 = 46.0;
/// Room above a drawing area for the axis's label.
const ABOVE: f64 = 26.0;
/// Room below a drawing area for ticks and the axis's label.
const BELOW: f64 = 36.0;
/// How much wider a bold text is.
const BOLD: f64 = 1.12;
/// Height of a line of a panel's title.
const TITLE_LINE: f64 = 14.0;
/// Room between panels.
const BETWEEN: f64 = 18.0;

impl Body {
    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Groups(groups) => groups.keys(),
            Self::Heat(_) => Vec::new(),
            Self::Lines(lines) => lines.keys(),
            Self::Rows(rows) => rows.keys(),
        }
    }

    fn hints(&self) -> Hints {
        match self {
            Self::Groups(groups) => groups.hints(),
            Self::Heat(heat) => heat.hints(),
            Self::Lines(lines) => lines.hints(),
            Self::Rows(rows) => rows.hints(),
        }
    }

    fn height(&self) -> f64 {
        match self {
            Self::Groups(_) | Self::Lines(_) => ABOVE + PLOT + BELOW,
            Self::Heat(heat) => heat.height(),
            Self::Rows(rows) => rows.height(),
        }
    }

    /// The axis whose scale panels may share, and what it has to show.
    fn axis(&self) -> Option<(Axis, Vec<f64>)> {
        match self {
            Self::Groups(groups) => Some((groups.value_axis(), groups.reach())),
            Self::Heat(_) => None,
            Self::Lines(lines) => Some((lines.y.clone(), lines.reach())),
            Self::Rows(rows) => Some((rows.x.clone(), rows.reach())),
        }
    }

    fn draw(&self, svg: &mut Svg, area: Area, scale: Scale) {
        match self {
            Self::Groups(groups) => groups.draw(svg, area.inset(LEFT, ABOVE, 4.0, BELOW), scale),
            Self::Heat(heat) => heat.draw(svg, area),
            Self::Lines(lines) => lines.draw(svg, area.inset(LEFT, ABOVE, 18.0, BELOW), scale),
            Self::Rows(rows) => rows.draw(svg, area, scale),
        }
    }
}

impl Sheet {
    /// The figure as an SVG document, `width` wide.
    #[must_use]
    pub fn svg(&self, width: f64) -> String {
        let mut body = Svg::default();
        let area = Area { x: MARGIN, y: 0.0, width: width - 2.0 * MARGIN, height: 0.0 };
        let mut y = self.draw_head(&mut body, area);
        y = self.draw_keys(&mut body, area, y);
        y = self.draw_panels(&mut body, Area { y, ..area });
        let height = self.draw_caption(&mut body, area, y) + MARGIN;
        let mut svg = Svg::default();
        svg.open(&self.root(width, height));
        svg.holding(&Tag::new("title"), &self.title);
        svg.holding(&Tag::new("desc"), &self.description);
        let paper = Tag::new("rect").numbers(&[("width", width), ("height", height), ("rx", 4.0)]);
        svg.leaf(&paper.fill(Paint::Paper));
        format!("{}{}</svg>\n", svg.into_text(), body.into_text())
    }

    fn root(&self, width: f64, height: f64) -> Tag {
        let view = format!("0 0 {width:.0} {height:.0}");
        Tag::new("svg")
            .text("xmlns", "http://www.w3.org/2000/svg")
            .text("viewBox", &view)
            .numbers(&[("width", width), ("height", height.round())])
            .text("role", "img")
            .text("aria-label", &self.title)
            .text("font-family", FONTS)
    }

    fn draw_head(&self, svg: &mut Svg, area: Area) -> f64 {
        let mut y = MARGIN;
        for line in wrap::lines(&self.title, LARGE * BOLD, area.width) {
            y += LARGE + 3.0;
            let label = Label::new(&line, (area.x, y - 3.0), Anchor::Start);
            svg.label(Label { size: LARGE, bold: true, ..label });
        }
        let quick = if self.quick { "Quick recording, not for claims. " } else { "" };
        draw_text(svg, area, y + 2.0, &format!("{quick}{}", self.subtitle))
    }

    fn draw_keys(&self, svg: &mut Svg, area: Area, top: f64) -> f64 {
        let mut keys: Vec<Key> = Vec::new();
        for key in self.panels.iter().flat_map(|panel| panel.body.keys()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let (mut x, mut y) = (area.x, top + 18.0);
        for key in &keys {
            if x > area.x && x + key.width() > area.right() {
                (x, y) = (area.x, y + 17.0);
            }
            draw_key(svg, key, (x, y));
            x += key.width();
        }
        if keys.is_empty() { top + 8.0 } else { y + 10.0 }
    }

    fn draw_panels(&self, svg: &mut Svg, area: Area) -> f64 {
        // Below this width a panel cannot be read any more.
        let fit = (area.width / 270.0).floor().max(1.0) as usize;
        let columns = self.columns.min(self.panels.len()).clamp(1, fit);
        let width = (area.width - BETWEEN * (columns - 1) as f64) / columns as f64;
        let mut y = area.y;
        for row in self.panels.chunks(columns) {
            let titles: Vec<Vec<String>> =
                row.iter().map(|panel| wrap::lines(&panel.title, MEDIUM * BOLD, width)).collect();
            let head = match titles.iter().map(Vec::len).max().unwrap_or(0) {
                0 => 0.0,
                lines => 4.0 + TITLE_LINE * lines as f64,
            };
            let tallest = row.iter().map(|panel| panel.body.height()).fold(0.0, f64::max);
            for (column, panel) in row.iter().enumerate() {
                let x = area.x + column as f64 * (width + BETWEEN);
                for (line, text) in titles[column].iter().enumerate() {
                    let title = Label::new(text, (x, y + 13.0 + TITLE_LINE * line as f64), Anchor::Start);
                    svg.label(Label { size: MEDIUM, bold: true, ..title });
                }
                let own = Area { x, y: y + head, width, height: panel.body.height() };
                panel.body.draw(svg, own, self.scale_of(panel));
            }
            y += head + tallest + 10.0;
        }
        y
    }

    /// The scale of a panel: its own, or the one that suits all of them.
    fn scale_of(&self, panel: &Panel) -> Scale {
        let Some((axis, own)) = panel.body.axis() else { return Scale::Linear(0.0, 1.0) };
        if !self.one_scale {
            return axis.scale(&own);
        }
        let all = self.panels.iter().filter_map(|panel| panel.body.axis());
        axis.scale(&all.flat_map(|(_, values)| values).collect::<Vec<f64>>())
    }

    /// What the marks of the figure mean, and its own remarks.
    #[must_use]
    pub fn caption(&self) -> String {
        let hints = self.panels.iter().fold(Hints::default(), |all, panel| all.or(panel.body.hints()));
        let hollow = !self.panels.iter().any(|panel| matches!(panel.body, Body::Heat(_)));
        let own = self.notes.iter().map(String::as_str);
        let scales = self.may_be_misread().then_some("Each panel has its own scale.");
        own.chain(scales).chain(hints.sentences(hollow)).collect::<Vec<&str>>().join(" ")
    }

    /// Whether panels show the same quantity on different scales.
    fn may_be_misread(&self) -> bool {
        let mut labels = self.panels.iter().filter_map(|panel| panel.body.axis()).map(|(axis, _)| axis.label);
        let first = labels.next();
        !self.one_scale
            && self.panels.len() > 1
            && first.is_some()
            && labels.all(|label| Some(&label) == first.as_ref())
    }

    fn draw_caption(&self, svg: &mut Svg, area: Area, top: f64) -> f64 {
        draw_text(svg, area, top, &self.caption())
    }
}

/// Draws muted lines of text from `top` down, and returns where they end.
fn draw_text(svg: &mut Svg, area: Area, top: f64, text: &str) -> f64 {
    let mut y = top;
    for line in wrap::lines(text, SMALL, area.width) {
        y += SMALL + 3.5;
        svg.label(Label { paint: Paint::Muted, ..Label::new(&line, (area.x, y - 2.0), Anchor::Start) });
    }
    y
}

fn draw_key(svg: &mut Svg, key: &Key, (x, y): (f64, f64)) {
    let middle = y - 4.0;
    let paint = Paint::Series(key.role);
    let line = |dash: &str| {
        let ends = [("x1", x), ("x2", x + 20.0), ("y1", middle), ("y2", middle)];
        Tag::new("line").numbers(&ends).stroke(paint, 1.8).text("stroke-dasharray", dash)
    };
    match key.swatch {
        Swatch::Box => {
            let frame = [("x", x + 4.0), ("y", y - 9.5), ("width", 14.0), ("height", 11.0)];
            svg.leaf(&Tag::new("rect").numbers(&frame).fill(paint));
        }
        Swatch::Line | Swatch::MarkedLine => svg.leaf(&line("none")),
        Swatch::Dashed => svg.leaf(&line("5 3")),
        Swatch::Marker => {}
    }
    if matches!(key.swatch, Swatch::Marker | Swatch::MarkedLine) {
        marker(svg, key.role, Filling::Full, (x + 10.0, middle), &key.name);
    }
    svg.label(Label::new(&key.name, (x + SWATCH, y), Anchor::Start));
}

/// Draws the grid, the values' names and the label of an upright axis.
pub(super) fn draw_value_axis(svg: &mut Svg, area: Area, axis: &Axis, scale: Scale) {
    for tick in scale.ticks(5) {
        let Some(share) = scale.place(tick) else { continue };
        let y = area.up(share);
        svg.stroke((area.x, y), (area.right(), y), Paint::Grid, 0.8);
        svg.label(Label::new(&axis.format.say(tick), (area.x - 5.0, y + 4.0), Anchor::End));
    }
    let above = (area.x - LEFT, area.y - 12.0);
    svg.label(Label { paint: Paint::Muted, ..Label::new(&axis.label, above, Anchor::Start) });
}
