//! The same experiments on every machine that recorded them: does the answer hold elsewhere?
//!
//! Of several recordings of an experiment on one machine the newest counts.

mod machine;
mod table;

use std::path::PathBuf;

pub use machine::Machine;
pub use table::table;

use crate::recording::{self, Recording};
use crate::values::ExperimentValues;

/// A machine and what was recorded on it, by the name of the experiment.
#[derive(Debug)]
pub struct Recorded {
    /// The machine.
    pub machine: Machine,
    /// The newest recording of each experiment, by name.
    pub experiments: Vec<(String, ExperimentValues)>,
}

/// The machines of the recordings below each folder of `results`: those of the first folder first, and of one folder the one
/// that recorded last.
///
/// # Errors
/// When a folder holds no recording, or one has no readable manifest.
pub fn read(results: &[PathBuf]) -> anyhow::Result<Vec<Recorded>> {
    let mut machines: Vec<Recorded> = Vec::new();
    for folder in results {
        for recording in recording::all(folder)?.iter().rev() {
            enter(&mut machines, &Recording::read(recording, || {})?)?;
        }
    }
    machines.iter_mut().for_each(|recorded| recorded.experiments.sort_by(|one, other| one.0.cmp(&other.0)));
    Ok(machines)
}

/// Enters `recording`, unless a newer one of its experiment is there for its machine.
fn enter(machines: &mut Vec<Recorded>, recording: &Recording) -> anyhow::Result<()> {
    let machine = Machine::of(recording.host.as_ref());
    let index =
        machines.iter_mut().position(|recorded| recorded.machine.absorb(&machine)).unwrap_or_else(|| {
            machines.push(Recorded { machine, experiments: Vec::new() });
            machines.len() - 1
        });
    let (name, experiments) = (recording.experiment(), &mut machines[index].experiments);
    if experiments.iter().all(|(other, _)| other != name) {
        experiments.push((name.to_owned(), ExperimentValues::of(recording)?));
    }
    Ok(())
}
