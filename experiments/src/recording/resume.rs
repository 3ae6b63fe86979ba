//! Going on with a recording: the same runs, by the same programs, on the same machine, or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use uring_echo::measure::host::Host;

use crate::plan::{self, Run};
use crate::recording::manifest::{Manifest, ProgramEntry, Status};
use crate::recording::{HOST, Recording, SPEC, convert};
use crate::spec::Spec;

/// The newest recording of `experiment` below `results` that has runs to make and runs that were made. One without any is
/// what a start that failed leaves behind: the interrupted one is another.
///
/// # Errors
/// When there is none, or it must be converted first.
pub fn newest_unfinished(results: &Path, experiment: &str) -> anyhow::Result<PathBuf> {
    let folder = results.join(experiment);
    let list =
        fs::read_dir(&folder).with_context(|| format!("there is no recording in {}", folder.display()))?;
    let mut folders: Vec<PathBuf> = list.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for candidate in folders.into_iter().rev() {
        match Recording::open(&candidate) {
            Ok(recording) if is_to_resume(recording.manifest()) => return Ok(candidate),
            Err(error) if convert::is_to_convert(&candidate) => return Err(error),
            _ => {}
        }
    }
    bail!(
        "every recording in {} is complete, or has no run yet: leave --resume out to begin a new one",
        folder.display()
    )
}

fn is_to_resume(manifest: &Manifest) -> bool {
    let is_complete =
        manifest.finished_unix_ms.is_some() && manifest.count(Status::Valid) == manifest.runs.len();
    !is_complete && manifest.count(Status::Planned) < manifest.runs.len()
}

/// The runs of `recording` as they were planned, from what it holds itself.
///
/// # Errors
/// When its specification was changed, or this build plans something else from it.
pub fn planned(recording: &Recording) -> anyhow::Result<(Spec, Vec<Run>)> {
    let manifest = recording.manifest();
    let text = recording.file(SPEC)?;
    let mut spec = Spec::parse(&recording.folder().join(SPEC).display().to_string(), &text, manifest.size)?;
    manifest
        .filter
        .parse()
        .and_then(|filter: crate::spec::filter::Filter| filter.narrow(&mut spec))
        .map_err(|e| anyhow!(e))?;
    spec.keep_engines(|level| manifest.left_out.iter().all(|gone| gone.engine != level.name));
    spec.repetitions = manifest.repetitions;
    let runs = plan::plan(&spec, manifest.seed);
    let is_same = runs.len() == manifest.runs.len()
        && runs.iter().zip(&manifest.runs).all(|(run, entry)| entry.is(run));
    ensure!(
        is_same,
        "this build plans other runs than {} has; use the build that began it",
        manifest.recording
    );
    Ok((spec, runs))
}

/// Refuses to go on with `recording` by other `programs` or on another machine than it was begun with.
///
/// # Errors
/// What is different.
pub fn check_same(recording: &Recording, programs: &[ProgramEntry]) -> anyhow::Result<()> {
    let manifest = recording.manifest();
    for ProgramEntry { name, sha256 } in programs {
        let recorded = manifest.programs.iter().find(|program| program.name == *name);
        if recorded.is_none_or(|recorded| recorded.sha256 != *sha256) {
            let recorded = recorded.map_or("none", |recorded| &recorded.sha256);
            bail!(
                "{name} is another build (SHA-256 {sha256}) than the recording was begun with ({recorded}): \
                 its runs could not be compared. Build revision {} again, or begin a new recording",
                manifest.revision
            );
        }
    }
    let recorded: Host = serde_json::from_str(&recording.file(HOST)?).context("host.json is damaged")?;
    check_same_machine(&recorded, &Host::capture())
}

/// Virtual machines are moved, also to another generation of processors that is sold under the same name.
fn check_same_machine(recorded: &Host, here: &Host) -> anyhow::Result<()> {
    let identity = |host: &Host| (host.kernel.clone(), host.cpu.model.clone(), host.cpu.signature.clone());
    ensure!(
        identity(recorded) == identity(here),
        "this machine is not the one the recording was begun on ({}, {}, {}): begin a new recording",
        recorded.kernel.release,
        recorded.cpu.model,
        recorded.cpu.signature
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::measure::host::Known;

    #[test]
    fn a_recording_goes_on_only_on_the_kernel_and_the_processor_it_was_begun_on() {
        let here = Host::capture();
        check_same_machine(&here, &here).unwrap();
        let refuses = |change: fn(&mut Host)| {
            let mut recorded = here.clone();
            change(&mut recorded);
            let error = check_same_machine(&recorded, &here).unwrap_err().to_string();
            assert!(error.contains("begun on (") && error.contains("another"), "{error}");
        };
        refuses(|host| host.kernel.release = Known::Value("another".to_owned()));
        refuses(|host| host.cpu.model = Known::Value("another".to_owned()));
        refuses(|host| host.cpu.signature = Known::Value("another".to_owned()));
    }
}
