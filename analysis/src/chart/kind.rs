//! What the sheet needs of each kind of chart, and what charts with an upright axis share.

use super::axis::Axis;
use super::hints::Hints;
use super::key::Key;
use super::mark::Area;
use super::paint::Paint;
use super::scale::Scale;
use super::svg::{Anchor, Label, Svg};

/// Height of the drawing area of bars, dots and curves.
const PLOT: f64 = 168.0;
/// Room left of a drawing area for the values' names.
const LEFT: f64 = 46.0;
/// Room above a drawing area for the axis's label.
const ABOVE: f64 = 26.0;
/// Room below a drawing area for ticks and the axis's label.
const BELOW: f64 = 36.0;

/// Height of a chart with an upright axis.
const UPRIGHT_HEIGHT: f64 = ABOVE + PLOT + BELOW;

/// A kind of chart.
pub(super) trait Kind {
    fn keys(&self) -> Vec<Key> {
        Vec::new()
    }
    fn hints(&self) -> Hints;
    fn height(&self) -> f64 {
        UPRIGHT_HEIGHT
    }
    /// The axis whose scale panels may share, and every number that has to be visible on it.
    fn axis(&self) -> Option<(Axis, Vec<f64>)> {
        None
    }
    /// Draws it into `area`, the values of its axis on `scale`.
    fn draw(&self, svg: &mut Svg, area: Area, scale: Scale);
}

/// What is left of `area` for marks, less the room for an upright axis, for the axis below, and `right`.
pub(super) fn plot_area(area: Area, right: f64) -> Area {
    area.inset(LEFT, ABOVE, right, BELOW)
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
