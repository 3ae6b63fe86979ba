//! One server process: started, ready, stopped, and its exit judged.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use uring_echo::sys::{affinity, limits};

use crate::plan::{Run, preflight};
use crate::run::child::{OwnedChild, pad_environment};
use crate::run::interrupt::{Interrupt, Waited};
use crate::run::listening;
use crate::run::programs::Programs;
use crate::run::scratch;
use crate::run::trial::trial;
use crate::spec::EngineLevel;
use crate::spec::server_program::{Ends, Fill, Ready};

/// Time from its start until a server must listen.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// Time from SIGTERM until a server must have drained and gone; its own deadline is shorter.
const STOP_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);
const SIGTERM: i32 = 15;
/// Descriptors of a process beside those of its connections.
const OTHER_DESCRIPTORS: u64 = 512;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    child: OwnedChild,
    ends: Ends,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it writes its counters. `None` for one that counts nothing.
    pub stats: Option<PathBuf>,
}

impl Server {
    /// Starts the engine of `run` on `cpu`, with its output in `folder`, and waits until it listens. `None` when
    /// interrupted.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready in time; with what it wrote to standard error.
    pub fn start(
        programs: &Programs,
        run: &Run,
        cpu: usize,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Self>> {
        let (level, program) = (&run.engine, &run.engine.program);
        let further = preflight::connections_max(run)?;
        let mut starting = Starting::begin(programs, level, cpu, folder, |command| {
            command.args(further.into_iter().flatten());
            pad_environment(command, run.environment_bytes);
        })?;
        let ready = interrupt.wait(READY_LIMIT, PAUSE, || match starting.address() {
            Some(address) => Ok(Some(address)),
            None => match starting.child.ended()? {
                Some(status) => {
                    scratch::check(folder)?;
                    bail!("{} ended with {status}:\n{}", level.name, starting.child.complaint())
                }
                None => Ok(None),
            },
        })?;
        match ready {
            Waited::Done(address) => {
                let stats = program.counts().then_some(starting.stats);
                Ok(Some(Self { child: starting.child, ends: program.ends, address, stats }))
            }
            Waited::Interrupted => Ok(None),
            Waited::TimedOut => {
                scratch::check(folder)?;
                bail!("{} was not ready in {READY_LIMIT:?}:\n{}", level.name, starting.child.complaint())
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Stops it. What speaks against the run that it served, if anything.
    ///
    /// # Errors
    /// Never for a child of this process.
    pub fn stop(self) -> anyhow::Result<Option<String>> {
        let ends = self.ends;
        Ok(match self.child.stop(STOP_LIMIT)? {
            None => Some(format!("server-hung: it was killed {STOP_LIMIT:?} after SIGTERM")),
            Some(status) if ended_as_told(ends, status) => None,
            Some(status) => Some(format!("server-exit: it ended with {status}")),
        })
    }
}

/// A server that may not listen yet.
struct Starting {
    child: OwnedChild,
    ready: Ready,
    port: u16,
    stats: PathBuf,
}

impl Starting {
    /// Starts the program of `level` on `cpu`, with what `finish` adds to its command.
    fn begin(
        programs: &Programs,
        level: &EngineLevel,
        cpu: usize,
        folder: &Path,
        finish: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        let program = &level.program;
        let port = match program.ready {
            Ready::Line => 0,
            Ready::Port => listening::free_port().context("no port is free")?,
        };
        let stats = folder.join("server.stats");
        let path = stats.to_str().context("the temporary folder's name is no text: set TMPDIR to another")?;
        let mut command = Command::new(programs.server(level));
        command.args(program.arguments(Fill { port, cpu, stats: path })).args(&level.args);
        finish(&mut command);
        let mut start = || OwnedChild::start(&mut command, folder, "server");
        let child = if program.pins() { start()? } else { on(cpu, start)? };
        Ok(Self { child, ready: program.ready, port, stats })
    }

    /// Where it listens, once it does.
    fn address(&self) -> Option<SocketAddr> {
        match self.ready {
            Ready::Line => announced(&self.child.stdout()),
            Ready::Port => {
                listening::is_listening(self.port).then(|| SocketAddr::from(([127, 0, 0, 1], self.port)))
            }
        }
    }
}

/// Calls `start` on `cpu`, where a child that it starts stays.
fn on<T>(cpu: usize, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let own = affinity::permitted(0).context("cannot read which CPUs are permitted")?;
    affinity::pin(&[cpu]).with_context(|| format!("cannot start a server on CPU {cpu}"))?;
    let started = start();
    affinity::pin(&own).context("cannot move back to the client's cores")?;
    started
}

/// Why this machine cannot serve as `level` asks for, in the server's own words; `None` where it can. It is started on `cpu`
/// with its output in `folder`, and stopped as soon as it listens.
///
/// # Errors
/// When it cannot be started, or ends in another way than by refusing: then the specification asks for what no machine has.
pub fn refusal(
    programs: &Programs,
    level: &EngineLevel,
    cpu: usize,
    folder: &Path,
) -> anyhow::Result<Option<String>> {
    const REFUSED: i32 = 1;
    let mut starting = Starting::begin(programs, level, cpu, folder, |_| ())?;
    match starting.until_it_listens(level, folder)? {
        Ok(_) => {
            starting.child.stop(STOP_LIMIT)?;
            Ok(None)
        }
        Err(status) => {
            let words = starting.child.complaint();
            ensure!(status.code() == Some(REFUSED), "{} ended with {status}:\n{words}", level.name);
            Ok(Some(words.trim_start_matches("uring-echo: ").to_owned()))
        }
    }
}

/// Tries whether `level`, which nobody knows, echoes, with so many `connections` at a time. It is started on `cpu` with its output in
/// `folder`.
///
/// # Errors
/// When it cannot be started or does not echo, with what it does instead.
pub fn try_out(
    programs: &Programs,
    level: &EngineLevel,
    cpu: usize,
    folder: &Path,
    connections: usize,
) -> anyhow::Result<()> {
    // For itself, and for the server, which inherits it: others do not raise their own.
    limits::raise_nofile(connections as u64 + OTHER_DESCRIPTORS)?;
    let mut starting = Starting::begin(programs, level, cpu, folder, |_| ())?;
    let address = match starting.until_it_listens(level, folder)? {
        Ok(address) => address,
        Err(status) => bail!("{} ended with {status}:\n{}", level.name, starting.child.complaint()),
    };
    trial(address, connections).map_err(|fault| {
        let words = starting.child.complaint();
        let said = if words.is_empty() { String::new() } else { format!("; it said:\n{words}") };
        anyhow!("{} is no echo server: {fault}{said}", level.name)
    })
}

impl Starting {
    /// Waits until it listens, or has ended.
    fn until_it_listens(
        &mut self,
        level: &EngineLevel,
        folder: &Path,
    ) -> anyhow::Result<Result<SocketAddr, ExitStatus>> {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            if let Some(address) = self.address() {
                return Ok(Ok(address));
            }
            if let Some(status) = self.child.ended()? {
                scratch::check(folder)?;
                return Ok(Err(status));
            }
            ensure!(
                Instant::now() < deadline,
                "{} was not ready in {READY_LIMIT:?}:\n{}",
                level.name,
                self.child.complaint()
            );
            thread::sleep(PAUSE);
        }
    }
}

/// The address in `listening on ADDRESS engine=…`, once the line is whole.
fn announced(stdout: &str) -> Option<SocketAddr> {
    let (line, _) = stdout.split_once('\n')?;
    line.strip_prefix("listening on ")?.split(' ').next()?.parse().ok()
}

/// Whoever drains exits with 0. Others may die of the signal or choose a status, but not of a fault of their own.
fn ended_as_told(ends: Ends, status: ExitStatus) -> bool {
    match ends {
        Ends::Drained => status.success(),
        Ends::Any => status.signal().is_none_or(|signal| signal == SIGTERM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_only_when_its_line_is_whole() {
        assert_eq!(announced("listening on 127.0.0.1:4"), None);
        let line = "listening on 127.0.0.1:4711 engine=uring buffers=16\n";
        assert_eq!(announced(line), Some("127.0.0.1:4711".parse().unwrap()));
        assert_eq!(announced("hello\n"), None);
    }

    #[test]
    fn only_who_drains_has_to_end_with_0_and_nobody_may_crash() {
        let (killed, failed, crashed) = (SIGTERM, 1 << 8, 11);
        assert!(ended_as_told(Ends::Any, ExitStatus::from_raw(killed)));
        assert!(ended_as_told(Ends::Any, ExitStatus::from_raw(failed)));
        assert!(!ended_as_told(Ends::Any, ExitStatus::from_raw(crashed)));
        assert!(!ended_as_told(Ends::Drained, ExitStatus::from_raw(killed)));
        assert!(ended_as_told(Ends::Drained, ExitStatus::from_raw(0)));
    }

    #[test]
    fn a_child_starts_where_it_is_to_stay_and_this_thread_does_not_stay_there() {
        let own = affinity::permitted(0).unwrap();
        let last = *own.last().unwrap();
        let there = on(last, || Ok(affinity::permitted(0)?)).unwrap();
        assert_eq!((there, affinity::permitted(0).unwrap()), (vec![last], own));
    }
}
