"""Makes reference.json: what NumPy and SciPy say of the samples that analysis/tests/reference.rs computes with.

Run: python make_reference.py > reference.json      (numpy 2.4.6, scipy 1.17.1)
"""

import itertools
import json

import numpy as np
import scipy.stats

random = np.random.default_rng(2023)

SAMPLES = {
    "five_ratios": [0.91, 0.97, 0.88, 1.02, 0.94],
    "six_ratios": [1.31, 1.27, 1.33, 1.22, 1.4, 1.29],
    "thirty_costs": np.round(random.normal(1000, 60, 30), 3).tolist(),
}
CELLS = [[0.9, 0.95, 1.0, 0.93, 0.97], [1.1, 1.05, 1.2, 1.15, 1.02], [0.7, 0.75, 0.72, 0.71, 0.9]]
SPANS = [np.round(random.lognormal(10, 0.8, 400)).astype(int).tolist() for _ in range(3)]
ALLOCATIONS = random.integers(1, 100_000, 64).tolist()


def exact_interval(values):
    """The percentile interval of the median over all n^n resamples, not a sample of them."""
    medians = [np.median(drawn) for drawn in itertools.product(values, repeat=len(values))]
    return np.percentile(medians, [2.5, 97.5]).tolist()


def sampled_interval(values):
    interval = scipy.stats.bootstrap(
        (values,), np.median, n_resamples=200_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    return [interval.low, interval.high]


def mean_interval(cells):
    """Stratified: each cell resampled by itself, the geometric mean of their medians."""
    drawn = [np.median(random.choice(cell, (200_000, len(cell))), axis=1) for cell in cells]
    return np.percentile(scipy.stats.gmean(drawn, axis=0), [2.5, 97.5]).tolist()


print(
    json.dumps(
        {
            "samples": [
                {
                    "name": name,
                    "values": values,
                    "median": float(np.median(values)),
                    "percentile_10": float(np.percentile(values, 10)),
                    "geometric_mean": float(scipy.stats.gmean(values)),
                    "interval": exact_interval(values) if len(values) <= 6 else sampled_interval(values),
                }
                for name, values in SAMPLES.items()
            ],
            "cells": CELLS,
            "mean": float(scipy.stats.gmean([np.median(cell) for cell in CELLS])),
            "mean_interval": mean_interval(CELLS),
            "spans_ns": SPANS,
            "merged_ns": {
                str(share): int(np.percentile(np.concatenate(SPANS), share * 100, method="inverted_cdf"))
                for share in (0.5, 0.9, 0.99, 0.999)
            },
            "allocations": ALLOCATIONS,
            "jain": float(np.sum(ALLOCATIONS) ** 2 / (len(ALLOCATIONS) * np.sum(np.square(ALLOCATIONS)))),
        },
        indent=1,
    )
)
