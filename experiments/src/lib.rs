//! Runs uring-echo experiments and keeps their recordings.

pub mod vm;
