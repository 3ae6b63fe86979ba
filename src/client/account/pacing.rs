//! Whether an open loop offered what it was asked to, and if not, who was in the way.

use crate::client::fault::Fault;
use crate::record::{Limit, RunRecord};

/// Part of the messages that the client may send late.
const LATE_SHARE_MAX: f64 = 0.01;

/// Part of the offered messages that has to be sent, chance aside.
const SENT_SHARE_MIN: f64 = 0.95;

/// Standard deviations that chance is granted: Poisson arrivals stray from their mean by its square root.
const DEVIATIONS_MAX: f64 = 4.0;

/// How an open loop went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacing {
    late_share: f64,
    /// Messages sent in the window, as a part of those that the rate asks for.
    sent_share: f64,
    /// Messages that the rate asks for in the window.
    offered: f64,
    limit: Limit,
}

impl Pacing {
    /// That of `record`; `None` for a closed loop, or if the window never ended.
    pub(crate) fn of(record: &RunRecord) -> Option<Self> {
        let open_loop = record.open_loop.as_ref()?;
        let offered = open_loop.rate_per_s as f64 * record.timeline?.window().as_secs_f64();
        Some(Self {
            late_share: open_loop.late_share,
            sent_share: record.totals.window.sent_messages as f64 / offered,
            offered,
            limit: record.summary.as_ref()?.limit,
        })
    }

    /// What voids the run: latencies that are the client's own.
    pub(crate) fn faults(self) -> Vec<Fault> {
        let percent = |share: f64| 100.0 * share;
        let late =
            (self.late_share > LATE_SHARE_MAX).then(|| Fault::Late { percent: percent(self.late_share) });
        let is_outrun = self.falls_short() && self.limit == Limit::Client;
        late.into_iter()
            .chain(is_outrun.then(|| Fault::Outrun { percent: percent(self.sent_share) }))
            .collect()
    }

    /// Says so if not all that was offered could be sent.
    pub(crate) fn note(self) -> Option<String> {
        let percent = 100.0 * self.sent_share;
        let doubt = match self.limit {
            Limit::Both => "; the client's core was busy too and may have had a part in it",
            _ => "",
        };
        self.falls_short().then(|| {
            format!(
                "only {percent:.0} % of the offered messages could be sent: corrected latency grows with the length of \
                 the run{doubt}"
            )
        })
    }

    fn falls_short(self) -> bool {
        let chance = DEVIATIONS_MAX / self.offered.sqrt();
        self.sent_share < SENT_SHARE_MIN.min(1.0 - chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Pacing = Pacing { late_share: 0.01, sent_share: 0.97, offered: 1e6, limit: Limit::Client };

    fn words(pacing: Pacing) -> Vec<&'static str> {
        pacing.faults().iter().map(Fault::word).collect()
    }

    #[test]
    fn a_client_that_keeps_its_pace_is_believed_however_busy() {
        assert!(words(GOOD).is_empty() && GOOD.note().is_none());
    }

    #[test]
    fn more_than_one_percent_late_voids_the_run() {
        assert_eq!(words(Pacing { late_share: 0.0101, ..GOOD }), ["late"]);
    }

    #[test]
    fn a_rate_that_only_the_client_could_not_keep_voids_the_run() {
        assert_eq!(words(Pacing { sent_share: 0.5, ..GOOD }), ["late"]);
    }

    #[test]
    fn a_draw_of_few_messages_may_fall_short_by_chance() {
        let drawn = |sent_share, offered| Pacing { sent_share, offered, ..GOOD }.note().is_some();
        assert!(!drawn(0.84, 50.0) && drawn(0.3, 50.0));
        assert!(drawn(0.84, 10_000.0));
    }

    #[test]
    fn a_rate_that_the_server_did_not_take_is_noted_and_valid() {
        for (limit, doubts) in [(Limit::Server, false), (Limit::Neither, false), (Limit::Both, true)] {
            let pacing = Pacing { sent_share: 0.5, limit, ..GOOD };
            assert!(words(pacing).is_empty(), "{limit:?}");
            let note = pacing.note().unwrap();
            assert!(note.starts_with("only 50 %") && note.contains("busy too") == doubts, "{note}");
        }
    }
}
