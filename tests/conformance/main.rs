//! What both servers must survive, each case told in a sentence and run on either engine against the real process.
//!
//! `URING_ECHO_BIN` names a server binary other than the one built beside this test, for a machine without cargo.
//! `URING_ECHO_STRATEGY` names the strategy that io_uring is held to, other than its default.
//! `URING_ECHO_SCALE`, a fraction, shrinks the loads for a slow one.

mod alone;
mod backpressure;
mod churn;
mod echo;
mod exhaustion;
mod fairness;
mod half_close;
mod memory;
mod signals;
mod start_up;
mod strategies;
#[allow(dead_code, unused_imports, reason = "the suites beside this one use the rest")]
mod support;
mod variants;
mod verifier;

/// Makes each named case, a function of an [`Engine`], a test of its own on either engine.
macro_rules! both_engines {
    ($($how:ident: [$($case:ident),+ $(,)?],)+) => {
        mod epoll {
            $($(#[test] fn $case() {
                crate::support::$how(|| super::$case(crate::support::Engine::Epoll));
            })+)+
        }
        mod uring {
            $($(#[test] fn $case() {
                crate::support::$how(|| super::$case(crate::support::Engine::Uring));
            })+)+
        }
    };
}
use both_engines;
