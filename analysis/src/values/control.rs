//! The same server measured twice: what is noise here, and the smallest effect that may be claimed.

use std::collections::BTreeMap;

use experiments::plan::{Arm, Role};

use crate::metric::Metric;
use crate::recording::{Recording, Run};
use crate::statistics::{Control, paired_ratios};

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
