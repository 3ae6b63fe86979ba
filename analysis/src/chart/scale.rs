//! From a value to its place between 0 and 1, and the ticks in between.

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// Equal steps from the first value to the second.
    Linear(f64, f64),
    /// Equal factors from the first value to the second, both above zero.
    Log(f64, f64),
    /// Shares from 0 up to the given one, each further nine as wide as the one before.
    Tail(f64),
}

/// Highest share that a [`Scale::Tail`] can show: beyond it a double cannot tell shares apart.
const SHARE_MAX: f64 = 0.999_999_99;

impl Scale {
    /// A linear scale over `low..high`, never empty.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        if high > low { Self::Linear(low, high) } else { Self::Linear(low - 0.5, low + 0.5) }
    }

    /// A logarithmic scale over `low..high`; `None` if `low` is not above zero.
    pub(crate) fn log(low: f64, high: f64) -> Option<Self> {
        if low.is_nan() || low <= 0.0 || !high.is_finite() {
            return None;
        }
        Some(if high > low { Self::Log(low, high) } else { Self::Log(low / 2.0, low * 2.0) })
    }

    /// A scale of percentiles that ends at the share `end`.
    pub(crate) fn tail(end: f64) -> Self {
        Self::Tail(end.clamp(0.9, SHARE_MAX))
    }

    /// Place of `value`, 0 at the low end, 1 at the high end; `None` where the scale has no such value.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let place = match *self {
            Self::Linear(low, high) => (value - low) / (high - low),
            Self::Log(low, high) => (value / low).ln() / (high / low).ln(),
            Self::Tail(end) => nines(value.clamp(0.0, end)) / nines(end),
        };
        place.is_finite().then_some(place)
    }

    /// Values to label, at most about `wanted` of them.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<f64> {
        match *self {
            Self::Linear(low, high) => linear_ticks(low, high, wanted),
            Self::Log(low, high) => log_ticks(low, high, wanted),
            Self::Tail(end) => tail_ticks(end),
        }
    }
}

/// How many nines the share has: 1 at 0.9, 2 at 0.99.
fn nines(share: f64) -> f64 {
    -(1.0 - share).log10()
}

/// The step of 1, 2 or 5 times a power of ten that gives at most `wanted` steps over `span`.
pub(crate) fn step(span: f64, wanted: usize) -> f64 {
    let rough = span / wanted.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let fits = factors.into_iter().find(|factor| factor * power >= rough * (1.0 - 1e-9));
    fits.unwrap_or(10.0) * power
}

fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let step = step(high - low, wanted);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// Leading digits to label on a logarithmic axis, from few to many.
const LEADING: [&[f64]; 6] = [
    &[1.0],
    &[1.0, 3.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
    &[1.0, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
];

fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let among = |digits: &[f64]| {
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let all = decades.flat_map(|decade| digits.iter().map(move |digit| digit * 10_f64.powi(decade)));
        let inside = |tick: &f64| *tick >= low * (1.0 - 1e-9) && *tick <= high * (1.0 + 1e-9);
        all.filter(inside).collect::<Vec<f64>>()
    };
    let finest = LEADING.iter().rev().map(|digits| among(digits)).find(|ticks| ticks.len() <= wanted);
    match finest {
        Some(ticks) if ticks.len() > 1 => ticks,
        // Less than a factor of two or so: there it hardly differs from a linear axis.
        Some(_) => linear_ticks(low, high, wanted),
        None => thinned(among(LEADING[0]), wanted),
    }
}

/// Every n-th of `ticks`, so that at most `wanted` are left.
fn thinned(ticks: Vec<f64>, wanted: usize) -> Vec<f64> {
    let every = ticks.len().div_ceil(wanted.max(2));
    ticks.into_iter().step_by(every).collect()
}

fn tail_ticks(end: f64) -> Vec<f64> {
    let marks = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
    marks.into_iter().filter(|mark| *mark <= end + 1e-12).collect()
}
