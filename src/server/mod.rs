//! The two echo servers, and a sink.
//!
//! [`epoll`] and [`uring`] are twins: one struct each with the same functions in the same order, that in which a byte
//! travels, so that a side-by-side diff shows what readiness and completion really change. Both let one [`connection::Connection`]
//! decide; they share decisions and never buffers. [`discard`] echoes nothing: the client's ceiling is measured with it.

pub mod budget;
pub mod config;
pub mod connection;
pub mod discard;
pub mod epoll;
pub mod error;
pub mod fit;
pub mod hot_set;
pub mod lifecycle;
pub mod listener;
pub mod queue;
#[cfg(test)]
mod simulation;
pub mod spill;
pub mod stats;
pub mod uring;
pub mod watch;
