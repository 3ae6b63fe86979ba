//! The numbers of an experiment as CSV.
