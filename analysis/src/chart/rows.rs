//! Estimates one below the other around a reference: pairs of ours and theirs, forest plots.

use serde::Serialize;

use super::axis::{Axis, Extent, FACTOR_MAX};
use super::estimate::Estimate;
use super::hints::Hints;
use super::key::{Key, Swatch};
use super::kind::Kind;
use super::mark::{Area, Filling, gap, marker, whisker_across};
use super::paint::{Paint, Role, SMALL};
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg, Tag};
use super::wrap;

/// An estimate in a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RowMark {
    /// What the key calls it.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Its value; `None` where there is no valid run.
    pub(crate) value: Option<Estimate>,
}

/// Where a row stands among its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) enum Start {
    #[default]
    Within,
    /// It begins a group, set apart from what is above.
    Apart,
    /// It begins a group that has this heading.
    Under(String),
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) start: Start,
    pub(crate) marks: Vec<RowMark>,
    pub(crate) verdict: String,
}

/// The value that means no difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Reference {
    pub(crate) value: f64,
    /// What a value left and right of it means.
    pub(crate) sides: (String, String),
    /// How far around it values are no difference; `None` where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) band: Option<Band>,
}

/// Values so near to the reference that they are no difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Band {
    /// How far they are from it at most, on either side.
    pub(crate) reach: f64,
    /// What the key calls it.
    pub(crate) name: String,
}

impl Reference {
    /// The least and the largest value that has to be visible for its sake.
    fn ends(&self) -> [f64; 2] {
        let reach = self.band.as_ref().map_or(0.0, |band| band.reach);
        [self.value - reach, self.value + reach]
    }
}

/// Estimates one below the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Rows {
    pub(crate) x: Axis,
    /// What the rows are held against; `None` where they are only held against each other.
    pub(crate) reference: Option<Reference>,
    pub(crate) rows: Vec<Row>,
}

/// Height of a row.
const ROW: f64 = 16.0;
/// Room above a group.
const APART: f64 = 7.0;
/// Room above the rows for what the sides mean.
const HEAD: f64 = 18.0;
/// Room below for ticks and the axis's label.
const FOOT: f64 = 36.0;

impl Start {
    /// Room that row `index` has above it.
    fn height(&self, index: usize) -> f64 {
        let apart = if index == 0 { 0.0 } else { APART };
        match self {
            Self::Within => 0.0,
            Self::Apart => apart,
            Self::Under(_) => apart + ROW,
        }
    }
}

impl Kind for Rows {
    fn keys(&self) -> Vec<Key> {
        let marks = self.rows.iter().flat_map(|row| &row.marks);
        let bands = self.reference.iter().filter_map(|reference| reference.band.as_ref());
        let bands = bands.map(|band| Key::new(&band.name, Role::Neither, Swatch::Band));
        marks.map(|mark| Key::new(&mark.name, mark.role, Swatch::Marker)).chain(bands).collect()
    }

    fn hints(&self) -> Hints {
        let values = || self.rows.iter().flat_map(|row| row.marks.iter().map(|mark| mark.value));
        Hints {
            hollow: values().flatten().any(|estimate| estimate.interval().is_none()),
            beyond: values().flatten().any(|estimate| self.is_beyond(estimate.value())),
            gap: self.rows.iter().any(|row| row.marks.iter().all(|mark| mark.value.is_none())),
            ..Hints::default()
        }
    }

    fn height(&self) -> f64 {
        let above: f64 = self.rows.iter().enumerate().map(|(index, row)| row.start.height(index)).sum();
        self.head() + ROW * self.rows.len() as f64 + above + FOOT
    }

    fn axis(&self) -> Option<(Axis, Vec<f64>)> {
        Some((self.x.clone(), self.reach()))
    }

    fn draw(&self, svg: &mut Svg, area: Area, scale: Scale) {
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| wrap::width(text, SMALL)).fold(0.0, f64::max)
        };
        let labels = widest(&mut self.rows.iter().map(|row| &row.label)) + 8.0;
        let verdicts = widest(&mut self.rows.iter().map(|row| &row.verdict)) + 8.0;
        let plot = area.inset(labels, self.head(), verdicts, FOOT);
        self.draw_axis(svg, plot, scale);
        let mut top = plot.y;
        for (index, row) in self.rows.iter().enumerate() {
            top = draw_start(svg, Area { y: top, ..area }, &row.start, index);
            let y = top + ROW / 2.0;
            svg.label(Label::new(&row.label, (plot.x - 8.0, y + 4.0), Anchor::End));
            self.draw_row(svg, Area { y: top, height: ROW, ..plot }, row, scale);
            let verdict = Label::new(&row.verdict, (plot.right() + 8.0, y + 4.0), Anchor::Start);
            svg.label(Label { paint: Paint::Muted, ..verdict });
            top += ROW;
        }
    }
}

impl Rows {
    /// Room above the rows.
    fn head(&self) -> f64 {
        if self.reference.is_some() { HEAD } else { 2.0 }
    }

    /// Every number that has to be visible.
    fn reach(&self) -> Vec<f64> {
        let estimates = self.rows.iter().flat_map(|row| row.marks.iter().filter_map(|mark| mark.value));
        let own = estimates.flat_map(|estimate| <[f64; 2]>::from(estimate.reach()));
        own.chain(self.reference.iter().flat_map(Reference::ends)).collect()
    }

    fn draw_axis(&self, svg: &mut Svg, plot: Area, scale: Scale) {
        if let Some(reference) = &self.reference {
            draw_band(svg, plot, reference, scale);
        }
        for tick in scale.ticks((plot.width / 40.0) as usize) {
            let Some(share) = scale.place(tick) else { continue };
            let x = plot.across(share);
            svg.stroke((x, plot.y), (x, plot.bottom()), Paint::Grid, 0.8);
            svg.label(Label::new(&self.x.format.say(tick), (x, plot.bottom() + 14.0), Anchor::Middle));
        }
        let below = (plot.x + plot.width / 2.0, plot.bottom() + 29.0);
        svg.label(Label { paint: Paint::Muted, ..Label::new(&self.x.label, below, Anchor::Middle) });
        if let Some(reference) = &self.reference {
            draw_reference(svg, plot, reference, scale);
        }
    }
    fn draw_row(&self, svg: &mut Svg, own: Area, row: &Row, scale: Scale) {
        let shown: Vec<f64> =
            row.marks.iter().filter_map(|mark| mark.value.and_then(|v| place(scale, v.value()))).collect();
        if let [first, .., last] = shown[..] {
            let y = own.y + own.height / 2.0;
            let ends = [("x1", own.across(first)), ("x2", own.across(last)), ("y1", y), ("y2", y)];
            let joint = Tag::new("line").numbers(&ends).stroke(Paint::Muted, 1.0);
            svg.leaf(&joint.text("stroke-dasharray", "1.5 2"));
        }
        if shown.is_empty() {
            gap(svg, own.inset(0.0, 4.0, 0.0, 4.0), &format!("{}: no valid run", row.label));
        }
        for mark in &row.marks {
            self.draw_mark(svg, own, (&row.label, mark), scale);
        }
    }

    fn draw_mark(&self, svg: &mut Svg, own: Area, (label, mark): (&str, &RowMark), scale: Scale) {
        let Some(estimate) = mark.value else { return };
        let Some(share) = place(scale, estimate.value()) else { return };
        let y = own.y + own.height / 2.0;
        if let Some((low, high)) = estimate.interval() {
            let end = |value| own.across(place(scale, value).unwrap_or(0.0));
            whisker_across(svg, y, end(low), end(high), Paint::Series(mark.role));
        }
        let runs = estimate.runs();
        let title = format!("{label}, {}: {} ({runs} runs)", mark.name, self.x.format.say(estimate.value()));
        marker(svg, mark.role, Filling::of(&estimate), (own.across(share), y), &title);
        if self.is_beyond(estimate.value()) {
            let (arrow, x, anchor) = match estimate.value() > 1.0 {
                true => ("→", own.across(share) - 7.0, Anchor::End),
                false => ("←", own.across(share) + 7.0, Anchor::Start),
            };
            svg.label(Label::new(arrow, (x, y + 4.0), anchor));
        }
    }

    /// Whether the axis ends before `value`.
    fn is_beyond(&self, value: f64) -> bool {
        self.x.extent == Extent::Ratio && value.max(1.0 / value) > FACTOR_MAX * 1.05
    }
}

/// Place of `value`, at an end of the axis where it lies beyond.
fn place(scale: Scale, value: f64) -> Option<f64> {
    scale.place(value).map(|share| share.clamp(0.0, 1.0))
}

/// Draws what is above row `index`, from the top of `area` down, and returns where the row begins.
fn draw_start(svg: &mut Svg, area: Area, start: &Start, index: usize) -> f64 {
    if index > 0 && *start != Start::Within {
        let y = area.y + APART / 2.0;
        svg.stroke((area.x, y), (area.right(), y), Paint::Grid, 0.8);
    }
    let top = area.y + start.height(index);
    if let Start::Under(heading) = start {
        let label = Label::new(heading, (area.x, top - 4.0), Anchor::Start);
        svg.label(Label { bold: true, ..label });
    }
    top
}

fn draw_band(svg: &mut Svg, plot: Area, reference: &Reference, scale: Scale) {
    let Some(band) = &reference.band else { return };
    let [low, high] = reference.ends().map(|end| scale.place(end));
    let (Some(low), Some(high)) = (low, high) else { return };
    let (x, width) = (plot.across(low), plot.across(high) - plot.across(low));
    let frame = [("x", x), ("y", plot.y), ("width", width), ("height", plot.height)];
    let rect = Tag::new("rect").numbers(&frame).fill(Paint::Band).stroke(Paint::Muted, 0.7);
    svg.leaf_saying(&rect.text("stroke-dasharray", "2 2"), &band.name);
}

fn draw_reference(svg: &mut Svg, plot: Area, reference: &Reference, scale: Scale) {
    let Some(share) = scale.place(reference.value) else { return };
    let x = plot.across(share);
    svg.stroke((x, plot.y - 3.0), (x, plot.bottom()), Paint::Ink, 1.1);
    let head = plot.y - 7.0;
    let left = Label::new(&reference.sides.0, (x - 6.0, head), Anchor::End);
    let right = Label::new(&reference.sides.1, (x + 6.0, head), Anchor::Start);
    for label in [left, right] {
        svg.label(Label { paint: Paint::Muted, ..label });
    }
}
