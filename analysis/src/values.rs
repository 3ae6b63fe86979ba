//! Every number that may be quoted, under a key.
