//! An axis: what it measures, how it is divided, how its values read.

use experiments::report::format as number;
use serde::Serialize;
use uring_echo::kernel_version::KernelVersion;

use super::scale::{Scale, step};

/// How far an axis reaches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) enum Extent {
    /// From zero to a little above the largest value.
    FromZero,
    Around,
    /// By factors, over the values.
    Log,
    /// Shares on a scale that opens up the tail.
    Tail,
    /// From the first to the second, whatever the values are.
    Fixed(f64, f64),
    /// By factors and symmetric around 1, over the values up to [`FACTOR_MAX`]: one value far off would leave the others no room.
    Ratio,
}

/// How the values of an axis read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) enum Format {
    /// `394 k`
    Thousands,
    /// `1.2 ms`
    Nanoseconds,
    /// `1.2 kB`
    Bytes,
    /// `0.98`
    Ratio,
    /// `99.9 %`
    Percent,
    /// `99.9`, of a share
    Percentile,
    /// `1.5`
    Plain,
    /// `0.9995`
    Fine,
    /// `7.0`, of releases since Linux 6.0
    Release,
}

impl Format {
    /// `value` in words.
    pub(crate) fn say(self, value: f64) -> String {
        match self {
            Self::Thousands => number::thousands(value),
            Self::Nanoseconds => number::nanoseconds(value),
            Self::Bytes => number::memory(value),
            Self::Ratio => number::ratio(value),
            Self::Percent => number::percent(value),
            Self::Percentile => number::percentile(value),
            Self::Plain => number::significant(value, 3),
            Self::Fine => number::significant(value, 5),
            Self::Release => KernelVersion::after_6_0(value.round() as u16).to_string(),
        }
    }
}

/// An axis of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Axis {
    /// What it measures, with its unit.
    pub(crate) label: String,
    pub(crate) extent: Extent,
    pub(crate) format: Format,
}

/// The largest factor that an axis of ratios shows.
pub(super) const FACTOR_MAX: f64 = 3.0;

impl Axis {
    pub(crate) fn new(label: impl Into<String>, extent: Extent, format: Format) -> Self {
        Self { label: label.into(), extent, format }
    }

    /// The scale that shows all of `values`. A value that the axis cannot show, such as zero on a logarithmic
    /// one, is left out.
    pub(crate) fn scale(&self, values: &[f64]) -> Scale {
        let by_factors = matches!(self.extent, Extent::Log | Extent::Ratio);
        let shown = values.iter().copied().filter(|v| v.is_finite() && (!by_factors || *v > 0.0));
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return self.empty_scale();
        }
        match self.extent {
            Extent::Fixed(low, high) => Scale::linear(low, high),
            Extent::FromZero => Scale::linear(low.min(0.0), round_up(high)),
            Extent::Around => {
                let slack = if high > low { (high - low) * 0.08 } else { high.abs().max(1.0) * 0.1 };
                Scale::linear(low - slack, high + slack)
            }
            Extent::Log => Scale::log(low / 1.15, high * 1.15).unwrap_or(Scale::Log(1.0, 10.0)),
            Extent::Tail => Scale::tail(high),
            Extent::Ratio => {
                let factor = high.max(1.0 / low).clamp(1.1, FACTOR_MAX) * 1.05;
                Scale::Log(1.0 / factor, factor)
            }
        }
    }

    fn empty_scale(&self) -> Scale {
        match self.extent {
            Extent::Fixed(low, high) => Scale::linear(low, high),
            Extent::FromZero | Extent::Around => Scale::Linear(0.0, 1.0),
            Extent::Log => Scale::Log(1.0, 10.0),
            Extent::Tail => Scale::tail(0.99),
            Extent::Ratio => Scale::Log(0.5, 2.0),
        }
    }
}

/// The next tick above `high`, or a bit of room if `high` is one itself.
fn round_up(high: f64) -> f64 {
    if high <= 0.0 {
        return 1.0;
    }
    let step = step(high, 4);
    let ticks = (high * 1.02 / step).ceil();
    let whole = ticks * step;
    // A whole empty step would waste a quarter of the panel.
    if whole - high > 0.6 * step { high * 1.06 } else { whole }
}
