//! The one look: colours, sizes, and which colour stands for what.
//!
//! Colours are Okabe and Ito's, told apart with any colour vision, and each series has a marker of its own as well, so
//! that a grey print still reads. Every paint carries a class beside its colour: a page may repaint a chart for a
//! dark background, everything else takes the colour as it stands.

use serde::Serialize;

/// Size of the text of ticks, keys and captions.
pub(crate) const SMALL: f64 = 11.0;
/// Size of a panel's title and of an axis's label.
pub(crate) const MEDIUM: f64 = 11.5;
/// Size of a figure's title.
pub(crate) const LARGE: f64 = 14.5;
/// Fonts to try, the last of which everybody has.
pub(crate) const FONTS: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/// What a colour stands for, the same in every figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Role {
    /// Something that is compared, by its place.
    Series(u8),
    /// A comparison that neither side wins.
    Neither,
}

impl Role {
    /// What a ratio divides by.
    pub(crate) const BASE: Self = Self::Series(0);
    /// What a ratio divides.
    pub(crate) const COMPARED: Self = Self::Series(1);

    /// Series that can be told apart.
    pub(crate) const DIFFERENT: usize = SERIES.len();

    /// That of what has the `place`-th colour; colours come round again.
    pub(crate) fn series(place: usize) -> Self {
        Self::Series((place % SERIES.len()) as u8)
    }
}

/// What something is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Ink,
    /// What should recede: captions, gaps.
    Muted,
    Grid,
    Paper,
    /// A band behind marks: what is in it is no difference.
    Band,
    Series(Role),
}

impl Paint {
    /// The name of its class, and its colours on a light and on a dark background.
    fn look(self) -> [&'static str; 3] {
        match self {
            Self::Ink => ["ink", "#1f2328", "#e6edf3"],
            Self::Muted => ["muted", "#59636e", "#9da7b3"],
            Self::Grid => ["grid", "#dde1e6", "#30363d"],
            Self::Paper => ["paper", "#ffffff", "#161b22"],
            Self::Band => ["band", "#e2e6ea", "#30373f"],
            Self::Series(Role::Neither) => ["neither", "#59636e", "#9da7b3"],
            Self::Series(Role::Series(place)) => SERIES[usize::from(place) % SERIES.len()],
        }
    }

    pub(crate) fn class(self) -> &'static str {
        self.look()[0]
    }

    pub(crate) fn light(self) -> &'static str {
        self.look()[1]
    }

    pub(crate) fn dark(self) -> &'static str {
        self.look()[2]
    }

    pub(crate) fn all() -> Vec<Self> {
        let plain = [Self::Ink, Self::Muted, Self::Grid, Self::Paper, Self::Band];
        let series = (0..SERIES.len()).map(Role::series).chain([Role::Neither]).map(Self::Series);
        plain.into_iter().chain(series).collect()
    }
}

const SERIES: [[&str; 3]; 6] = [
    ["series0", "#0072b2", "#56b4e9"],
    ["series1", "#d55e00", "#ff8a3d"],
    ["series2", "#007a5a", "#2fc79b"],
    ["series3", "#b0467f", "#e59ac4"],
    ["series4", "#8a6d00", "#e0c040"],
    ["series5", "#444c56", "#b6c0ca"],
];

/// Channels of the colour that both sides of a ratio fade into.
const MIDDLE: (f64, f64, f64) = (247.0, 247.0, 247.0);

/// Colour of a cell: from that of [`Role::BASE`] at -1 over nearly white at 0 to that of [`Role::COMPARED`] at 1.
pub(crate) fn diverging(place: f64) -> String {
    let end = if place < 0.0 { (0.0, 114.0, 178.0) } else { (213.0, 94.0, 0.0) };
    let strength = place.abs().min(1.0);
    let mix = |from: f64, to: f64| (from + (to - from) * strength).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(MIDDLE.0, end.0), mix(MIDDLE.1, end.1), mix(MIDDLE.2, end.2))
}

/// Colour of a text that stands on [`diverging`] of `place`.
pub(crate) fn over_diverging(place: f64) -> &'static str {
    if place.abs() > 0.7 { "#ffffff" } else { "#1f2328" }
}
