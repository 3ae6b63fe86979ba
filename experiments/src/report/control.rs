//! What the runs beside the grid say: how much an engine differs from itself, and what the client can offer at most.

use std::collections::BTreeMap;

use uring_echo::record::{RunRecord, Summary};
use uring_echo::words::plural;

use crate::plan::{Arm, Role};
use crate::recording::Recording;
use crate::recording::manifest::Status;
use crate::report::format::{bytes, three_digits};
use crate::report::metric::Metric;
use crate::spec::factors::Factors;
use crate::spec::in_flight::InFlight;
use crate::verdict::statistics::median;
use crate::verdict::{Control, Judge, paired_ratios};

/// Both arms of a pair; `None` where there is no valid run.
type Pair = [Option<Summary>; 2];

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
                    controls.add(&run.factors, run.repetition, arm, summary);
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

    pub(super) fn add(&mut self, factors: &Factors, pair: u32, arm: Arm, summary: &Summary) {
        let pair = self.pairs.entry((factors.clone(), pair)).or_default();
        pair[usize::from(arm == Arm::B)] = Some(summary.clone());
    }

    /// How `metric` differs between the arms in the cells that have as much on its way as `in_flight` says; `None` without a
    /// pair.
    pub(super) fn of(&self, in_flight: Option<InFlight>, metric: Metric) -> Option<Control> {
        let pairs = || self.pairs.iter().filter(move |((cell, _), _)| cell.in_flight_bytes == in_flight);
        let arm = |arm: usize| -> Vec<Option<f64>> {
            pairs().map(|(_, pair)| metric.value(pair[arm].as_ref()?)).collect()
        };
        let ratios = paired_ratios(&arm(0), &arm(1));
        (!ratios.is_empty()).then(|| Control::of(&ratios))
    }

    /// What they say, after an empty line, under the judges of CPU per message, one for what is on its way; nothing without
    /// any.
    pub(super) fn lines<'a>(
        &self,
        judges: impl Iterator<Item = (Option<InFlight>, &'a Judge)>,
    ) -> Vec<String> {
        let mut lines: Vec<String> = judges.filter_map(|(of, judge)| self.same_engine(of, judge)).collect();
        lines.extend(self.ceiling());
        if !lines.is_empty() {
            lines.insert(0, String::new());
        }
        lines
    }

    fn same_engine(&self, in_flight: Option<InFlight>, judge: &Judge) -> Option<String> {
        let control = self.of(in_flight, Metric::CpuPerMessage)?;
        let middle = control.ratio.median?;
        let interval = control.ratio.low.zip(control.ratio.high);
        let interval = interval.map_or_else(String::new, |(low, high)| format!(" ({low:.2}..{high:.2})"));
        let pairs = plural(control.ratio.n, "pair");
        let claims = match (judge.smallest_effect(), control.smallest_effect) {
            (Ok(effect), _) => {
                format!(" No difference of {:.1} % or less may be claimed here.", effect * 100.0)
            }
            (Err(why), Some(effect)) => {
                format!(" Differences of {:.1} % or less are noise; {why}.", effect * 100.0)
            }
            (Err(_), None) => String::new(),
        };
        let with = in_flight.map_or_else(String::new, |level| format!(" with {}", level.in_words()));
        Some(format!(
            "A/A control, the same engine twice{with}, {pairs}: CPU per message {middle:.2}{interval}.{claims}"
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
    use crate::report::golden::summary_of;
    use crate::spec::Size;
    use uring_echo::record::Mode;

    fn controls() -> Controls {
        let mut controls = Controls::default();
        let cell = Factors::new(Mode::Stream, 256, 8);
        // a ÷ b: 0.99, 1.03, 0.98, 1.00; the fifth pair has lost a run.
        let pairs = [(99.0, 100.0), (103.0, 100.0), (196.0, 200.0), (50.0, 50.0)];
        for (pair, (a, b)) in (1..).zip(pairs) {
            controls.add(&cell, pair, Arm::B, &summary_of(100.0, b));
            controls.add(&cell, pair, Arm::A, &summary_of(100.0, a));
        }
        controls.add(&cell, 5, Arm::A, &summary_of(100.0, 1.0));
        controls
    }

    fn said(size: Size) -> String {
        let controls = controls();
        let judge = Judge::new(size, controls.of(None, Metric::CpuPerMessage).as_ref());
        controls.same_engine(None, &judge).unwrap()
    }

    #[test]
    fn the_far_end_of_the_interval_says_what_may_not_be_claimed() {
        let said = said(Size::Full);
        // Median of 0.98, 0.99, 1.00, 1.03 and, of four values, nearly their whole range.
        assert!(said.contains("4 pairs: CPU per message 0.99 (0.98..1.03)"), "{said}");
        assert!(said.ends_with("No difference of 3.0 % or less may be claimed here."), "{said}");
    }

    #[test]
    fn a_quick_recording_shows_its_noise_and_claims_nothing() {
        let said = said(Size::Quick);
        assert!(said.ends_with("3.0 % or less are noise; quick size: claims nothing."), "{said}");
    }

    #[test]
    fn deep_queues_have_a_control_of_their_own() {
        let mut controls = controls();
        let unbounded = Some(InFlight::Unbounded);
        assert_eq!(controls.of(unbounded, Metric::CpuPerMessage), None);
        let short = controls.of(None, Metric::CpuPerMessage);
        let cell = Factors { in_flight_bytes: unbounded, ..Factors::new(Mode::Stream, 256, 8) };
        for (arm, cost) in [(Arm::A, 150.0), (Arm::B, 100.0)] {
            controls.add(&cell, 1, arm, &summary_of(100.0, cost));
        }
        assert_eq!(controls.of(None, Metric::CpuPerMessage), short);
        let judge = Judge::silent(crate::verdict::Silence::Quick);
        let said = controls.same_engine(unbounded, &judge).unwrap();
        assert!(said.contains("twice with unbounded in flight, 1 pair: CPU per message 1.50"), "{said}");
    }
}
