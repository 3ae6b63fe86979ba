//! What slows the cores from outside, without taking them away.

use super::CheckFn;
use crate::doctor::facts::Facts;
use crate::doctor::finding::{Check, Finding, Level};
use crate::doctor::pace::Pace;

pub(super) const CHECKS: &[CheckFn] = &[steadiness, hidden_siblings];

fn steadiness(facts: &Facts) -> Finding {
    /// An occasional interrupt slows a slice, too.
    const STEADY_SHARE: f64 = 0.05;
    let check = Check {
        name: "pace",
        why: "a stranger on the other hardware thread of a core slows it, and no counter shows it",
        remedy: "repeat at another time, measure many short pairs (experiments pairs), or use a machine of your own",
    };
    let paces = facts.paces.clone();
    let ends =
        paces.server.and_then(|server| paces.client.map(|client| [("server", server), ("client", client)]));
    let words = |ends: &[(&str, Pace); 2]| ends.each_ref().map(|(end, pace)| in_words(end, pace)).join(", ");
    let is_steady =
        |ends: &[(&str, Pace); 2]| ends.iter().all(|(_, pace)| pace.slowed_share() <= STEADY_SHARE);
    check.judge(&ends.clone().map(|ends| words(&ends)), |_| {
        Level::warn_unless(ends.value().is_some_and(is_steady))
    })
}

fn in_words(end: &str, pace: &Pace) -> String {
    let percent = 100.0 * pace.slowed_share();
    match percent.round() as u32 {
        0 => format!("{end} steady"),
        percent => format!("{end} took {:.1} times as long for {percent} % of the time", pace.slowed_times()),
    }
}

fn hidden_siblings(facts: &Facts) -> Finding {
    /// Two threads of one core take about 1.3 to 2 times as long for a copy; two cores, as long as one.
    const SLOWED: f64 = 1.25;
    let check = Check {
        name: "hidden-siblings",
        why: "two virtual cores may be one physical core: then each end slows the other, the engine's difference included",
        remedy: "choose other cores (--server-cpu, --client-cpus), or another machine",
    };
    let slowed = facts.paces.slowed_by_the_other();
    let value = slowed.clone().map(|times| format!("together {times:.2} times as long as alone"));
    check.judge(&value, |_| Level::warn_unless(slowed.value().is_some_and(|&times| times < SLOWED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;
    use uring_echo::measure::host::Known;

    fn steady() -> Known<Pace> {
        Known::Value(Pace::of_micros(&[700; 20]))
    }

    #[test]
    fn a_core_that_a_stranger_slows_is_named_with_how_often_and_how_much() {
        let mut facts = Machine::quiet().facts();
        (facts.paces.server, facts.paces.client) = (steady(), steady());
        assert_eq!(steadiness(&facts).level, Level::Pass);
        assert_eq!(steadiness(&facts).value, "server steady, client steady");
        facts.paces.server = Known::Value(Pace::of_micros(&[700, 700, 1400, 1400]));
        assert_eq!(steadiness(&facts).level, Level::Warn);
        assert_eq!(
            steadiness(&facts).value,
            "server took 2.0 times as long for 50 % of the time, client steady"
        );
    }

    #[test]
    fn cores_that_slow_each_other_are_taken_for_one() {
        let mut facts = Machine::quiet().facts();
        assert_eq!(hidden_siblings(&facts).level, Level::Unavailable);
        (facts.paces.server, facts.paces.alone) = (steady(), steady());
        assert_eq!(hidden_siblings(&facts).level, Level::Pass);
        facts.paces.server = Known::Value(Pace::of_micros(&[1200; 20]));
        assert_eq!(hidden_siblings(&facts).level, Level::Warn);
        assert_eq!(hidden_siblings(&facts).value, "together 1.71 times as long as alone");
    }
}
