//! What the runs beside the grid say: how much an engine differs from itself, and what the client can offer at most.

use std::collections::BTreeMap;

use uring_echo::record::RunRecord;

use crate::plan::{Arm, Role};
use crate::recording::Recording;
use crate::recording::manifest::Status;
use crate::report::format::{bytes, plural, three_digits};
use crate::report::statistics::median;
use crate::spec::factors::Factors;

/// Cost of a message in both arms of a pair; `None` where there is no valid run.
type Pair = [Option<f64>; 2];

/// The controls and ceilings of a recording.
#[derive(Debug, Default)]
pub(super) struct Controls {
    pairs: BTreeMap<(Factors, u32), Pair>,
    /// Bytes per second that the client got rid of, by payload.
    ceilings: BTreeMap<usize, Vec<f64>>,
}

impl Controls {
    /// Those of `recording` that are valid.
    pub(super) fn read(recording: &Recording) -> anyhow::Result<Self> {
        let mut controls = Self::default();
        let runs = &recording.manifest().runs;
        for run in runs.iter().filter(|run| run.attempt.status == Status::Valid) {
            if !matches!(run.role, Role::Control | Role::Ceiling) {
                continue;
            }
            let Some(record) = recording.record(run.number)? else { continue };
            match (run.role, run.arm, &record.summary) {
                (Role::Control, Some(arm), Some(summary)) => {
                    controls.add(&run.factors, run.repetition, arm, summary.cpu_ns_per_message);
                }
                (Role::Ceiling, ..) => {
                    let rates = controls.ceilings.entry(run.factors.payload_bytes).or_default();
                    rates.extend(sent_bytes_per_s(&record));
                }
                _ => {}
            }
        }
        Ok(controls)
    }

    fn add(&mut self, factors: &Factors, pair: u32, arm: Arm, cost: Option<f64>) {
        let pair = self.pairs.entry((factors.clone(), pair)).or_default();
        pair[usize::from(arm == Arm::B)] = cost;
    }

    /// Ratios of the arms, one for each pair that has both.
    fn ratios(&self) -> Vec<f64> {
        let ratio = |&[a, b]: &Pair| Some(b? / a.filter(|&a| a > 0.0)?);
        self.pairs.values().filter_map(ratio).collect()
    }

    /// What they say, after an empty line; nothing without any.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.same_engine());
        lines.extend(self.ceiling());
        if !lines.is_empty() {
            lines.insert(0, String::new());
        }
        lines
    }

    fn same_engine(&self) -> Option<String> {
        let ratios = self.ratios();
        let middle = median(&ratios)?;
        let farthest = ratios.iter().map(|ratio| (ratio - 1.0).abs()).fold(0.0, f64::max);
        let (least, most) = ratios.iter().fold((f64::INFINITY, 0.0_f64), |(l, m), &r| (l.min(r), m.max(r)));
        Some(format!(
            "A/A control, the same engine twice, {}: CPU per message {middle:.2} ({least:.2}..{most:.2}). No difference \
             of a pair under {:.1} % may be claimed here.",
            plural(ratios.len(), "pair"),
            farthest * 100.0
        ))
    }

    fn ceiling(&self) -> Option<String> {
        let rate = |(payload, rates): (&usize, &Vec<f64>)| {
            Some(format!("{} {} MB/s", bytes(*payload), three_digits(median(rates)? / 1e6)))
        };
        let rates: Vec<_> = self.ceilings.iter().filter_map(rate).collect();
        (!rates.is_empty())
            .then(|| format!("The client's ceiling, against a server that discards: {}.", rates.join(", ")))
    }
}

/// What the client offered. Nothing comes back from a server that discards, so goodput would be zero.
fn sent_bytes_per_s(record: &RunRecord) -> Option<f64> {
    let window = record.timeline?.window().as_secs_f64();
    (window > 0.0).then(|| record.totals.window.sent_bytes as f64 / window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::record::Mode;

    #[test]
    fn the_farthest_pair_says_what_may_not_be_claimed() {
        let mut controls = Controls::default();
        let cell = Factors::new(Mode::Stream, 256, 8);
        for (pair, (a, b)) in (1..).zip([(100.0, 101.0), (100.0, 97.0), (200.0, 204.0)]) {
            controls.add(&cell, pair, Arm::B, Some(b));
            controls.add(&cell, pair, Arm::A, Some(a));
        }
        controls.add(&cell, 4, Arm::A, Some(1.0));
        let lines = controls.lines();
        assert!(lines[1].contains("3 pairs: CPU per message 1.01 (0.97..1.02)"), "{lines:?}");
        assert!(lines[1].contains("under 3.0 %"), "{lines:?}");
    }

    #[test]
    fn without_controls_there_is_nothing_to_say() {
        assert!(Controls::default().lines().is_empty());
    }
}
