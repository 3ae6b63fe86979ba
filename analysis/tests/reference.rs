//! The statistics agree with NumPy and SciPy: `reference/make_reference.py` made what they are held to.

use std::collections::BTreeMap;

use analysis::statistics::{Estimate, Judge, Latency, Mean, Silence, geometric_mean, median, percentile};
use serde::Deserialize;
use uring_echo::measure::fairness::jain;
use uring_echo::measure::histogram::Histogram;
use uring_echo::units::Nanos;

/// What arithmetic of doubles may differ by.
const EXACT: f64 = 1e-12;

/// What 2000 resamples may differ by from all of them, relative to the interval's length.
const RESAMPLED: f64 = 0.05;

/// What three significant digits of a histogram may differ by.
const THREE_DIGITS: f64 = 1e-3;

#[derive(Deserialize)]
struct Reference {
    samples: Vec<Sample>,
    cells: Vec<Vec<f64>>,
    mean: f64,
    mean_interval: [f64; 2],
    spans_ns: Vec<Vec<u64>>,
    merged_ns: BTreeMap<String, u64>,
    allocations: Vec<u64>,
    jain: f64,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    values: Vec<f64>,
    median: f64,
    percentile_10: f64,
    geometric_mean: f64,
    interval: [f64; 2],
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/reference.json")).unwrap()
}

fn hold(what: &str, got: Option<f64>, expected: f64, tolerance: f64) {
    let got = got.unwrap_or_else(|| panic!("{what} has no value"));
    assert!((got - expected).abs() <= tolerance, "{what}: {got}, reference {expected}");
}

#[test]
fn medians_percentiles_and_means_are_those_of_numpy_and_scipy() {
    for sample in reference().samples {
        let Sample { name, mut values, median: of_numpy, percentile_10, geometric_mean: of_scipy, .. } =
            sample;
        hold(&name, median(&values), of_numpy, of_numpy * EXACT);
        hold(&name, geometric_mean(&values), of_scipy, of_scipy * EXACT);
        values.sort_by(f64::total_cmp);
        hold(&name, percentile(&values, 0.1), percentile_10, percentile_10 * EXACT);
    }
}

#[test]
fn bootstrap_intervals_are_those_of_every_resample_or_of_scipy() {
    for Sample { name, values, interval: [low, high], .. } in reference().samples {
        let estimate = Estimate::of(&values);
        hold(&name, estimate.low, low, (high - low) * RESAMPLED);
        hold(&name, estimate.high, high, (high - low) * RESAMPLED);
    }
}

#[test]
fn the_interval_of_a_mean_over_cells_is_that_of_numpy() {
    let Reference { cells, mean: expected, mean_interval: [low, high], .. } = reference();
    let mean = Mean::of(&cells, &Judge::silent(Silence::NoControl));
    hold("mean", mean.mean, expected, expected * EXACT);
    hold("low", mean.low, low, (high - low) * RESAMPLED);
    hold("high", mean.high, high, (high - low) * RESAMPLED);
}

#[test]
fn percentiles_of_merged_histograms_are_those_of_all_spans_together() {
    let Reference { spans_ns, merged_ns, .. } = reference();
    let parts: Vec<Latency> = spans_ns
        .iter()
        .map(|spans| {
            let mut histogram = Histogram::new();
            spans.iter().for_each(|&span| histogram.record(Nanos(span)));
            Latency::decode(&histogram.encode(), histogram.count()).unwrap()
        })
        .collect();
    let merged = Latency::merged(&parts).unwrap();
    assert_eq!(merged_ns.len(), 4);
    for (share, expected) in merged_ns {
        let got = merged.quantile_ns(share.parse().unwrap()) as f64;
        hold(&share, Some(got), expected as f64, expected as f64 * THREE_DIGITS);
    }
}

#[test]
fn jains_index_is_that_of_numpy() {
    let Reference { allocations, jain: expected, .. } = reference();
    hold("jain", jain(&allocations), expected, EXACT);
}
