//! What the figures say, in sentences that carry their limits.

use uring_echo::record::Limit;
use uring_echo::words::plural;

use super::grid::{Comparison, Grid};
use super::metric::Metric;
use crate::recording::manifest::Manifest;
use crate::report::format::wrap;
use crate::spec::in_flight::InFlight;
use crate::spec::workload::Workload;
use crate::verdict::{Judge, Mean, Word};

/// The verdict, wrapped.
pub(super) fn verdict(grid: &Grid, manifest: &Manifest) -> Vec<String> {
    let mut sentences: Vec<String> =
        grid.comparisons.iter().filter_map(|comparison| compared(grid, comparison)).collect();
    sentences.extend(grounds(grid, manifest.repetitions));
    sentences.extend(limit_sentence(grid));
    if manifest.client_cpus.contains(&manifest.server_cpu) {
        sentences.push(
            "Server and client shared a core: CPU per message includes the client's and goodput is of both."
                .into(),
        );
    }
    wrap(&sentences.join(" "))
}

/// [`ground`] of each depth of queues that was measured; once where it is the same.
fn grounds(grid: &Grid, repetitions: u32) -> Vec<String> {
    let ground = |of| (of, ground(grid.judge(of, Metric::CpuPerMessage), repetitions));
    let all: Vec<(Option<InFlight>, String)> = grid.in_flight().map(ground).collect();
    match &all[..] {
        [(_, first), rest @ ..] if rest.iter().any(|(_, other)| other != first) => {
            let say = |(of, ground): &(Option<InFlight>, String)| match of {
                Some(level) => format!("With {}: {ground}", level.in_words()),
                None => ground.clone(),
            };
            all.iter().map(say).collect()
        }
        all => all.iter().take(1).map(|(_, ground)| ground.clone()).collect(),
    }
}

/// On what the words above stand, or why there are none.
fn ground(judge: &Judge, repetitions: u32) -> String {
    let repetitions = plural(repetitions, "repetition");
    match judge.smallest_effect() {
        Ok(effect) => format!(
            "{repetitions}; by the A/A control, differences of {:.1} % or less are noise here.",
            effect * 100.0
        ),
        Err(why) => format!("{repetitions}; {why}."),
    }
}

fn compared(grid: &Grid, comparison: &Comparison) -> Option<String> {
    let of = |workload| Some(clause(workload, &grid.mean(workload, comparison, Metric::CpuPerMessage)?));
    let clauses: Vec<_> = grid.workloads().into_iter().filter_map(of).collect();
    let Comparison { of, to } = comparison;
    (!clauses.is_empty())
        .then(|| format!("Server CPU per message, {of} against {to}: {}.", clauses.join("; ")))
}

fn clause(workload: Workload, mean: &Mean) -> String {
    let range = match mean.least.zip(mean.most) {
        Some((least, most)) if mean.cells > 1 => format!(", {least:.2} to {most:.2}"),
        _ => String::new(),
    };
    let cells = plural(mean.cells, "cell") + &range;
    format!("{} in {} ({cells})", in_words(mean), workload.in_words())
}

fn in_words(mean: &Mean) -> String {
    let Some(ratio) = mean.mean else { return Word::NoClaim.to_string() };
    match mean.verdict {
        Word::NoDifference => format!("no difference ({ratio:.2})"),
        Word::NoClaim => format!("{ratio:.2} (no claim)"),
        word => format!("{:.0} % {word}", (ratio - 1.0).abs() * 100.0),
    }
}

/// In how many cells goodput is no statement about the server.
fn limit_sentence(grid: &Grid) -> Option<String> {
    let is_limited_elsewhere = |cell| {
        let samples = grid.engines.iter().filter_map(|engine| grid.samples(cell, engine));
        samples.flat_map(super::grid::Samples::limits).any(|limit| limit != Limit::Server)
    };
    let cell_count = grid.cells().count();
    match grid.cells().filter(|&cell| is_limited_elsewhere(cell)).count() {
        0 => None,
        count => Some(format!(
            "In {count} of {cell_count} cells some run was not limited by the server alone: there goodput is no \
             measure of the server, CPU per message still is."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Size;
    use crate::verdict::{Control, Silence};

    #[test]
    fn a_mean_is_told_in_the_word_that_its_recording_may_use() {
        let judge = Judge::new(Size::Full, Some(&Control::of(&[0.97, 1.0, 1.02])));
        let said = |ratio: f64, judge| {
            let cell = [0.99, 0.995, 1.0, 1.005, 1.01].map(|noise| ratio * noise);
            in_words(&Mean::of(&[cell.to_vec()], judge))
        };
        assert_eq!(said(0.90, &judge), "10 % less");
        assert_eq!(said(1.20, &judge), "20 % more");
        assert_eq!(said(0.98, &judge), "no difference (0.98)");
        assert_eq!(said(0.90, &Judge::silent(Silence::Quick)), "0.90 (no claim)");
    }

    #[test]
    fn the_ground_of_the_words_or_of_their_absence_is_told() {
        let judge = Judge::new(Size::Full, Some(&Control::of(&[0.97, 1.0, 1.02])));
        assert_eq!(
            ground(&judge, 5),
            "5 repetitions; by the A/A control, differences of 3.0 % or less are noise here."
        );
        assert_eq!(ground(&Judge::silent(Silence::Quick), 1), "1 repetition; quick size: claims nothing.");
    }
}
