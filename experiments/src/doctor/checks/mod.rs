//! The checks: each judges one thing of the facts, and does nothing else.

mod network;
mod now;
mod pace;
mod processor;
mod sysctl;
mod system;

use super::facts::Facts;
use super::finding::Finding;

/// Judges everything.
pub fn all(facts: &Facts) -> Vec<Finding> {
    let groups = [processor::CHECKS, system::CHECKS, network::CHECKS, now::CHECKS, pace::CHECKS];
    let judged = groups.concat().into_iter().map(|check| check(facts));
    judged.chain(sysctl::RULES.iter().map(|rule| rule.judge(facts))).collect()
}

/// A check: one judgement on the facts.
type CheckFn = fn(&Facts) -> Finding;
