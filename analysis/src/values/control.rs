//! The same server measured twice: what is noise here, and the smallest effect that may be claimed.

use std::collections::BTreeMap;

use experiments::plan::{Arm, Role};
use serde::Serialize;

use crate::metric::Metric;
use crate::recording::{Recording, Run};
use crate::statistics::{Estimate, paired_ratios};

/// Arm a ÷ arm b of one metric, over all pairs.
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
    fn of(ratios: &[f64]) -> Self {
        let ratio = Estimate::of(ratios);
        let ends = ratio.low.zip(ratio.high);
        Self {
            contains_1: ends.map(|(low, high)| low <= 1.0 && high >= 1.0),
            smallest_effect: ends.map(|(low, high)| (1.0 - low).abs().max((high - 1.0).abs())),
            ratio,
        }
    }
}

/// The control of `recording` by metric; empty when it has none.
pub fn control(recording: &Recording) -> BTreeMap<&'static str, Control> {
    let is_usable = |run: &&Run| run.place.role == Role::Control && run.standing.counts();
    let mut pairs: BTreeMap<(&str, &str, u32), [Option<&Run>; 2]> = BTreeMap::new();
    for run in recording.runs.iter().filter(is_usable) {
        let place = &run.place;
        let arm = usize::from(place.arm == Some(Arm::B));
        pairs.entry((&place.cell.key, &place.engine, place.repetition)).or_default()[arm] = Some(run);
    }
    if pairs.is_empty() {
        return BTreeMap::new();
    }
    let arm = |arm: usize, metric: Metric| -> Vec<Option<f64>> {
        pairs.values().map(|pair| metric.of(pair[arm]?.record.as_ref()?)).collect()
    };
    let of =
        |&metric: &Metric| (metric.name(), Control::of(&paired_ratios(&arm(0, metric), &arm(1, metric))));
    Metric::OF_RATIOS.iter().map(of).collect()
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
    fn a_single_pair_shows_no_noise() {
        let control = Control::of(&[1.0]);
        assert_eq!((control.contains_1, control.smallest_effect), (None, None));
    }
}
