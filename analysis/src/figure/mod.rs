//! Which figures there are, each with what it was made from.
