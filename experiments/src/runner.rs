//! Runs a plan: one fresh server and one client a run, what becomes of them entered into the recording.

use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use uring_echo::record::RunRecord;

use crate::cores::Cores;
use crate::format;
use crate::interrupt::Interrupt;
use crate::load::{Client, Load};
use crate::manifest::Status;
use crate::plan::Run;
use crate::programs::Programs;
use crate::progress::Progress;
use crate::recording::Recording;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::timestamp;

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

/// What became of one run; `None` when it was interrupted.
type Settled = Option<(Status, Vec<String>)>;

impl Runner<'_> {
    /// Makes `runs` in their order, each entered into `recording` before the next begins.
    ///
    /// # Errors
    /// When the recording cannot be written, or a run leaves no record and its engine has none that is valid: then
    /// the cause is in the set-up and the next run would fail of it, too.
    pub fn run(&self, runs: &[Run<'_>], recording: &mut Recording) -> anyhow::Result<End> {
        let scratch = Scratch::create()?;
        let mut progress = Progress::new(runs);
        for run in runs {
            progress.begin(run);
            let settled = self.one(run, &scratch, recording, &progress);
            let Some((status, reasons)) = settled.inspect_err(|_| progress.clear())? else {
                progress.clear();
                return Ok(End::Interrupted);
            };
            let outcome = describe(status, &reasons);
            if status != Status::Valid {
                progress.say(&format!("run {} ({}): {outcome}", run.number, format::run(run)));
            }
            progress.end(run, &outcome);
            recording.settle(run.number, status, reasons)?;
            if status == Status::Failed && !has_valid_run(recording, &run.engine.name) {
                progress.clear();
                bail!("{}: {outcome}", format::run(run));
            }
        }
        progress.clear();
        recording.finish(timestamp::unix_ms())?;
        Ok(End::Complete)
    }

    fn one(
        &self,
        run: &Run<'_>,
        scratch: &Scratch,
        recording: &Recording,
        progress: &Progress,
    ) -> anyhow::Result<Settled> {
        let folder = scratch.folder(&run.number.to_string())?;
        let started = Server::start(self.programs, run.engine, self.cores.server, &folder, self.interrupt);
        let server = match started {
            Ok(Some(server)) => server,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some((Status::Failed, vec![format!("server-start: {error:#}")]))),
        };
        let client = Client {
            program: &self.programs.uring_echo,
            cpus: &self.cores.client,
            scratch: &folder,
            out: &recording.record_path(run.number),
            run_id: &format!("{}/{:04}", recording.manifest().recording, run.number),
        };
        let begun = Instant::now();
        let load = client.load(run, &server, self.interrupt, || progress.tick(begun.elapsed()))?;
        judge(&load, server.stop()?, client.out)
    }
}

/// The verdict on a run, from how its client and its server ended and what the record says of itself.
fn judge(load: &Load, server: Option<String>, out: &Path) -> anyhow::Result<Settled> {
    let mut reasons = Vec::new();
    match load {
        Load::Interrupted => return Ok(None),
        Load::Hung => reasons.push("client-hung: it was killed".into()),
        Load::Ended(..) => {}
    }
    let record = out.exists().then(|| RunRecord::read(out)).transpose()?;
    reasons.extend(record.iter().flat_map(|record| record.validity.clone()));
    if let Load::Ended(status, words) = load
        && !status.success()
        && reasons.is_empty()
    {
        reasons.push(format!("client-exit: {status}: {words}"));
    }
    reasons.extend(server);
    let status = match (record.is_some(), reasons.is_empty()) {
        (true, true) => Status::Valid,
        (true, false) => Status::Invalid,
        (false, _) => Status::Failed,
    };
    if status == Status::Failed && reasons.is_empty() {
        reasons.push("client-silent: it ended without an error and without a record".into());
    }
    Ok(Some((status, reasons)))
}

fn describe(status: Status, reasons: &[String]) -> String {
    let word = match status {
        Status::Planned => "not run",
        Status::Valid => "valid",
        Status::Invalid => "invalid",
        Status::Failed => "failed",
    };
    if reasons.is_empty() { word.into() } else { format!("{word}: {}", reasons.join("; ")) }
}

fn has_valid_run(recording: &Recording, engine: &str) -> bool {
    recording.manifest().runs.iter().any(|run| run.engine == engine && run.status == Status::Valid)
}
