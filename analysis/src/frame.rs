//! Runs, connections and series as data frames.
