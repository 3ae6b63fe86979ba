//! Medians, intervals, means, percentiles of merged histograms.
