//! Which runs count, and what is said of those that do not.
