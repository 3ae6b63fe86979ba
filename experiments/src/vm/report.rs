//! What is kept of a boot that went well: a JSON document, and the same for people.

use std::path::Path;
use std::{fmt, fs};

use anyhow::{Context, Result};
use guest::record::{Boot, Ended, Step};
use guest::steps;
use serde::Serialize;
use uring_echo::units::Nanos;
use uring_echo::words::plural;

use super::features;
use super::kernel::Kernel;
use super::qemu::{Accel, Machine};
use super::session::Booted;
use super::verdict::summaries;
use crate::recording::Recording;

/// A boot, its circumstances and its outcome.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was booted.
    kernel: Kernel,
    /// Who executed it.
    accel: Accel,
    /// Times in this report say nothing about a real machine.
    functional_only: bool,
    /// Why KVM was tried and not used.
    kvm_failure: Option<String>,
    memory_mib: u32,
    command_line: String,
    /// The guest's account of itself.
    boot: Boot,
    steps: Vec<Step>,
    /// From starting the emulator to its exit, in nanoseconds.
    elapsed_ns: Nanos,
}

impl Report {
    /// The report on `booted`, which ran on `machine` with `kernel`.
    pub(crate) fn new(kernel: Kernel, machine: &Machine, booted: Booted) -> Self {
        Self {
            kernel,
            accel: booted.accel,
            functional_only: booted.accel == Accel::Tcg,
            kvm_failure: booted.kvm_failure,
            memory_mib: machine.memory_mib,
            command_line: machine.command_line.clone(),
            boot: booted.verdict.boot,
            steps: booted.verdict.steps,
            elapsed_ns: booted.elapsed,
        }
    }

    /// Writes it to the file `path`.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, self.json()?).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Adds it as the file `name` to the recording in `folder`, whose manifest names it from then on.
    ///
    /// # Errors
    /// When `folder` is no recording, or has a report.
    pub(crate) fn add_to(&self, folder: &Path, name: &str) -> Result<()> {
        Recording::reopen(folder)?.add(name, self.json()?.as_bytes())
    }

    fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, boot, .. } = self;
        writeln!(f, "guest     {} {}", boot.release, boot.version)?;
        if let Some(package) = &kernel.package {
            writeln!(f, "package   {} {}", package.name, package.version)?;
        }
        writeln!(f, "sha256    {} {}", kernel.sha256, kernel.image.display())?;
        writeln!(f, "machine   {}", self.machine())?;
        writeln!(f, "time      {}, booted after {}", seconds(self.elapsed_ns), seconds(boot.uptime_ns))?;
        for step in &self.steps {
            writeln!(f, "\n{}: {} after {}", step.name, outcome(step), seconds(step.elapsed_ns))?;
            for line in self.lines_of(step) {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// What a person should read of a step.
    fn lines_of(&self, step: &Step) -> Vec<String> {
        let expected = features::count(&self.boot.release);
        match (step.name.as_str(), expected) {
            (steps::FEATURES, Some((there, newer))) => {
                vec![format!("as expected: {there} features are there, {newer} newer ones are not")]
            }
            _ => verdict_lines(&step.output).into_iter().map(String::from).collect(),
        }
    }

    fn machine(&self) -> String {
        let accel = match (self.accel, &self.kvm_failure) {
            (Accel::Kvm, _) => "kvm".to_string(),
            (Accel::Tcg, None) => "tcg, functional only".to_string(),
            (Accel::Tcg, Some(reason)) => format!("tcg, functional only (kvm was tried: {reason})"),
        };
        format!("{}, {} MiB, {accel}", plural(self.boot.cpus, "CPU"), self.memory_mib)
    }
}

/// How a step ended, in a few words.
fn outcome(step: &Step) -> String {
    match (step.name.as_str(), &step.ended) {
        (steps::REFUSAL, Ended::TimedOut(_)) => "granted, as this kernel has the feature; ended".into(),
        (steps::REFUSAL, _) => "refused, as this kernel lacks the feature".into(),
        (_, ended) if step.strays == 0 => ended.to_string(),
        (_, ended) if step.strays == 1 => format!("{ended}, 1 process left behind"),
        (_, ended) => format!("{ended}, {} processes left behind", step.strays),
    }
}

/// The lines that sum up a test run, or everything when there are none.
fn verdict_lines(output: &str) -> Vec<&str> {
    let found: Vec<&str> = summaries(output).collect();
    if found.is_empty() { output.lines().map(str::trim_end).collect() } else { found }
}

fn seconds(span: Nanos) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_how_it_ended_and_what_it_left_behind() {
        let step = |name: &str, ended, strays| {
            let (name, output) = (name.into(), String::new());
            outcome(&Step { name, ended, elapsed_ns: Nanos::from_millis(1), strays, output })
        };
        assert_eq!(step("probe", Ended::Exit(0), 0), "exit status 0");
        assert_eq!(step("probe", Ended::Exit(0), 1), "exit status 0, 1 process left behind");
        assert_eq!(step("probe", Ended::Exit(0), 2), "exit status 0, 2 processes left behind");
        assert!(step("refusal", Ended::TimedOut(10), 1).starts_with("granted"));
        assert!(step("refusal", Ended::Exit(1), 0).starts_with("refused"));
    }

    #[test]
    fn a_test_run_is_summed_up_and_anything_else_is_shown_whole() {
        assert_eq!(
            verdict_lines("test a ... ok\n\ntest result: ok. 1 passed;\n"),
            ["test result: ok. 1 passed;"]
        );
        assert_eq!(verdict_lines("kernel 6.1\nring yes\n"), ["kernel 6.1", "ring yes"]);
    }
}
