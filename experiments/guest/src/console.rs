//! A prompt on the console: enough to start the guest's programs by hand, in place of a shell that it does not have.

use std::io::{self, BufRead};
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, thread};

use guest::record::{Ended, Step};
use guest::steps;
use uring_echo::cli::output;

use crate::init::Init;
use crate::step::{ended, program_of_the_guest};

const HELP: &str = "\
PROGRAM [ARGUMENT...]     run a program and wait for it
PROGRAM [ARGUMENT...] &   run it beside this prompt, as a server
stop                      end all that runs
help                      this, and the programs
exit                      switch the guest off
For example: uring-echo serve uring &
             uring-echo client req-res --connections 8 --payload-bytes 256 --duration-s 1";

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Writes to the console. One that is gone ends its input, too, and thereby the prompt.
fn say(text: &str) {
    drop(output::say(text, "to the console"));
}

/// Reads commands until `exit` or the console's end.
pub(crate) fn run(init: &Init) -> Step {
    let started = Instant::now();
    say("type help for what there is\n");
    let mut lines = io::stdin().lock().lines();
    let outcome = loop {
        say("guest# ");
        match lines.next() {
            None => break Ok(()),
            Some(Err(error)) => break Err(error),
            Some(Ok(line)) if line.trim() == "exit" => break Ok(()),
            Some(Ok(line)) => {
                if let Err(error) = obey(init, line.trim()) {
                    say(&format!("error: {error}\n"));
                }
            }
        }
    };
    let ended = outcome.map_or_else(|error| Ended::NotStarted(error.to_string()), |()| Ended::Exit(0));
    let strays = init.kill_others().unwrap_or_default();
    let (name, output) = (steps::CONSOLE.to_string(), String::new());
    Step { name, ended, elapsed_ns: started.elapsed().into(), strays, output }
}

fn obey(init: &Init, line: &str) -> io::Result<()> {
    match line {
        "" => Ok(()),
        "help" => help(),
        "stop" => {
            say(&format!("ended {}\n", init.kill_others()?));
            Ok(())
        }
        command => start(init, command),
    }
}

fn help() -> io::Result<()> {
    let names = fs::read_dir("/bin")?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    say(&format!("{HELP}\nPrograms: {}\n", names.collect::<Vec<_>>().join(" ")));
    Ok(())
}

fn start(init: &Init, line: &str) -> io::Result<()> {
    let (line, in_background) = line.strip_suffix('&').map_or((line, false), |command| (command, true));
    let mut words = line.split_ascii_whitespace();
    let Some(program) = words.next() else { return Ok(()) };
    let mut command = program_of_the_guest(program);
    command.args(words).stdin(Stdio::null());
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{program}: {error}"));
    let child = command.spawn().map_err(named)?;
    if in_background { Ok(()) } else { wait(init, child.id()) }
}

/// Waits for the child `pid`; others that end meanwhile are collected and named.
fn wait(init: &Init, pid: u32) -> io::Result<()> {
    loop {
        match init.reap()? {
            Some(reaped) if reaped.pid == pid => {
                let ended = ended(reaped.status);
                if !ended.is_success() {
                    say(&format!("{ended}\n"));
                }
                return Ok(());
            }
            Some(other) => say(&format!("process {}: {}\n", other.pid, ended(other.status))),
            None => thread::sleep(POLL_INTERVAL),
        }
    }
}
