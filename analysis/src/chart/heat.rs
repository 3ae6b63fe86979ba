//! Ratios over a grid, centred on 1.

use experiments::report::format as number;
use experiments::verdict::Word;
use serde::Serialize;

use super::estimate::Estimate;
use super::hints::Hints;
use super::kind::Kind;
use super::mark::{Area, gap};
use super::paint::{MEDIUM, Paint, Role, diverging, over_diverging};
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg, Tag};

/// The factor at which the colour is at its strongest: half and double.
const STRONGEST: f64 = 2.0;

/// Which direction of the measured quantity is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Better {
    /// A ratio above 1 is a win for the numerator, as with throughput.
    Higher,
    /// A ratio below 1 is, as with CPU time.
    Lower,
}

/// The ratio of a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    #[serde(flatten)]
    estimate: Estimate,
    mark: String,
    verdict: Word,
}

impl Ratio {
    /// A ratio that is as often measured on each side as `estimate` says; `None` if it is not above zero. `mark` is shown
    /// behind it, for a note of the caption.
    pub(crate) fn new(estimate: Estimate, mark: &str) -> Option<Self> {
        let ratio = Self { estimate, mark: mark.to_owned(), verdict: Word::NoClaim };
        (estimate.value() > 0.0).then_some(ratio)
    }

    /// The same ratio, of which `verdict` may be said. Without, nothing may.
    pub(crate) fn saying(self, verdict: Word) -> Self {
        Self { verdict, ..self }
    }

    pub(crate) fn estimate(&self) -> Estimate {
        self.estimate
    }

    pub(crate) fn value(&self) -> f64 {
        self.estimate.value()
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Whether a difference may be claimed; `None` where nothing may.
    pub(crate) fn is_clear(&self) -> Option<bool> {
        match self.verdict {
            Word::Less | Word::More => Some(true),
            Word::NoDifference => Some(false),
            Word::NoClaim => None,
        }
    }

    fn shown(&self) -> String {
        let sign = match self.is_clear() {
            Some(false) => " ≈",
            Some(true) | None => "",
        };
        format!("{}{sign}{}", number::ratio(self.value()), self.mark)
    }
}

/// A cell of the grid: a ratio, or nothing to compare.
pub(crate) type Cell = Option<Ratio>;

/// Ratios over a grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Heat {
    pub(crate) x_label: String,
    pub(crate) columns: Vec<String>,
    pub(crate) y_label: String,
    pub(crate) rows: Vec<String>,
    /// Rows of cells, as many as there are names.
    pub(crate) cells: Vec<Vec<Cell>>,
    pub(crate) better: Better,
    /// Name of what is measured against the base; it is io_uring in every figure of ours.
    pub(crate) compared: String,
    /// Name of the base; epoll in every figure of ours.
    pub(crate) base: String,
}

/// Height of a row.
const ROW: f64 = 25.0;
/// Room above the cells for the columns' names.
const HEADS: f64 = 34.0;
/// Room below for the colour bar.
const COLOUR_BAR: f64 = 58.0;

impl Kind for Heat {
    fn hints(&self) -> Hints {
        let all = || self.cells.iter().flatten();
        let ratios = || all().flatten();
        Hints {
            gap: self.slots().any(|(row, column)| self.cell(row, column).is_none()),
            clear: ratios().any(|ratio| ratio.is_clear() == Some(true)),
            within_noise: ratios().any(|ratio| ratio.is_clear() == Some(false)),
            no_interval: ratios().any(|ratio| ratio.estimate.interval().is_none()),
            no_claim: ratios().any(|ratio| ratio.estimate.interval().is_some() && ratio.is_clear().is_none()),
            ..Hints::default()
        }
    }

    fn height(&self) -> f64 {
        HEADS + ROW * self.rows.len() as f64 + COLOUR_BAR
    }

    fn draw(&self, svg: &mut Svg, area: Area, _scale: Scale) {
        let heads = 58.0;
        let grid = Area {
            x: area.x + heads,
            y: area.y + HEADS,
            width: area.width - heads,
            height: ROW * self.rows.len() as f64,
        };
        self.draw_heads(svg, area, grid);
        let width = grid.width / self.columns.len().max(1) as f64;
        for (row, column) in self.slots() {
            let x = grid.x + column as f64 * width;
            let cell = Area { x, y: grid.y + row as f64 * ROW, width, height: ROW };
            self.draw_cell(svg, cell.inset(0.75, 0.75, 0.75, 0.75), row, column);
        }
        self.draw_colour_bar(svg, Area { y: grid.bottom() + 12.0, height: 9.0, ..grid });
    }
}

impl Heat {
    fn slots(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.columns.len();
        (0..self.rows.len()).flat_map(move |row| (0..columns).map(move |column| (row, column)))
    }

    fn cell(&self, row: usize, column: usize) -> Option<&Ratio> {
        self.cells.get(row).and_then(|cells| cells.get(column)).and_then(Option::as_ref)
    }

    /// Where the colour of `ratio` is between epoll's, -1, and io_uring's, 1.
    fn place(&self, ratio: f64) -> f64 {
        let towards = (ratio.ln() / STRONGEST.ln()).clamp(-1.0, 1.0);
        if self.better == Better::Higher { towards } else { -towards }
    }

    fn draw_heads(&self, svg: &mut Svg, area: Area, grid: Area) {
        let x_label = (grid.x + grid.width / 2.0, area.y + 11.0);
        svg.label(Label { paint: Paint::Muted, ..Label::new(&self.x_label, x_label, Anchor::Middle) });
        let corner = (grid.x - 6.0, grid.y - 6.0);
        svg.label(Label { paint: Paint::Muted, ..Label::new(&self.y_label, corner, Anchor::End) });
        let width = grid.width / self.columns.len().max(1) as f64;
        for (index, name) in self.columns.iter().enumerate() {
            let at = (grid.x + (index as f64 + 0.5) * width, grid.y - 6.0);
            svg.label(Label::new(name, at, Anchor::Middle));
        }
        for (index, name) in self.rows.iter().enumerate() {
            let at = (grid.x - 6.0, grid.y + (index as f64 + 0.5) * ROW + 4.0);
            svg.label(Label::new(name, at, Anchor::End));
        }
    }

    fn draw_cell(&self, svg: &mut Svg, cell: Area, row: usize, column: usize) {
        let name = format!("{}, {} {}", self.rows[row], self.columns[column], self.x_label);
        let Some(ratio) = self.cell(row, column) else {
            gap(svg, cell, &format!("{name}: no pair of valid runs"));
            return;
        };
        let place = self.place(ratio.value());
        let frame =
            [("x", cell.x), ("y", cell.y), ("width", cell.width), ("height", cell.height), ("rx", 2.0)];
        let rect = Tag::new("rect").numbers(&frame).text("fill", &diverging(place));
        svg.leaf_saying(&rect, &format!("{name}: {}", self.say(ratio)));
        let at = (cell.x + cell.width / 2.0, cell.y + cell.height / 2.0 + 4.0);
        let weight = if ratio.is_clear() == Some(true) { "bold" } else { "normal" };
        let text = Tag::new("text").numbers(&[("x", at.0), ("y", at.1), ("font-size", MEDIUM)]);
        let text = text.text("text-anchor", "middle").text("font-weight", weight);
        svg.holding(&text.text("fill", over_diverging(place)), &ratio.shown());
    }

    fn say(&self, ratio: &Ratio) -> String {
        let value = number::significant(ratio.value(), 4);
        match ratio.estimate.interval() {
            Some((low, high)) => {
                let (low, high) = (number::significant(low, 4), number::significant(high, 4));
                format!("{value} ({low} to {high}, {} runs a side)", ratio.estimate.runs())
            }
            None => format!("{value} (one run a side)"),
        }
    }

    fn draw_colour_bar(&self, svg: &mut Svg, bar: Area) {
        const STEPS: u32 = 41;
        let width = bar.width / f64::from(STEPS);
        for step in 0..STEPS {
            let place = f64::from(step) / f64::from(STEPS - 1) * 2.0 - 1.0;
            let x = bar.x + f64::from(step) * width;
            // Each step reaches under the next, so that no hairline shows between them.
            let frame = [("x", x), ("y", bar.y), ("width", width + 0.3), ("height", bar.height)];
            svg.leaf(&Tag::new("rect").numbers(&frame).text("fill", &diverging(place)));
        }
        self.draw_colour_ticks(svg, bar);
    }

    fn draw_colour_ticks(&self, svg: &mut Svg, bar: Area) {
        let mut ticks = [(0.0, "≤ 0.5"), (0.5, "1"), (1.0, "≥ 2")];
        if self.better == Better::Lower {
            ticks = [(0.0, "≥ 2"), (0.5, "1"), (1.0, "≤ 0.5")];
        }
        let winners = [
            (0.0, &self.base, Role::BASE, Anchor::Start),
            (1.0, &self.compared, Role::COMPARED, Anchor::End),
        ];
        let below = bar.bottom() + 13.0;
        for (place, text) in ticks {
            let anchor = [Anchor::Start, Anchor::Middle, Anchor::End][(place * 2.0) as usize];
            svg.label(Label::new(text, (bar.across(place), below), anchor));
        }
        for (place, name, role, anchor) in winners {
            let text = format!("{name} better");
            let label = Label::new(&text, (bar.across(place), below + 14.0), anchor);
            svg.label(Label { paint: Paint::Series(role), bold: true, ..label });
        }
    }
}
