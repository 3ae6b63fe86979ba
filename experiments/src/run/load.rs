//! One client process: the load of a run, and how it ended.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use uring_echo::cpu_list;

use crate::plan::{Role, Run};
use crate::run::child::{OwnedChild, pad_environment};
use crate::run::interrupt::{Interrupt, Waited};
use crate::run::scratch;
use crate::run::server::Server;
use crate::spec::factors::Factors;

/// Time beyond warm-up and window in which a client must have connected, drained and written its record.
const SLACK: Duration = Duration::from_secs(60);
/// How often the client is looked at: seldom, because the look costs time on its own core.
const PAUSE: Duration = Duration::from_millis(10);

/// How a client ended.
#[derive(Debug)]
pub enum Load {
    /// By itself, with its last words.
    Ended(ExitStatus, String),
    /// It hung and was killed.
    Hung,
    /// The user wants the runner to stop; the client was killed.
    Interrupted,
}

/// A client to be started.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The program.
    pub program: &'a Path,
    /// The cores it may run on.
    pub cpus: &'a [usize],
    /// Where its output goes.
    pub scratch: &'a Path,
    /// Where its record goes.
    pub out: &'a Path,
    /// Name of the run in its record.
    pub run_id: &'a str,
    /// Messages per second to offer. `None` in closed loop.
    pub rate_per_s: Option<u64>,
}

impl Client<'_> {
    /// Puts the load of `run` on `server`; calls `tick` every now and then.
    ///
    /// # Errors
    /// When the client cannot be started.
    pub fn load(
        &self,
        run: &Run,
        server: &Server,
        interrupt: &Interrupt,
        mut tick: impl FnMut(),
    ) -> anyhow::Result<Load> {
        let mut child = OwnedChild::start(&mut self.command(run, server), self.scratch, "client")?;
        let waited = interrupt.wait(run.load_time() + SLACK, PAUSE, || {
            tick();
            child.ended()
        })?;
        Ok(match waited {
            Waited::Done(status) => Load::Ended(status, self.last_words(status, child.complaint())),
            Waited::TimedOut => Load::Hung,
            Waited::Interrupted => Load::Interrupted,
        })
    }

    /// `words`, or why a client that failed has none: they lie in the same folder as its record.
    fn last_words(&self, status: ExitStatus, words: String) -> String {
        if status.success() || !words.is_empty() {
            return words;
        }
        scratch::check(self.scratch).err().map_or(words, |error| format!("{error:#}"))
    }

    fn command(&self, run: &Run, server: &Server) -> Command {
        let (factors, timing) = (&run.cell.factors, &run.cell.timing);
        let mut command = Command::new(self.program);
        command.args(["client", &factors.mode.to_string(), "--connect", &server.address.to_string()]);
        command.args(["--connections", &factors.connections.to_string()]);
        command.args(["--payload-bytes", &factors.payload_bytes.to_string()]);
        command.args(["--warmup-s", &timing.warmup.as_secs_f64().to_string()]);
        command.args(["--duration-s", &timing.window.as_secs_f64().to_string()]);
        command.args(["--verify", &timing.verify.to_string(), "--cpus", &cpu_list::written(self.cpus)]);
        command.args(["--server-pid", &server.pid().to_string()]);
        if let Some(stats) = &server.stats {
            command.arg("--server-stats").arg(stats);
        }
        if run.role == Role::Ceiling {
            command.arg("--discard");
        }
        if run.role == Role::Counted {
            command.arg("--count-syscalls");
        }
        command.args(further_levels(factors, self.rate_per_s));
        command.arg("--out").arg(self.out).args(["--run-id", self.run_id]).args(&timing.client_args);
        pad_environment(&mut command, run.environment_bytes);
        command
    }
}

/// Flags of the levels that not every experiment has.
fn further_levels(factors: &Factors, rate_per_s: Option<u64>) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |name: &str, value: Option<String>| {
        flags.extend(value.map(|value| [name.to_owned(), value]).into_iter().flatten());
    };
    let some = |count: usize| (count > 0).then(|| count.to_string());
    flag("--depth", factors.depth.map(|depth| depth.to_string()));
    flag("--batch-bytes", factors.batch_bytes.map(|bytes| bytes.to_string()));
    flag("--in-flight-bytes", factors.in_flight_bytes.map(|level| level.bytes().to_string()));
    flag("--rate", rate_per_s.map(|rate| rate.to_string()));
    flag("--hogs", some(factors.hogs));
    flag("--hog-kind", factors.hog_kind.map(|kind| kind.to_string()));
    flag("--idle", some(factors.idle));
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::in_flight::InFlight;
    use uring_echo::record::{HogKind, Mode};

    #[test]
    fn only_levels_that_apply_become_flags() {
        let factors = Factors::new(Mode::ReqRes, 256, 8);
        assert!(further_levels(&factors, None).is_empty());
        let deep =
            Factors { in_flight_bytes: Some(InFlight::Unbounded), ..Factors::new(Mode::Stream, 256, 8) };
        assert_eq!(further_levels(&deep, None), ["--in-flight-bytes", "1073741824"]);
        let factors = Factors { hogs: 2, hog_kind: Some(HogKind::NonReading), idle: 9, ..factors };
        let flags = further_levels(&factors, Some(1000)).join(" ");
        assert_eq!(flags, "--rate 1000 --hogs 2 --hog-kind non-reading --idle 9");
    }
}
