//! One server process: started, ready, stopped, and its exit judged.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::plan::{Run, preflight};
use crate::run::child::{OwnedChild, pad_environment};
use crate::run::interrupt::{Interrupt, Waited};
use crate::run::programs::Programs;
use crate::run::scratch;
use crate::spec::{Engine, EngineLevel};

/// Time from its start until a server must listen.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// Time from SIGTERM until a server must have drained and gone; its own deadline is shorter.
const STOP_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);
const SIGTERM: i32 = 15;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    child: OwnedChild,
    engine: Engine,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it writes its counters. `None` for an engine that has none.
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
        let level = &run.engine;
        let stats = (level.engine != Engine::Mio).then(|| folder.join("server.stats"));
        let mut command = command(programs.server(level.engine), level, cpu, stats.as_deref());
        if let Some(connections) = preflight::connections_max(run)? {
            command.args(["--max-connections", &connections.to_string()]);
        }
        pad_environment(&mut command, run.environment_bytes);
        let mut child = OwnedChild::start(&mut command, folder, "server")?;
        let ready = interrupt.wait(READY_LIMIT, PAUSE, || match announced(&child.stdout()) {
            Some(address) => Ok(Some(address)),
            None => match child.ended()? {
                Some(status) => {
                    scratch::check(folder)?;
                    bail!("{} ended with {status}:\n{}", level.name, child.complaint())
                }
                None => Ok(None),
            },
        })?;
        match ready {
            Waited::Done(address) => Ok(Some(Self { child, engine: level.engine, address, stats })),
            Waited::Interrupted => Ok(None),
            Waited::TimedOut => {
                scratch::check(folder)?;
                bail!("{} was not ready in {READY_LIMIT:?}:\n{}", level.name, child.complaint())
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
        let engine = self.engine;
        Ok(match self.child.stop(STOP_LIMIT)? {
            None => Some(format!("server-hung: it was killed {STOP_LIMIT:?} after SIGTERM")),
            Some(status) if ended_as_told(engine, status) => None,
            Some(status) => Some(format!("server-exit: it ended with {status}")),
        })
    }
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
    let mut command = command(programs.server(level.engine), level, cpu, None);
    let mut child = OwnedChild::start(&mut command, folder, "trial")?;
    let deadline = Instant::now() + READY_LIMIT;
    while announced(&child.stdout()).is_none() {
        if let Some(status) = child.ended()? {
            scratch::check(folder)?;
            let words = child.complaint();
            ensure!(status.code() == Some(REFUSED), "{} ended with {status}:\n{words}", level.name);
            return Ok(Some(words.trim_start_matches("uring-echo: ").to_owned()));
        }
        ensure!(Instant::now() < deadline, "{} was not ready in {READY_LIMIT:?}", level.name);
        thread::sleep(PAUSE);
    }
    child.stop(STOP_LIMIT)?;
    Ok(None)
}

fn command(program: &Path, level: &EngineLevel, cpu: usize, stats: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    match level.engine {
        Engine::Epoll => command.args(["serve", "epoll"]),
        Engine::Uring => command.args(["serve", "uring"]),
        Engine::Discard => command.arg("discard"),
        Engine::Mio => &mut command,
    };
    command.args(["--listen", "127.0.0.1:0", "--cpu", &cpu.to_string()]);
    if let Some(stats) = stats {
        command.arg("--stats").arg(stats);
    }
    command.args(&level.args);
    command
}

/// The address in `listening on ADDRESS engine=…`, once the line is whole.
fn announced(stdout: &str) -> Option<SocketAddr> {
    let (line, _) = stdout.split_once('\n')?;
    line.strip_prefix("listening on ")?.split(' ').next()?.parse().ok()
}

/// The yardstick does not catch SIGTERM; our servers drain and exit with 0.
fn ended_as_told(engine: Engine, status: ExitStatus) -> bool {
    status.success() || (engine == Engine::Mio && status.signal() == Some(SIGTERM))
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
    fn dying_of_sigterm_is_fine_for_the_yardstick_only() {
        let killed = ExitStatus::from_raw(SIGTERM);
        assert!(ended_as_told(Engine::Mio, killed));
        assert!(!ended_as_told(Engine::Epoll, killed));
        assert!(ended_as_told(Engine::Uring, ExitStatus::from_raw(0)));
    }
}
