//! Runs one step: a child process with a deadline, its output copied to the console and kept.

use std::io::{self, PipeReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use guest::record::{Ended, Step};
use guest::steps;

use crate::init::Init;

/// How much of a step's output goes into its record: a serial line moves about this much in a second when the CPU
/// under it is emulated.
const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// How often the children are looked at. A step takes seconds.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Runs the step `name` to its end or to its deadline, then kills whatever it left behind.
pub(crate) fn run(init: &Init, name: &str, args: &[String], deadline_s: u64) -> Step {
    let started = Instant::now();
    let deadline_s = if name == steps::REFUSAL { steps::REFUSAL_DEADLINE_S } else { deadline_s };
    let (ended, strays, output) = match supervise(init, command(name, args), deadline_s) {
        Ok(outcome) => outcome,
        Err(error) => (Ended::NotStarted(error.to_string()), 0, String::new()),
    };
    Step { name: name.to_string(), ended, elapsed_ns: started.elapsed().into(), strays, output }
}

/// A step's program and arguments.
fn command(name: &str, args: &[String]) -> Command {
    let (program, own): (&str, &[&str]) = match name {
        steps::PROBE => ("uring-echo", &["probe"]),
        steps::FEATURES => ("uring-echo", &["probe", "--json"]),
        steps::REFUSAL => {
            ("uring-echo", &["serve", "uring", "--setup", "defer-no-sqarray", "--listen", "127.0.0.1:0"])
        }
        steps::QUICK => ("experiments", &["quick"]),
        // One at a time: cases that fill every connection slot must not share two emulated CPUs.
        steps::CONFORMANCE => ("conformance", &["--test-threads=1"]),
        program => (program, &[]),
    };
    let mut command = program_of_the_guest(program);
    command.args(own).args(args).stdin(Stdio::null());
    command
}

/// The program `name` in the surroundings that every program of the guest gets.
pub(crate) fn program_of_the_guest(name: &str) -> Command {
    let mut command = Command::new(format!("/bin/{name}"));
    command.current_dir("/tmp").env("PATH", "/bin").env("TMPDIR", "/tmp");
    command.env("URING_ECHO_BIN", "/bin/uring-echo").env("BASELINE_MIO_BIN", "/bin/baseline-mio");
    command
}

fn supervise(init: &Init, mut command: Command, deadline_s: u64) -> io::Result<(Ended, usize, String)> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn().map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", command.get_program().to_string_lossy()))
    })?;
    // The pipe ends when its last writer is gone, and `command` still holds two.
    drop(command);
    let pump = thread::spawn(move || copy_to_console(reader));
    let ended = wait(init, child.id(), deadline_s)?;
    let strays = init.kill_others()?;
    let output = pump.join().unwrap_or_default();
    Ok((ended, strays, output))
}

fn wait(init: &Init, pid: u32, deadline_s: u64) -> io::Result<Ended> {
    let deadline = Instant::now() + Duration::from_secs(deadline_s);
    while Instant::now() < deadline {
        match init.reap()? {
            Some(reaped) if reaped.pid == pid => return Ok(ended(reaped.status)),
            Some(_) => {}
            None => thread::sleep(POLL_INTERVAL),
        }
    }
    Ok(Ended::TimedOut(deadline_s))
}

pub(crate) fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exit(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }
}

/// Copies `reader` to the console until its end; returns the last bytes of it, as text.
fn copy_to_console(mut reader: PipeReader) -> String {
    let (mut chunk, mut kept) = ([0; 4096], Vec::new());
    while let Ok(count @ 1..) = reader.read(&mut chunk) {
        // The console is for reading along; a step must not fail because of it.
        drop(io::stdout().write_all(&chunk[..count]).and_then(|()| io::stdout().flush()));
        kept.extend_from_slice(&chunk[..count]);
        if kept.len() > 2 * OUTPUT_BYTES_MAX {
            kept.drain(..kept.len() - OUTPUT_BYTES_MAX);
        }
    }
    let surplus = kept.len().saturating_sub(OUTPUT_BYTES_MAX);
    String::from_utf8_lossy(&kept[surplus..]).into_owned()
}
