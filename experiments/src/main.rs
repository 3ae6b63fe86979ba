//! Runs uring-echo experiments and keeps their recordings.
fn main() {}
