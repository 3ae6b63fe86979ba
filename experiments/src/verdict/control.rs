//! The same server measured twice: what is noise, and the smallest effect that may be claimed.

use serde::Serialize;

use super::Estimate;

/// Arm a ÷ arm b of one metric, over all pairs of a recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// The ratio.
    #[serde(flatten)]
    pub ratio: Estimate,
    /// Whether the interval holds 1, as it must. `None` without an interval.
    pub contains_1: Option<bool>,
    /// How far the interval reaches from 1: no smaller difference may be claimed. `None` without an interval.
    pub smallest_effect: Option<f64>,
}

impl Control {
    /// The control of `ratios`, arm a ÷ arm b, one a pair.
    pub fn of(ratios: &[f64]) -> Self {
        let ratio = Estimate::of(ratios);
        let ends = ratio.low.zip(ratio.high);
        Self {
            contains_1: ends.map(|(low, high)| low <= 1.0 && high >= 1.0),
            smallest_effect: ends.map(|(low, high)| (1.0 - low).abs().max((high - 1.0).abs())),
            ratio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_effect_is_the_far_end_of_the_interval() {
        let control = Control::of(&[0.95, 0.98, 1.01, 1.02]);
        assert_eq!(control.contains_1, Some(true));
        assert!((control.smallest_effect.unwrap() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_control_that_leaves_1_out_says_so_and_still_bounds_what_may_be_claimed() {
        let control = Control::of(&[1.02, 1.03, 1.04]);
        assert_eq!(control.contains_1, Some(false));
        assert!((control.smallest_effect.unwrap() - 0.04).abs() < 1e-12);
    }

    #[test]
    fn a_single_pair_shows_no_noise() {
        let control = Control::of(&[1.0]);
        assert_eq!((control.contains_1, control.smallest_effect), (None, None));
    }
}
