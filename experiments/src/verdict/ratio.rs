//! What may be said of a ratio in one cell, and of the mean of a ratio over many.

use serde::Serialize;

use super::bootstrap::interval;
use super::estimate::Estimate;
use super::statistics::{geometric_mean, median};
use super::words::{Judge, Word};

/// How two servers compare in one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// The ratio, over the pairs of the cell.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// What may be said of it.
    pub verdict: Word,
}

impl Ratio {
    /// What `judge` says of `ratios`, one a pair.
    pub fn of(ratios: &[f64], judge: &Judge) -> Self {
        let estimate = Estimate::of(ratios);
        Self { verdict: judge.word(estimate.median, estimate.low.zip(estimate.high), estimate.n), estimate }
    }
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
    /// Cells whose interval lies below 1. That alone claims nothing: see `less`.
    pub intervals_below_1: usize,
    /// Cells whose interval lies above 1.
    pub intervals_above_1: usize,
    /// What may be said of the mean.
    pub verdict: Word,
    /// Cells of which "less" may be said.
    pub less: usize,
    /// Cells of which "more" may be said.
    pub more: usize,
}

impl Mean {
    /// What `judge` says of `cells`, each the ratios of its repetitions. Cells without a ratio are left out and not
    /// counted. The mean stands on as many repetitions as its cells have at most.
    pub fn of(cells: &[Vec<f64>], judge: &Judge) -> Self {
        let strata: Vec<&[f64]> = cells.iter().map(Vec::as_slice).filter(|cell| !cell.is_empty()).collect();
        let ratios: Vec<Ratio> = strata.iter().map(|cell| Ratio::of(cell, judge)).collect();
        let medians: Vec<f64> = ratios.iter().filter_map(|ratio| ratio.estimate.median).collect();
        let mean = geometric_mean(&medians);
        let ends = interval(&strata, |drawn| {
            geometric_mean(&drawn.iter().filter_map(|cell| median(cell)).collect::<Vec<_>>())
        });
        let repetitions = strata.iter().map(|cell| cell.len()).max().unwrap_or(0);
        let count = |is: &dyn Fn(&Ratio) -> bool| ratios.iter().filter(|ratio| is(ratio)).count();
        Self {
            mean,
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
            cells: medians.len(),
            least: medians.iter().copied().min_by(f64::total_cmp),
            most: medians.iter().copied().max_by(f64::total_cmp),
            intervals_below_1: count(&|ratio| ratio.estimate.high.is_some_and(|high| high < 1.0)),
            intervals_above_1: count(&|ratio| ratio.estimate.low.is_some_and(|low| low > 1.0)),
            verdict: judge.word(mean, ends, repetitions),
            less: count(&|ratio| ratio.verdict == Word::Less),
            more: count(&|ratio| ratio.verdict == Word::More),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Size;
    use crate::verdict::{Control, Silence};

    /// A judge of a full recording whose control reaches 4 % from 1.
    fn judge() -> Judge {
        Judge::new(Size::Full, Some(&Control::of(&[0.96, 0.98, 1.0, 1.02, 1.03])))
    }

    #[test]
    fn a_mean_counts_the_cells_of_which_something_may_be_said() {
        let cells = [
            vec![0.7, 0.75, 0.8, 0.85, 0.9],
            vec![1.1, 1.15, 1.2, 1.25, 1.3],
            vec![0.9, 0.95, 1.0, 1.05, 1.1],
            // The interval excludes 1, the median is within what the control says: nothing may be said.
            vec![0.961, 0.962, 0.963, 0.964, 0.965],
            vec![],
        ];
        let mean = Mean::of(&cells, &judge());
        assert_eq!((mean.cells, mean.less, mean.more), (4, 1, 1));
        assert_eq!((mean.intervals_below_1, mean.intervals_above_1), (2, 1));
        assert_eq!((mean.least, mean.most), (Some(0.8), Some(1.2)));
        assert!(mean.low < mean.mean && mean.mean < mean.high);
        assert_eq!(mean.verdict, Word::NoDifference);
    }

    #[test]
    fn single_runs_have_a_mean_without_an_interval_and_claim_nothing() {
        let mean = Mean::of(&[vec![2.0], vec![4.5]], &judge());
        assert!((mean.mean.unwrap() - 3.0).abs() < 1e-12);
        assert_eq!((mean.low, mean.high, mean.verdict), (None, None, Word::NoClaim));
    }

    #[test]
    fn no_cells_have_no_mean() {
        let mean = Mean::of(&[], &Judge::silent(Silence::NoControl));
        assert_eq!((mean.mean, mean.cells, mean.verdict), (None, 0, Word::NoClaim));
    }
}
