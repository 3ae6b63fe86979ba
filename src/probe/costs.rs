//! What it costs here to go into the kernel and back: what a server that makes fewer system calls saves.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use serde::{Deserialize, Serialize};

use crate::measure::host::{Host, Known};
use crate::sys::epoll::{Epoll, Events};
use crate::sys::nop_ring::NopRing;
use crate::sys::{affinity, clock};
use crate::table::{self, Column, Row, left, right};
use crate::units::Nanos;

/// Times that each operation is timed, each time for [`ROUND`].
const ROUNDS: usize = 40;
const ROUND: Nanos = Nanos::from_millis(5);
/// Operations between two looks at the clock.
const STRIDE: usize = 64;
/// Operations that a ring takes in one system call.
const BATCH: usize = 32;

/// What operations cost that do next to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Each operation.
    pub operations: Vec<Cost>,
    /// What the kernel does against faults of this CPU, by the name of the fault. It is part of each cost, and a running system cannot
    /// say how much of it.
    pub mitigations: Vec<(String, String)>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// What it is.
    pub operation: String,
    /// The least of a round, in nanoseconds: undisturbed.
    pub least_ns: f64,
    /// The median of the rounds.
    pub median_ns: f64,
}

impl Costs {
    /// Takes about two seconds, on one of the CPUs that this process may use.
    ///
    /// # Errors
    /// When the kernel refuses one of the operations.
    pub fn measure() -> io::Result<Self> {
        // A migration in a round would be in its time.
        let own = affinity::permitted(0)?;
        affinity::pin(&own[..1])?;
        let measured = operations();
        affinity::pin(&own)?;
        Ok(Self { operations: measured?, mitigations: mitigations(&Host::capture()) })
    }
}

fn operations() -> io::Result<Vec<Cost>> {
    let (epoll, mut events) = (Epoll::new()?, Events::with_capacity(1));
    let (mut alone, mut batch) = (NopRing::new(1)?, NopRing::new(BATCH)?);
    let (mut near, mut far) = UnixStream::pair()?;
    let mut byte = [0];
    Ok(vec![
        cost("getppid", 1, || {
            let _ = rustix::process::getppid();
            Ok(())
        })?,
        cost("epoll_wait, nothing ready", 1, || Ok(epoll.wait(&mut events, Some(Nanos(0))).map(drop)?))?,
        cost("io_uring_enter, one NOP", 1, || alone.round())?,
        cost(&format!("one of {BATCH} NOPs in an io_uring_enter"), BATCH, || batch.round())?,
        cost("send and receive of a byte, Unix socket", 1, || {
            near.write_all(&[1])?;
            far.read_exact(&mut byte)
        })?,
    ])
}

/// What one of the `count` operations costs that a call of `act` makes.
fn cost(operation: &str, count: usize, mut act: impl FnMut() -> io::Result<()>) -> io::Result<Cost> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let (begin, mut done) = (clock::monotonic(), 0);
        let spent = loop {
            for _ in 0..STRIDE {
                act()?;
            }
            done += STRIDE * count;
            let spent = clock::monotonic() - begin;
            if spent >= ROUND {
                break spent;
            }
        };
        rounds.push(spent.0 as f64 / done as f64);
    }
    rounds.sort_by(f64::total_cmp);
    Ok(Cost { operation: operation.to_owned(), least_ns: rounds[0], median_ns: rounds[ROUNDS / 2] })
}

fn mitigations(host: &Host) -> Vec<(String, String)> {
    let known = host.vulnerabilities.value().into_iter().flatten();
    let acts = known.filter_map(|(name, state)| {
        let Known::Value(state) = state else { return None };
        state.starts_with("Mitigation").then(|| (name.clone(), state.clone()))
    });
    acts.collect()
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const COLUMNS: [Column; 3] = [left("operation", ""), right("least", "ns"), right("median", "ns")];
        let row = |cost: &Cost| {
            let [least, median] = [cost.least_ns, cost.median_ns].map(|ns| format!("{ns:.1}"));
            Row::Cells(vec![cost.operation.clone(), least, median])
        };
        let rows: Vec<Row> = self.operations.iter().map(row).collect();
        writeln!(f, "{}\n", table::render(&COLUMNS, &rows).join("\n"))?;
        if self.mitigations.is_empty() {
            return f.write_str("The kernel works around no fault of this CPU.");
        }
        f.write_str("In each of them, by an amount that a running system cannot tell:")?;
        self.mitigations.iter().try_for_each(|(name, state)| write!(f, "\n  {name}: {state}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_timed_and_told() {
        let costs = Costs::measure().unwrap();
        assert_eq!(costs.operations.len(), 5);
        assert!(costs.operations.iter().all(|cost| cost.least_ns > 0.0 && cost.least_ns <= cost.median_ns));
        let told = costs.to_string();
        assert!(costs.operations.iter().all(|cost| told.contains(&cost.operation)), "{told}");
        let read: Costs = serde_json::from_str(&serde_json::to_string(&costs).unwrap()).unwrap();
        assert_eq!(read, costs);
    }

    #[test]
    fn an_operation_that_fails_is_no_cost() {
        assert!(cost("x", 1, || Err(io::ErrorKind::Other.into())).is_err());
    }
}
