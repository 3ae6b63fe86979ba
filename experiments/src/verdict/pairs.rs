//! Ratios of runs that belong together.

/// Two servers that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Numerator.
    pub of: String,
    /// Denominator.
    pub to: String,
}

impl Comparison {
    /// Reads `numerator/denominator`.
    pub fn parse(text: &str) -> Option<Self> {
        let (of, to) = text.split_once('/')?;
        Some(Self { of: of.into(), to: to.into() })
    }

    /// Its name, `numerator/denominator`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.of, self.to)
    }
}

/// The ratios of the repetitions that have both sides: entry `i` of both is repetition `i`, `None` where there is no valid
/// run.
///
/// The two runs of a repetition were made right after each other, so what drifts over minutes cancels out of their ratio.
/// It would not cancel out of a ratio of medians. A side that is not positive measured nothing and makes no pair.
pub fn paired_ratios(numerators: &[Option<f64>], denominators: &[Option<f64>]) -> Vec<f64> {
    let pairs = numerators.iter().zip(denominators).filter_map(|(&of, &to)| Some((of?, to?)));
    pairs.filter(|&(of, to)| of > 0.0 && to > 0.0).map(|(of, to)| of / to).collect()
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
    fn ratios_pair_by_repetition_and_not_by_rank() {
        // Sorted, the pairs would be 6/4, 8/5 and 10/6.
        let of = [Some(10.0), Some(8.0), Some(6.0)];
        assert_eq!(paired_ratios(&of, &[Some(5.0), Some(4.0), Some(6.0)]), [2.0, 2.0, 1.0]);
    }
}
