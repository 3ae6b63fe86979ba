//! What the figures say, in sentences that carry their limits.

use uring_echo::record::{Limit, Mode};

use super::grid::{Comparison, Grid, Metric};
use crate::recording::manifest::Manifest;
use crate::report::format::{plural, wrap};
use crate::report::statistics::geometric_mean;

/// The verdict, wrapped.
pub(super) fn verdict(grid: &Grid, manifest: &Manifest) -> Vec<String> {
    let noise = noise(grid);
    let mut sentences: Vec<String> =
        grid.comparisons.iter().filter_map(|comparison| compared(grid, comparison, noise)).collect();
    sentences.push(noise_sentence(manifest.repetitions, noise));
    sentences.extend(limit_sentence(grid));
    if manifest.client_cpus.contains(&manifest.server_cpu) {
        sentences.push(
            "Server and client shared a core: CPU per message includes the client's and goodput is of both."
                .into(),
        );
    }
    wrap(&sentences.join(" "))
}

/// By how much a single repetition strays from the median ratio of its cell: the share that three of four cells keep
/// to. `None` when no ratio has two pairs.
fn noise(grid: &Grid) -> Option<f64> {
    let mut deviations: Vec<f64> = Vec::new();
    for comparison in &grid.comparisons {
        let ratios = grid.cells().filter_map(|cell| grid.ratio(cell, comparison, Metric::CpuPerMessage));
        deviations.extend(ratios.filter(|ratio| ratio.pair_count > 1).map(|ratio| ratio.deviation()));
    }
    deviations.sort_by(f64::total_cmp);
    let rank = (deviations.len() * 3).div_ceil(4);
    deviations.get(rank.checked_sub(1)?).copied()
}

fn noise_sentence(repetitions: u32, noise: Option<f64>) -> String {
    let repetitions = plural(repetitions as usize, "repetition");
    match noise {
        Some(noise) => {
            format!("{repetitions}: differences under {} % are noise here.", percent(noise).max(1))
        }
        None => format!("{repetitions}: nothing says how large the noise is."),
    }
}

fn compared(grid: &Grid, comparison: &Comparison, noise: Option<f64>) -> Option<String> {
    let clauses: Vec<_> = grid.modes().filter_map(|mode| clause(grid, mode, comparison, noise)).collect();
    let Comparison { of, to } = comparison;
    (!clauses.is_empty())
        .then(|| format!("Server CPU per message, {of} against {to}: {}.", clauses.join("; ")))
}

fn clause(grid: &Grid, mode: Mode, comparison: &Comparison, noise: Option<f64>) -> Option<String> {
    let ratios = grid.cells_of(mode).filter_map(|cell| grid.ratio(cell, comparison, Metric::CpuPerMessage));
    let mut medians: Vec<f64> = ratios.map(|ratio| ratio.median).collect();
    medians.sort_by(f64::total_cmp);
    let mean = geometric_mean(&medians)?;
    let range = match medians.as_slice() {
        [least, .., most] => format!(", {least:.2} to {most:.2}"),
        _ => String::new(),
    };
    let cells = plural(medians.len(), "cell") + &range;
    Some(format!("{} in {mode} ({cells})", difference(mean, noise)))
}

fn difference(ratio: f64, noise: Option<f64>) -> String {
    match percent((ratio - 1.0).abs()) {
        _ if noise.is_some_and(|noise| (ratio - 1.0).abs() <= noise) => "no clear difference".into(),
        0 => "the same".into(),
        percent if ratio < 1.0 => format!("{percent} % less"),
        percent => format!("{percent} % more"),
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

/// `share` in percent, rounded.
fn percent(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_within_the_noise_is_none() {
        assert_eq!(difference(1.04, Some(0.05)), "no clear difference");
        assert_eq!(difference(0.90, Some(0.05)), "10 % less");
        assert_eq!(difference(1.20, Some(0.05)), "20 % more");
        assert_eq!(difference(1.0, None), "the same");
    }

    #[test]
    fn noise_that_nothing_shows_is_not_claimed_to_be_small() {
        assert_eq!(noise_sentence(1, None), "1 repetition: nothing says how large the noise is.");
        assert_eq!(noise_sentence(3, Some(0.001)), "3 repetitions: differences under 1 % are noise here.");
    }
}
