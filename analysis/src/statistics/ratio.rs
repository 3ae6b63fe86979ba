//! Ratios of two servers: paired within a cell, averaged over cells.

use serde::Serialize;

use super::{Estimate, bootstrap, geometric_mean, median};

/// The ratios of the repetitions that have both sides: entry `i` of both is repetition `i`.
///
/// The two runs of a repetition were made right after each other, so what drifts over minutes cancels out.
pub fn paired_ratios(numerators: &[Option<f64>], denominators: &[Option<f64>]) -> Vec<f64> {
    let pairs = numerators.iter().zip(denominators).filter_map(|(&of, &to)| Some((of?, to?)));
    pairs.filter(|&(of, to)| of > 0.0 && to > 0.0).map(|(of, to)| of / to).collect()
}

/// What the cells of an experiment say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// Geometric mean of the cells' medians; `None` without a cell.
    pub mean: Option<f64>,
    /// Lower end of its 95 % bootstrap interval, each cell's repetitions resampled by themselves. `None` without
    /// repetitions.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Cells that it stands on.
    pub cells: usize,
    /// Smallest median of a cell.
    pub least: Option<f64>,
    /// Largest median of a cell.
    pub most: Option<f64>,
    /// Cells whose interval lies below 1.
    pub clearly_below_1: usize,
    /// Cells whose interval lies above 1.
    pub clearly_above_1: usize,
}

/// The mean of `cells`, each the ratios of its repetitions. Cells without a ratio are left out and not counted.
pub fn mean_of_ratios(cells: &[Vec<f64>]) -> Mean {
    let strata: Vec<&[f64]> = cells.iter().map(Vec::as_slice).filter(|cell| !cell.is_empty()).collect();
    let medians: Vec<f64> = strata.iter().filter_map(|cell| median(cell)).collect();
    let estimates: Vec<Estimate> = strata.iter().map(|cell| Estimate::of(cell)).collect();
    let ends = bootstrap::interval(&strata, |drawn| {
        geometric_mean(&drawn.iter().filter_map(|cell| median(cell)).collect::<Vec<_>>())
    });
    Mean {
        mean: geometric_mean(&medians),
        low: ends.map(|(low, _)| low),
        high: ends.map(|(_, high)| high),
        cells: medians.len(),
        least: medians.iter().copied().min_by(f64::total_cmp),
        most: medians.iter().copied().max_by(f64::total_cmp),
        clearly_below_1: estimates.iter().filter(|cell| cell.high.is_some_and(|high| high < 1.0)).count(),
        clearly_above_1: estimates.iter().filter(|cell| cell.low.is_some_and(|low| low > 1.0)).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_that_lack_a_side_or_measured_nothing_do_not_pair() {
        let of = [Some(2.0), None, Some(3.0), Some(1.0), Some(0.0)];
        let to = [Some(1.0), Some(1.0), None, Some(0.0), Some(1.0)];
        assert_eq!(paired_ratios(&of, &to), [2.0]);
    }

    #[test]
    fn a_mean_counts_the_cells_whose_intervals_exclude_equality() {
        let mean = mean_of_ratios(&[vec![0.7, 0.8, 0.9], vec![1.1, 1.2, 1.3], vec![0.9, 1.0, 1.1], vec![]]);
        assert_eq!((mean.cells, mean.clearly_below_1, mean.clearly_above_1), (3, 1, 1));
        assert_eq!((mean.least, mean.most), (Some(0.8), Some(1.2)));
        assert!(mean.low < mean.mean && mean.mean < mean.high);
    }

    #[test]
    fn single_runs_have_a_mean_without_an_interval() {
        let mean = mean_of_ratios(&[vec![2.0], vec![0.5]]);
        assert!((mean.mean.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!((mean.low, mean.high, mean.clearly_below_1), (None, None, 0));
    }

    #[test]
    fn no_cells_have_no_mean() {
        assert_eq!((mean_of_ratios(&[]).mean, mean_of_ratios(&[]).cells), (None, 0));
    }
}
