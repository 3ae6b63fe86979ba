//! What the marks in a figure mean, said only where they occur.

/// Which marks occur in a figure and want an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    pub(crate) single_run: bool,
    pub(crate) hollow: bool,
    pub(crate) no_interval: bool,
    pub(crate) gap: bool,
    pub(crate) clear: bool,
    pub(crate) within_noise: bool,
    pub(crate) no_claim: bool,
    pub(crate) broken_line: bool,
    pub(crate) beyond: bool,
}

impl Hints {
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            single_run: self.single_run | other.single_run,
            hollow: self.hollow | other.hollow,
            no_interval: self.no_interval | other.no_interval,
            gap: self.gap | other.gap,
            clear: self.clear | other.clear,
            within_noise: self.within_noise | other.within_noise,
            no_claim: self.no_claim | other.no_claim,
            broken_line: self.broken_line | other.broken_line,
            beyond: self.beyond | other.beyond,
        }
    }

    /// A sentence for each mark that occurs.
    pub(crate) fn sentences(self) -> Vec<&'static str> {
        let all = [
            (self.clear, "Bold: less or more, by the interval and by the A/A control."),
            (self.within_noise, "≈: no difference."),
            (self.no_claim, "Neither bold nor ≈: nothing is claimed."),
            (self.single_run, "◇: one run, no interval."),
            (self.hollow, "Hollow marker: no interval."),
            (self.no_interval, "Plain: no interval."),
            (self.gap, "Hatched: no valid run."),
            (self.beyond, "Arrow: the value lies beyond the axis."),
            (self.broken_line, "A curve breaks off where there is no valid run."),
        ];
        all.into_iter().filter(|(occurs, _)| *occurs).map(|(_, sentence)| sentence).collect()
    }
}
