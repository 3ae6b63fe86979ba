//! The figure around its panels: title, key, caption, and the room each of them takes.

use serde::Serialize;

use super::hints::Hints;
use super::key::Key;
use super::mark::Area;
use super::paint::{FONTS, LARGE, MEDIUM, Paint, SMALL};
use super::panel::Panel;
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg, Tag};
use super::wrap;

/// A figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    /// Under what conditions: workload, metric, what an interval is, how many runs.
    pub(crate) subtitle: String,
    /// Whether it stands on a recording of the size `quick`, which it then says.
    pub(crate) quick: bool,
    /// What is stamped on it, where its numbers must not be taken for more than they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stamp: Option<String>,
    /// What a reader who sees no picture should be told.
    pub(crate) description: String,
    /// Remarks of the figure, before those that follow from the marks in it.
    pub(crate) notes: Vec<String>,
    pub(crate) columns: usize,
    /// Whether all panels have the same axis, so that they compare at a glance.
    pub(crate) one_scale: bool,
    pub(crate) panels: Vec<Panel>,
}

/// Width for a column of text.
pub(crate) const WIDE: f64 = 640.0;
/// Width for a phone.
pub(crate) const NARROW: f64 = 360.0;

const MARGIN: f64 = 12.0;
/// How much wider a bold text is.
const BOLD: f64 = 1.12;
/// Height of a line of a panel's title.
const TITLE_LINE: f64 = 14.0;
/// Room between panels.
const BETWEEN: f64 = 18.0;

impl Sheet {
    /// The figure as an SVG document, `width` wide.
    pub(crate) fn svg(&self, width: f64) -> String {
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
        if let Some(stamp) = &self.stamp {
            y = draw_stamp(svg, (area.x, y + 6.0), stamp);
        }
        let quick = if self.quick && self.stamp.is_none() { "Quick recording, not for claims. " } else { "" };
        draw_text(svg, area, y + 2.0, &format!("{quick}{}", self.subtitle))
    }

    fn draw_keys(&self, svg: &mut Svg, area: Area, top: f64) -> f64 {
        let mut keys: Vec<Key> = Vec::new();
        for key in self.panels.iter().flat_map(|panel| panel.body.chart().keys()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let (mut x, mut y) = (area.x, top + 18.0);
        for key in &keys {
            if x > area.x && x + key.width() > area.right() {
                (x, y) = (area.x, y + 17.0);
            }
            key.draw(svg, (x, y));
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
            let tallest = row.iter().map(|panel| panel.body.chart().height()).fold(0.0, f64::max);
            for (column, panel) in row.iter().enumerate() {
                let x = area.x + column as f64 * (width + BETWEEN);
                for (line, text) in titles[column].iter().enumerate() {
                    let title = Label::new(text, (x, y + 13.0 + TITLE_LINE * line as f64), Anchor::Start);
                    svg.label(Label { size: MEDIUM, bold: true, ..title });
                }
                let own = Area { x, y: y + head, width, height: panel.body.chart().height() };
                panel.body.chart().draw(svg, own, self.scale_of(panel));
            }
            y += head + tallest + 10.0;
        }
        y
    }

    /// The scale of a panel: its own, or the one that suits all of them.
    fn scale_of(&self, panel: &Panel) -> Scale {
        let Some((axis, own)) = panel.body.chart().axis() else { return Scale::Linear(0.0, 1.0) };
        if !self.one_scale {
            return axis.scale(&own);
        }
        let all = self.panels.iter().filter_map(|panel| panel.body.chart().axis());
        axis.scale(&all.flat_map(|(_, values)| values).collect::<Vec<f64>>())
    }

    /// What the marks of the figure mean, and its own remarks.
    pub(crate) fn caption(&self) -> String {
        let hints =
            self.panels.iter().fold(Hints::default(), |all, panel| all.or(panel.body.chart().hints()));
        let own = self.notes.iter().map(String::as_str);
        let scales = self.may_be_misread().then_some("Each panel has its own scale.");
        own.chain(scales).chain(hints.sentences()).collect::<Vec<&str>>().join(" ")
    }

    /// Whether panels show the same quantity on different scales.
    fn may_be_misread(&self) -> bool {
        let mut labels =
            self.panels.iter().filter_map(|panel| panel.body.chart().axis()).map(|(axis, _)| axis.label);
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

/// Draws `text` in a frame whose upper left corner is `at`, and returns where it ends.
fn draw_stamp(svg: &mut Svg, (x, y): (f64, f64), text: &str) -> f64 {
    const HEIGHT: f64 = 20.0;
    let width = wrap::width(text, MEDIUM * BOLD) + 14.0;
    let frame = [("x", x), ("y", y), ("width", width), ("height", HEIGHT), ("rx", 3.0)];
    svg.leaf(&Tag::new("rect").numbers(&frame).fill(Paint::Ink));
    let label = Label::new(text, (x + width / 2.0, y + 14.0), Anchor::Middle);
    svg.label(Label { size: MEDIUM, bold: true, paint: Paint::Paper, ..label });
    y + HEIGHT
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
