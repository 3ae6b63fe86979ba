//! The two echo servers, and a sink.
//!
//! [`core`] decides what may happen next and does no I/O. [`shell`] is what every server has around its engine: listener,
//! signals, settings. [`epoll`] and [`uring`] are the engines, twins: the same functions in the same order, that in which a
//! byte travels, so that a side-by-side diff shows what readiness and completion really change. [`discard`] echoes nothing:
//! the client's ceiling is measured with it.

pub mod core;
#[cfg(test)]
mod deadline;
pub mod discard;
pub mod epoll;
pub mod shell;
#[cfg(test)]
mod simulation;
pub mod strategies;
pub mod uring;
