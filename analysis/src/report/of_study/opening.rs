//! What the page opens with: the answer in a sentence, and where it ends.

use std::collections::BTreeMap;

use experiments::spec::workload::Workload;
use uring_echo::record::Mode;

use super::host::fact;
use super::means::mean;
use crate::figure::study::answer::{speaker, workloads};
use crate::metric;
use crate::statistics::{Mean, Word};
use crate::values::{Control, ExperimentValues};

/// One sentence: in how many cells which engine takes less CPU time per message. It speaks of the same
/// recordings as the picture above it.
pub(super) fn verdict(experiments: &BTreeMap<String, ExperimentValues>) -> String {
    let of = |workload: Workload| {
        let (name, values) = speaker(experiments, workload)?;
        Some((name, mean(&values.grid, workload, metric::CPU)?))
    };
    let parts =
        workloads(experiments).into_iter().filter_map(|of_it| Some(in_words(&when(of_it), of(of_it)?)));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return "No recording here compares io_uring with epoll; what follows is what the study of 2023 published."
            .to_owned();
    }
    parts.join(" ")
}

fn when(workload: Workload) -> String {
    let in_flight =
        workload.in_flight.map_or_else(String::new, |level| format!(" with {}", level.in_words()));
    match workload.mode {
        Mode::Stream => format!("When clients stream{in_flight}"),
        Mode::ReqRes => "In request-response".to_owned(),
    }
}

fn in_words(when: &str, (experiment, mean): (&String, &Mean)) -> String {
    let ratio = mean.mean.map_or_else(|| "an unknown part".to_owned(), |value| format!("{value:.2}"));
    let interval = match mean.low.zip(mean.high) {
        Some((low, high)) => format!("95 % interval {low:.2} to {high:.2}"),
        None => "without an interval".to_owned(),
    };
    let claim = match mean.verdict {
        Word::NoClaim => "the recording claims nothing".to_owned(),
        word => format!("the verdict is {word}: less in {}, more in {}", mean.less, mean.more),
    };
    format!(
        "{when}, a message costs io_uring {ratio} of what it costs epoll ({interval}, {} cells of {experiment}); {claim}.",
        mean.cells
    )
}

/// The machine, once if all recordings were made on the same, and what each recording can tell from noise.
pub(super) fn limits(experiments: &BTreeMap<String, ExperimentValues>) -> Vec<String> {
    let machines: Vec<String> = experiments.values().map(machine).collect();
    let is_one = machines.windows(2).all(|pair| pair[0] == pair[1]);
    let common = machines.first().filter(|_| is_one).map(|machine| format!("All on {machine}."));
    let own = experiments.iter().zip(&machines).map(|((name, values), machine)| {
        let on = if is_one { String::new() } else { format!("{machine}, ") };
        let claims = values.claims_nothing.as_ref().map_or_else(String::new, |why| format!("{why}; "));
        let noise = noise(values.control.get(metric::CPU));
        format!("{name} ({}): {on}{} repetitions; {claims}{noise}.", values.size, values.repetitions)
    });
    common.into_iter().chain(own).collect()
}

fn machine(values: &ExperimentValues) -> String {
    let fact = |path: &[&str]| fact(&values.host, path);
    format!(
        "{}, {} online CPUs, Linux {}, server on CPU {}, loopback",
        fact(&["cpu", "model"]),
        fact(&["cpu", "online_count"]),
        fact(&["kernel", "release"]),
        values.server_cpu
    )
}

fn noise(control: Option<&Control>) -> String {
    let Some(effect) = control.and_then(|control| control.smallest_effect) else {
        return "no A/A control of its cost, so the smallest claimable difference is unknown".to_owned();
    };
    let told = format!("differences below {:.0} % are noise (A/A control)", (effect * 100.0).ceil());
    match control.and_then(|control| control.contains_1) {
        Some(false) => format!("{told}, and the control itself differs from 1: read it with care"),
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Estimate;

    #[test]
    fn a_control_that_differs_from_1_is_told_from_one_that_holds_it() {
        let control = |contains_1, smallest_effect| Control {
            ratio: Estimate::of(&[]),
            contains_1: Some(contains_1),
            smallest_effect: Some(smallest_effect),
        };
        assert!(noise(None).starts_with("no A/A control"));
        assert_eq!(noise(Some(&control(true, 0.041))), "differences below 5 % are noise (A/A control)");
        assert!(noise(Some(&control(false, 0.1))).contains("below 10 %"));
        assert!(noise(Some(&control(false, 0.1))).ends_with("differs from 1: read it with care"));
    }
}
