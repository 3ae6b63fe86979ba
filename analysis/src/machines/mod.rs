//! The same experiments on every machine that recorded them: does the answer hold elsewhere?
//!
//! Of several recordings of an experiment on one machine the newest counts, and the one before it says how far it can be
//! repeated.

mod machine;
mod table;

use std::path::PathBuf;

pub(crate) use machine::Machine;
pub(crate) use table::table;

use crate::recording::{self, Recording};
use crate::values::ExperimentValues;

/// A machine and what was recorded on it, by the name of the experiment.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) machine: Machine,
    /// The newest recording of each experiment, by name.
    pub(crate) experiments: Vec<(String, ExperimentValues)>,
    /// The one before, of each that was made more than once.
    pub(crate) earlier: Vec<(String, ExperimentValues)>,
}

/// The machines of the recordings below each folder of `results`: those of the first folder first, and of one folder the one
/// that recorded last.
///
/// # Errors
/// When a folder holds no recording, or one has no readable manifest.
pub(crate) fn read(results: &[PathBuf]) -> anyhow::Result<Vec<Recorded>> {
    let mut machines: Vec<Recorded> = Vec::new();
    for folder in results {
        for recording in recording::all(folder)?.iter().rev() {
            enter(&mut machines, &Recording::read(recording, || {})?)?;
        }
    }
    for recorded in &mut machines {
        recorded.experiments.sort_by(|one, other| one.0.cmp(&other.0));
        recorded.earlier.sort_by(|one, other| one.0.cmp(&other.0));
    }
    Ok(machines)
}

/// Enters `recording`, unless two newer ones of its experiment are there for its machine.
fn enter(machines: &mut Vec<Recorded>, recording: &Recording) -> anyhow::Result<()> {
    let machine = Machine::of(recording.host.as_ref());
    let index =
        machines.iter_mut().position(|recorded| recorded.machine.absorb(&machine)).unwrap_or_else(|| {
            machines.push(Recorded { machine, experiments: Vec::new(), earlier: Vec::new() });
            machines.len() - 1
        });
    let name = recording.experiment();
    let Recorded { experiments, earlier, .. } = &mut machines[index];
    let lacks = |list: &&mut Vec<(String, ExperimentValues)>| list.iter().all(|(other, _)| other != name);
    if let Some(list) = [experiments, earlier].into_iter().find(lacks) {
        list.push((name.to_owned(), ExperimentValues::of(recording)?));
    }
    Ok(())
}
