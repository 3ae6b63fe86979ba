//! Makes the runs of a plan: one fresh server and one client a run, what becomes of them entered into the recording.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};

use crate::judge::agreement::Planned;
use crate::judge::gate::SaturationLimits;
use crate::judge::{Judge, Made};
use crate::plan::{Role, Run};
use crate::recording::Recording;
use crate::recording::manifest::{Attempt, Status};
use crate::recording::timestamp;
use crate::run::cores::Cores;
use crate::run::interrupt::Interrupt;
use crate::run::load::{Client, Load};
use crate::run::programs::Programs;
use crate::run::progress::Progress;
use crate::run::scratch;
use crate::run::server::Server;

/// Of how many runs one may be made once more because of noise.
const RUNS_PER_REPEAT: usize = 10;

/// What every run of a recording shares.
#[derive(Debug)]
pub struct Runner<'a> {
    /// What is started.
    pub programs: &'a Programs,
    /// Where it runs.
    pub cores: &'a Cores,
    /// Whether to go on.
    pub interrupt: &'a Interrupt,
}

/// How the runs ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All were made.
    Complete,
    /// The user stopped them.
    Interrupted,
}

impl Runner<'_> {
    /// Makes those of `runs` that are missing from `recording`, in their order, each entered before the next begins.
    ///
    /// # Errors
    /// When the recording or the temporary folder cannot be written, or a run leaves no record and its engine has none that is valid: then
    /// the cause is in the set-up and the next run would fail of it, too.
    pub fn run(&self, runs: &[Run], recording: &mut Recording) -> anyhow::Result<End> {
        let missing = missing(runs, recording);
        let mut progress = Progress::new(runs.len(), &missing);
        let end = self.make(&missing, recording, &mut progress);
        progress.clear();
        if matches!(end, Ok(End::Complete)) {
            recording.finish(timestamp::unix_ms())?;
        }
        end
    }

    fn make(&self, runs: &[&Run], recording: &mut Recording, progress: &mut Progress) -> anyhow::Result<End> {
        for run in runs {
            progress.begin(run);
            let Some((attempt, record)) = self.attempt(run, recording, progress)? else {
                return Ok(End::Interrupted);
            };
            let is_to_repeat = is_noisy(run, &attempt) && may_repeat(recording);
            if is_to_repeat {
                progress.passed(run, &attempt, "made once more");
            }
            recording.settle(run.number, attempt, record.as_deref())?;
            if is_to_repeat {
                let Some((again, record)) = self.attempt(run, recording, progress)? else {
                    return Ok(End::Interrupted);
                };
                if again.status != Status::Valid {
                    progress.passed(run, &again, "the first attempt stands");
                }
                recording.settle(run.number, again, record.as_deref())?;
            }
            if let Some(summary) = recording.record(run.number)?.and_then(|record| record.summary) {
                progress.note(run, summary.cpu_ns_per_message);
            }
            progress.end(run, &recording.manifest().runs[run.number - 1].attempt);
            give_up_if_hopeless(run, recording)?;
        }
        Ok(End::Complete)
    }

    /// Makes `run` once: what became of it, and the record that it left. `None` when it was interrupted.
    fn attempt(
        &self,
        run: &Run,
        recording: &Recording,
        progress: &Progress,
    ) -> anyhow::Result<Option<(Attempt, Option<Vec<u8>>)>> {
        let begun = Instant::now();
        let Some(made) = self.one(run, recording, progress)? else { return Ok(None) };
        let manifest = recording.manifest();
        let judge = Judge {
            noise: &manifest.noise,
            saturation: SaturationLimits {
                server_busy_share_min: manifest.server_busy_share_min,
                client_busy_share_max: manifest.client_busy_share_max,
            },
        };
        let attempt = Attempt { took_ns: Some(begun.elapsed().into()), ..judge.attempt(&made)? };
        Ok(Some((attempt, made.into_record())))
    }

    fn one(&self, run: &Run, recording: &Recording, progress: &Progress) -> anyhow::Result<Option<Made>> {
        let rate_per_s = match offered(run, recording) {
            Ok(rate) => rate,
            Err(error) => return Ok(Some(Made::Nothing(format!("capacity: {error:#}")))),
        };
        let folder = scratch::create()?;
        let started = Server::start(self.programs, run, self.cores.server, folder.path(), self.interrupt);
        let server = match started {
            Ok(Some(server)) => server,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(Made::Nothing(format!("server-start: {error:#}")))),
        };
        let client = Client {
            program: self.programs.client(),
            cpus: &self.cores.client,
            scratch: folder.path(),
            out: &folder.path().join("record.json"),
            run_id: &format!("{}/{:04}", recording.manifest().recording, run.number),
            rate_per_s,
        };
        let begun = Instant::now();
        let load = client.load(run, &server, self.interrupt, || progress.tick(begun.elapsed()))?;
        let port = server.address.port();
        let server = server.stop()?;
        if matches!(load, Load::Interrupted) {
            return Ok(None);
        }
        Ok(Some(Made::Load {
            planned: Planned::of(&run.cell.factors),
            load,
            server,
            port,
            record: take(client.out)?,
        }))
    }
}

/// The record at `path`, if there is one. It is kept in the recording from here on, and this copy makes room for the next.
fn take(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    if !path.exists() {
        return Ok(None);
    }
    let record = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    Ok(Some(record))
}

/// The runs to make: those that left no valid record. What was measured before stays in the recording.
fn missing<'r>(runs: &'r [Run], recording: &Recording) -> Vec<&'r Run> {
    let entries = &recording.manifest().runs;
    let is_missing = |run: &&Run| entries[run.number - 1].attempt.status != Status::Valid;
    runs.iter().filter(is_missing).collect()
}

/// Messages per second that `run` is to offer.
fn offered(run: &Run, recording: &Recording) -> anyhow::Result<Option<u64>> {
    let factors = &run.cell.factors;
    let Some(share) = factors.load else { return Ok(factors.rate_per_s) };
    let capacity = recording.capacity(&factors.closed())?;
    Ok(Some((share.of(capacity).round() as u64).max(1)))
}

/// Whether `attempt` is one to make again because of noise.
fn is_noisy(run: &Run, attempt: &Attempt) -> bool {
    !matches!(run.role, Role::Priming | Role::Counted)
        && attempt.status == Status::Valid
        && !attempt.flags.is_empty()
}

/// Whether one more run may be repeated because of noise.
fn may_repeat(recording: &Recording) -> bool {
    let manifest = recording.manifest();
    manifest.repeated_for_noise() < manifest.runs.len().div_ceil(RUNS_PER_REPEAT)
}

/// Ends the recording when `run` failed for want of disk, or its engine has no valid run at all. The others are worth measuring
/// without a variant.
fn give_up_if_hopeless(run: &Run, recording: &Recording) -> anyhow::Result<()> {
    let entries = &recording.manifest().runs;
    let attempt = &entries[run.number - 1].attempt;
    if attempt.status != Status::Failed {
        return Ok(());
    }
    let working: BTreeSet<_> = entries
        .iter()
        .filter(|entry| entry.attempt.status == Status::Valid)
        .map(|entry| entry.engine.as_str())
        .collect();
    let reasons = attempt.reasons.join("; ");
    if reasons.contains("cannot write the run record") {
        bail!("{run}: failed: {reasons}; make room, then go on with --resume");
    }
    if run.engine.variant_of.is_none() && !working.contains(run.engine.name.as_str()) {
        bail!("{run}: failed: {reasons}");
    }
    Ok(())
}
