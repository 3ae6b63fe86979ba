//! The first process of the kernel-test VM: sets the machine up, runs the steps that the kernel's command line asks for,
//! reports each over the second serial port and switches the power off.
//!
//! Whatever fails on the way, the power goes off: a host that sees no `end` record knows that the report is cut off, and
//! finds the reason on the console.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod console;
mod init;
mod loopback;
mod recordings;
mod setup;
mod step;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use guest::plan::Plan;
use guest::record::{End, Record};
use guest::steps;
use uring_echo::cli::output;

use crate::init::Init;

/// The serial line that carries records and nothing else; the console is the first one.
const RECORDS: &str = "/dev/ttyS1";

fn main() -> ExitCode {
    let Some(init) = Init::claim() else {
        output::note("guest-init: error: this is the first process of a test VM and starts as nothing else");
        return ExitCode::from(2);
    };
    if let Err(error) = work(&init) {
        output::note(format_args!("guest-init: error: {error:#}"));
    }
    let errno = init.power_off();
    // The first process must not return: the kernel panics then, and the host reports this line.
    output::note(format_args!("guest-init: error: cannot switch the power off: {errno}"));
    ExitCode::FAILURE
}

fn work(init: &Init) -> Result<()> {
    setup::prepare()?;
    let mut line = OpenOptions::new()
        .write(true)
        .open(RECORDS)
        .with_context(|| format!("cannot open {RECORDS}, the line for records"))?;
    let command_line = fs::read_to_string("/proc/cmdline").context("cannot read /proc/cmdline")?;
    let plan = Plan::parse(&command_line).map_err(|error| anyhow::anyhow!("{error}"))?;
    report(&mut line, &Record::Boot(setup::describe()?))?;
    for (index, name) in plan.steps.iter().enumerate() {
        let is_last = index + 1 == plan.steps.len();
        let args = if is_last { plan.args.as_slice() } else { &[] };
        let step = match name.as_str() {
            steps::CONSOLE => console::run(init),
            name => step::run(init, name, args, plan.deadline_s),
        };
        report(&mut line, &Record::Step(step))?;
        for file in recordings::take().context("cannot read what was recorded")? {
            report(&mut line, &Record::File(file))?;
        }
    }
    report(&mut line, &Record::End(End { steps: plan.steps.len() }))
}

fn report(line: &mut File, record: &Record) -> Result<()> {
    let mut text = serde_json::to_string(record)?;
    text.push('\n');
    line.write_all(text.as_bytes()).with_context(|| format!("cannot write to {RECORDS}"))?;
    init::drain(line).with_context(|| format!("cannot drain {RECORDS}"))
}
