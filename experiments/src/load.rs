//! One client process: the load of a run, and how it ended.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::child::OwnedChild;
use crate::interrupt::{Interrupt, Waited};
use crate::plan::Run;
use crate::server::Server;

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
}

impl Client<'_> {
    /// Puts the load of `run` on `server`; calls `tick` every now and then.
    ///
    /// # Errors
    /// When the client cannot be started.
    pub fn load(
        &self,
        run: &Run<'_>,
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
            Waited::Done(status) => Load::Ended(status, child.complaint()),
            Waited::TimedOut => Load::Hung,
            Waited::Interrupted => Load::Interrupted,
        })
    }

    fn command(&self, run: &Run<'_>, server: &Server) -> Command {
        let workload = run.cell.workload;
        let cpus: Vec<_> = self.cpus.iter().map(usize::to_string).collect();
        let mut command = Command::new(self.program);
        command.args(["client", &workload.mode.to_string(), "--connect", &server.address.to_string()]);
        command.args(["--connections", &run.cell.connections.to_string()]);
        command.args(["--payload-bytes", &run.cell.payload_bytes.to_string()]);
        command.args(["--warmup-s", &workload.warmup.as_secs_f64().to_string()]);
        command.args(["--duration-s", &workload.window.as_secs_f64().to_string()]);
        command.args(["--verify", &workload.verify.to_string(), "--cpus", &cpus.join(",")]);
        command.args(["--server-pid", &server.pid().to_string()]);
        if let Some(stats) = &server.stats {
            command.arg("--server-stats").arg(stats);
        }
        command.arg("--out").arg(self.out).args(["--run-id", self.run_id]).args(&workload.client_args);
        command
    }
}
