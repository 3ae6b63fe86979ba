//! Bars or dots over categories, one for each series, with intervals.

use serde::Serialize;

use super::axis::{Axis, Extent};
use super::estimate::Estimate;
use super::hints::Hints;
use super::key::{Key, Swatch};
use super::kind::{Kind, draw_value_axis, plot_area};
use super::mark::{Area, Filling, gap, marker, single_run, whisker_up};
use super::paint::{Paint, Role};
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg, Tag};

/// How a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum MarkKind {
    Bar,
    Dot,
}

/// The values of one series, one for each category.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct GroupSeries {
    /// What the key calls it.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Its values in the order of the categories; `None` where there is no valid run.
    pub(crate) values: Vec<Option<Estimate>>,
}

/// Bars or dots over categories.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Groups {
    pub(crate) x_label: String,
    pub(crate) categories: Vec<String>,
    pub(crate) y: Axis,
    pub(crate) mark: MarkKind,
    pub(crate) series: Vec<GroupSeries>,
}

impl Kind for Groups {
    fn keys(&self) -> Vec<Key> {
        let swatch = match self.mark {
            MarkKind::Bar => Swatch::Box,
            MarkKind::Dot => Swatch::Marker,
        };
        self.series.iter().map(|series| Key::new(&series.name, series.role, swatch)).collect()
    }

    fn hints(&self) -> Hints {
        let all = || self.series.iter().flat_map(|series| series.values.iter());
        let single = all().flatten().any(|estimate| estimate.interval().is_none());
        Hints {
            single_run: single && self.mark == MarkKind::Bar,
            hollow: single && self.mark == MarkKind::Dot,
            gap: all().any(Option::is_none),
            ..Hints::default()
        }
    }

    fn axis(&self) -> Option<(Axis, Vec<f64>)> {
        Some((self.value_axis(), self.reach()))
    }

    fn draw(&self, svg: &mut Svg, area: Area, scale: Scale) {
        let area = plot_area(area, 4.0);
        draw_value_axis(svg, area, &self.y, scale);
        let slot = area.width / self.categories.len().max(1) as f64;
        for (index, category) in self.categories.iter().enumerate() {
            let left = area.x + index as f64 * slot;
            let middle = (left + slot / 2.0, area.bottom() + 14.0);
            svg.label(Label::new(category, middle, Anchor::Middle));
            let inside = Area { x: left, width: slot, ..area };
            self.draw_category(svg, inside, index, scale);
        }
        let below = (area.x + area.width / 2.0, area.bottom() + 29.0);
        svg.label(Label { paint: Paint::Muted, ..Label::new(&self.x_label, below, Anchor::Middle) });
        svg.stroke((area.x, area.bottom()), (area.right(), area.bottom()), Paint::Ink, 1.0);
    }
}

impl Groups {
    /// The axis of the values: bars begin at zero, whatever was asked for, or their lengths would lie.
    fn value_axis(&self) -> Axis {
        match self.mark {
            MarkKind::Bar => Axis { extent: Extent::FromZero, ..self.y.clone() },
            MarkKind::Dot => self.y.clone(),
        }
    }

    /// Every number that has to be visible.
    fn reach(&self) -> Vec<f64> {
        let estimates = self.series.iter().flat_map(|series| series.values.iter().flatten());
        estimates.flat_map(|estimate| <[f64; 2]>::from(estimate.reach())).collect()
    }

    fn draw_category(&self, svg: &mut Svg, slot: Area, index: usize, scale: Scale) {
        let inner = slot.inset(slot.width * 0.12, 0.0, slot.width * 0.12, 0.0);
        let each = (inner.width / self.series.len().max(1) as f64).min(34.0);
        let start = inner.x + (inner.width - each * self.series.len() as f64) / 2.0;
        for (place, series) in self.series.iter().enumerate() {
            let own = Area { x: start + place as f64 * each, width: each, ..slot };
            let name = format!("{}, {}", series.name, self.categories[index]);
            match series.values.get(index).copied().flatten() {
                Some(estimate) => self.draw_mark(svg, own, series.role, &estimate, (&name, scale)),
                None => gap(svg, own.inset(1.0, 0.0, 1.0, 0.0), &format!("{name}: no valid run")),
            }
        }
    }

    fn draw_mark(
        &self,
        svg: &mut Svg,
        own: Area,
        role: Role,
        estimate: &Estimate,
        (name, scale): (&str, Scale),
    ) {
        let title = format!("{name}: {}", self.say(estimate));
        let Some(place) = scale.place(estimate.value()) else {
            gap(svg, own.inset(1.0, 0.0, 1.0, 0.0), &format!("{title}: not on this axis"));
            return;
        };
        let (x, y) = (own.x + own.width / 2.0, own.up(place));
        if self.mark == MarkKind::Bar {
            let zero = own.up(scale.place(0.0).unwrap_or(0.0));
            let bar = [("x", own.x + 0.75), ("width", own.width - 1.5), ("y", y), ("height", zero - y)];
            svg.leaf_saying(&Tag::new("rect").numbers(&bar).fill(Paint::Series(role)), &title);
        }
        let ends = estimate.interval().map(|(low, high)| (scale.place(low), scale.place(high)));
        if let Some((low, high)) = ends {
            // An interval that reaches below a logarithmic axis goes down to its edge.
            let (low, high) = (low.unwrap_or(0.0).clamp(0.0, 1.0), high.unwrap_or(place));
            let paint = if self.mark == MarkKind::Bar { Paint::Ink } else { Paint::Series(role) };
            whisker_up(svg, x, own.up(low), own.up(high), paint);
        }
        match (self.mark, ends) {
            (MarkKind::Dot, _) => marker(svg, role, Filling::of(estimate), (x, y), &title),
            (MarkKind::Bar, None) => single_run(svg, (x, y)),
            (MarkKind::Bar, Some(_)) => {}
        }
    }

    fn say(&self, estimate: &Estimate) -> String {
        let value = self.y.format.say(estimate.value());
        let runs = estimate.runs();
        match estimate.interval() {
            Some((low, high)) => {
                format!("{value} ({} to {}, {runs} runs)", self.y.format.say(low), self.y.format.say(high))
            }
            None => format!("{value} (one run)"),
        }
    }
}
