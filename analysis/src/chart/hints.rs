//! What the marks in a figure mean, said only where they occur.

/// Which marks occur in a figure and want an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// A diamond instead of an interval.
    pub single_run: bool,
    /// A hollow marker.
    pub hollow: bool,
    /// A ratio without an interval.
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
    /// The marks that occur in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            single_run: self.single_run | other.single_run,
            hollow: self.hollow | other.hollow,
            no_interval: self.no_interval | other.no_interval,
            gap: self.gap | other.gap,
            clear: self.clear | other.clear,
            within_noise: self.within_noise | other.within_noise,
            no_claim: self.no_claim | other.no_claim,
            broken_line: self.broken_line | other.broken_line,
        }
    }

    /// A sentence for each mark that occurs.
    #[must_use]
    pub fn sentences(self) -> Vec<&'static str> {
        let all = [
            (self.clear, "Bold: less or more, by the interval and by the A/A control."),
            (self.within_noise, "≈: no difference."),
            (self.no_claim, "Neither bold nor ≈: nothing is claimed."),
            (self.single_run, "◇: one run, no interval."),
            (self.hollow, "Hollow marker: no interval."),
            (self.no_interval, "Plain: no interval."),
            (self.gap, "Hatched: no valid run."),
            (self.broken_line, "A curve breaks off where there is no valid run."),
        ];
        all.into_iter().filter(|(occurs, _)| *occurs).map(|(_, sentence)| sentence).collect()
    }
}
