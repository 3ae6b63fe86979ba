//! One server under one load, with its core sampled.

use std::fs;

use anyhow::{Context, anyhow, bail, ensure};
use uring_echo::record::RunRecord;

use super::kernel::KernelNames;
use super::program::ProgramNames;
use super::rules::Rules;
use super::sample::{Sampler, Source};
use super::tally::{Reader, Tally};
use crate::plan::Run;
use crate::run::cores::Cores;
use crate::run::interrupt::Interrupt;
use crate::run::load::{Client, Load};
use crate::run::programs::Programs;
use crate::run::scratch;
use crate::run::server::Server;
use crate::spec::factors::Factors;

/// What every run shares.
#[derive(Debug)]
pub struct Bench<'a> {
    /// What is started.
    pub programs: &'a Programs,
    /// Where it runs.
    pub cores: &'a Cores,
    /// Whether to go on.
    pub interrupt: &'a Interrupt,
    /// Names in the kernel.
    pub kernel: &'a KernelNames,
    /// What they mean.
    pub rules: &'a Rules,
    /// Samples a second.
    pub frequency: u64,
}

/// What was seen of a run.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The server.
    pub server: String,
    /// What the samples come to.
    pub tally: Tally,
    /// What they were taken by.
    pub source: Source,
    /// Samples of the whole load that there was no room for.
    pub lost: u64,
    /// Messages that came back in the window.
    pub messages: u64,
    /// Busy time of the server's core a message, by the kernel's account of its idle time.
    pub measured_ns: f64,
    /// CPU time of the server's process a message, by the kernel's account of processes.
    pub process_ns: Option<f64>,
    /// What speaks against the run.
    pub doubts: Vec<String>,
}

/// A load, and each server under it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The load.
    pub factors: Factors,
    /// The servers in the order in which they were asked for.
    pub profiles: Vec<Profile>,
}

impl Profile {
    /// `ns` of the window as nanoseconds a message.
    pub fn per_message(&self, ns: u64) -> f64 {
        ns as f64 / self.messages.max(1) as f64
    }

    /// What all classes cost together, in nanoseconds a message.
    pub fn sum_ns(&self) -> f64 {
        self.per_message(self.tally.cost().ns)
    }

    /// How much more that is than what was measured, as a part of it.
    pub fn error(&self) -> f64 {
        self.sum_ns() / self.measured_ns - 1.0
    }

    /// What was in the server's process, in nanoseconds a message.
    pub fn server_ns(&self) -> f64 {
        self.per_message(self.tally.server.ns)
    }

    /// How much more that is than the kernel's account of the process, as a part of it.
    pub fn process_error(&self) -> Option<f64> {
        Some(self.server_ns() / self.process_ns? - 1.0)
    }
}

/// How often a run is made at most for one that nothing speaks against.
const ATTEMPTS: usize = 3;

impl Bench<'_> {
    /// Makes `run` and samples the server's core meanwhile; makes it again as long as something speaks against it, within reason.
    /// `None` when it was interrupted.
    ///
    /// # Errors
    /// When one of the two ends fails, or the core cannot be sampled.
    pub fn profile(&self, run: &Run) -> anyhow::Result<Option<Profile>> {
        let mut made = self.attempt(run)?;
        for _ in 1..ATTEMPTS {
            match &made {
                Some(profile) if !profile.doubts.is_empty() => made = self.attempt(run)?,
                _ => break,
            }
        }
        Ok(made)
    }

    fn attempt(&self, run: &Run) -> anyhow::Result<Option<Profile>> {
        let folder = scratch::create()?;
        let started = Server::start(self.programs, run, self.cores.server, folder.path(), self.interrupt);
        let Some(server) = started? else { return Ok(None) };
        let (pid, program) = (server.pid(), ProgramNames::read(server.pid())?);
        let mut sampler = Sampler::start(self.cores.server, self.frequency)?;
        let source = sampler.source;
        let client = Client {
            program: self.programs.client(),
            cpus: &self.cores.client,
            scratch: folder.path(),
            out: &folder.path().join("record.json"),
            run_id: "profile",
            rate_per_s: None,
        };
        let load = client.load(run, &server, self.interrupt, || sampler.drain())?;
        let (samples, lost) = sampler.finish();
        let fault = server.stop()?;
        if matches!(load, Load::Interrupted) {
            return Ok(None);
        }
        let record = record(client, &load).with_context(|| run.to_string())?;
        let (Some(timeline), Some(summary)) = (record.timeline, &record.summary) else {
            bail!("{run}: not valid: {}", record.validity.join("; "));
        };
        let reader = Reader {
            kernel: self.kernel,
            program: &program,
            rules: self.rules,
            pid,
            source,
            period_ns: 1_000_000_000 / self.frequency,
        };
        let tally = reader.tally(&samples, timeline.window_start_ns.0..timeline.window_end_ns.0);
        ensure!(tally.cost().samples > 0, "{run}: no sample was taken on CPU {}", self.cores.server);
        let measured = summary.cpu_ns_per_message;
        let messages = record.totals.window.received_messages;
        let process = record.cpu.as_ref().and_then(|cpu| cpu.server_process_ns);
        Ok(Some(Profile {
            server: run.engine.name.clone(),
            tally,
            source,
            lost,
            messages,
            process_ns: process.map(|time| time.0 as f64 / messages.max(1) as f64),
            measured_ns: measured.context("the record has no CPU time a message: nothing came back")?,
            doubts: record.validity.into_iter().chain(fault).collect(),
        }))
    }
}

/// The record that `client` left.
fn record(client: Client<'_>, load: &Load) -> anyhow::Result<RunRecord> {
    let text = fs::read(client.out).map_err(|error| match load {
        Load::Ended(status, words) => anyhow!("the client ended with {status}: {words}"),
        Load::Hung | Load::Interrupted => {
            anyhow!("the client hung and was killed; it left no record: {error}")
        }
    })?;
    Ok(RunRecord::parse(&text, client.out)?)
}
