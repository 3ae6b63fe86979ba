//! A process that this one started, and that it always ends: by its pid, never by a name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{io, thread};

use anyhow::Context;
use uring_echo::sys::process;

/// How often a child that was told to end is looked at.
const PAUSE: Duration = Duration::from_millis(2);

/// Adds a variable of `bytes` to the environment of `command`, which moves its stack.
pub fn pad_environment(command: &mut Command, bytes: usize) {
    command.env("URING_ECHO_PADDING", "x".repeat(bytes));
}

/// A child with its output in files, where a full pipe cannot block it. Dropping kills it.
#[derive(Debug)]
pub struct OwnedChild {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl OwnedChild {
    /// Starts `command` with its output in `folder`, in files that `name` begins.
    ///
    /// # Errors
    /// When the files cannot be created or the program cannot be started.
    pub fn start(command: &mut Command, folder: &Path, name: &str) -> anyhow::Result<Self> {
        let (stdout, stderr) = (folder.join(format!("{name}.stdout")), folder.join(format!("{name}.stderr")));
        let create =
            |path: &Path| File::create(path).with_context(|| format!("cannot create {}", path.display()));
        command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&stderr)?);
        let program = command.get_program().to_owned();
        let child = process::tie_to_parent(command)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, stdout, stderr })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// Never for a child of this process.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// What it has written to standard error so far, cut to its end.
    pub fn complaint(&self) -> String {
        const LINES_MAX: usize = 12;
        let text = fs::read(&self.stderr).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES_MAX)..].join("\n")
    }

    /// Asks it to end by SIGTERM and waits; kills it when `grace` is over. `None` when it had to be killed.
    ///
    /// # Errors
    /// Never for a child of this process.
    pub fn stop(mut self, grace: Duration) -> io::Result<Option<ExitStatus>> {
        if self.ended()?.is_none() {
            process::terminate(self.pid())?;
        }
        let rounds = grace.as_millis() / PAUSE.as_millis();
        for _ in 0..rounds {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            thread::sleep(PAUSE);
        }
        Ok(None)
    }
}

impl Drop for OwnedChild {
    fn drop(&mut self) {
        // They fail only when it has ended already, which is what they are for. A server may have started others.
        let _ = self.child.kill();
        let _ = process::kill_group(self.pid());
        let _ = self.child.wait();
    }
}
