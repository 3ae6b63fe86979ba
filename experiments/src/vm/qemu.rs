//! Starts the emulator, waits for it no longer than allowed, and keeps what the guest said.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::failure::Failure;
use crate::clock::Clock;

/// Name of the report, among the files of a boot and in a recording.
pub(crate) const REPORT: &str = "vm.json";

/// Name of the report, in a recording, on the boot in which its kernel passed the conformance suite.
pub(crate) const CONFORMANCE: &str = "conformance.json";

/// Who executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Accel {
    /// The CPU: times mean something.
    Kvm,
    /// An emulator: what the guest does is right, how fast is not.
    Tcg,
}

/// How long a boot may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until the guest's first process reports.
    pub(crate) boot: Duration,
    /// Until the guest is off.
    pub(crate) total: Duration,
}

/// A machine to boot.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) qemu: PathBuf,
    pub(crate) image: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) memory_mib: u32,
    pub(crate) command_line: String,
    /// Where the initramfs is and the guest's two serial lines go.
    pub(crate) files: Files,
    /// Whether the console is also this process's own input and output.
    pub(crate) interactive: bool,
}

/// The files of one boot, in one folder.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Creates `folder` if need be.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self { folder: folder.into() })
    }

    /// The initramfs.
    pub(crate) fn initramfs(&self) -> PathBuf {
        self.folder.join("initramfs.cpio")
    }

    /// The first serial line: the kernel's messages and the steps' output.
    pub(crate) fn console(&self) -> PathBuf {
        self.folder.join("console.log")
    }

    /// The second serial line: records.
    pub(crate) fn records(&self) -> PathBuf {
        self.folder.join("records.jsonl")
    }

    /// What the emulator itself wrote.
    pub(crate) fn messages(&self) -> PathBuf {
        self.folder.join("qemu.log")
    }

    /// The verdict on the boot.
    pub(crate) fn report(&self) -> PathBuf {
        self.folder.join(REPORT)
    }

    /// The text of one of these files; empty if it is not there, since a guest may die before it writes.
    pub(crate) fn text(path: &Path) -> String {
        fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

/// How a boot ended, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The emulator exited.
    Exited(ExitStatus),
    /// It was killed when its time was up.
    TimedOut,
}

impl Machine {
    /// Boots under `accel` and waits until the guest is off or a limit is reached.
    ///
    /// # Errors
    /// When the emulator cannot be started.
    pub(crate) fn boot(&self, accel: Accel, limits: Limits) -> Result<Ending> {
        remove_stale(&self.files.console())?;
        remove_stale(&self.files.records())?;
        let mut child = self.command(accel)?.spawn().map_err(|cause| Failure::NoQemu {
            program: self.qemu.display().to_string(),
            cause: cause.to_string(),
        })?;
        let ending = self.wait(&mut child, limits);
        if !matches!(ending, Ok(Ending::Exited(_))) {
            // It may have ended by itself since; either way it is collected here.
            drop(child.kill());
            child.wait().context("cannot wait for the emulator")?;
        }
        ending
    }

    /// Whether the guest's first process has reported.
    pub(crate) fn has_booted(&self) -> bool {
        fs::metadata(self.files.records()).is_ok_and(|file| file.len() > 0)
    }

    fn wait(&self, child: &mut Child, limits: Limits) -> Result<Ending> {
        const POLL_INTERVAL: Duration = Duration::from_millis(20);
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().context("cannot wait for the emulator")? {
                return Ok(Ending::Exited(status));
            }
            let limit = if self.has_booted() { limits.total } else { limits.boot.min(limits.total) };
            if started.elapsed() >= limit {
                return Ok(Ending::TimedOut);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn command(&self, accel: Accel) -> Result<Command> {
        let messages = self.files.messages();
        let log = File::create(&messages).with_context(|| format!("cannot create {}", messages.display()))?;
        let (accel, cpu, cpus) = match (self.clock, accel) {
            (Clock::Time, Accel::Kvm) => ("kvm", "host", "2"),
            (Clock::Time, Accel::Tcg) => ("tcg", "max", "2"),
            // Without the first two the kernel copies in words: one `rep movsb` would count once a byte and bury all else. The
            // others are random, and all that a guest would know of chance.
            (Clock::Instructions, _) => ("tcg", "max,-erms,-fsrm,-rdrand,-rdseed", "1"),
        };
        let mut command = Command::new(&self.qemu);
        command.args(["-M", "pc", "-accel", accel, "-cpu", cpu, "-smp", cpus, "-nodefaults", "-no-reboot"]);
        if self.clock == Clock::Instructions {
            // A nanosecond an instruction; who waits for a timer skips to it. The date is the same in each boot, and goes on by
            // instructions. Source: qemu(1).
            command.args(["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm"]);
        }
        command.args(["-display", "none", "-m", &format!("{}M", self.memory_mib)]);
        self.serial_lines(&mut command);
        command.arg("-kernel").arg(&self.image).arg("-initrd").arg(self.files.initramfs());
        command.arg("-append").arg(&self.command_line);
        command.stderr(log);
        if !self.interactive {
            command.stdin(Stdio::null()).stdout(Stdio::null());
        }
        Ok(command)
    }

    fn serial_lines(&self, command: &mut Command) {
        let console = self.files.console();
        if self.interactive {
            // Ctrl-C goes to the guest; the monitor behind Ctrl-A is the way out of one that hangs.
            let device = format!("stdio,id=console,mux=on,signal=off,logfile={}", console.display());
            command.args(["-chardev", &device, "-mon", "console", "-serial", "chardev:console"]);
        } else {
            command.arg("-serial").arg(format!("file:{}", console.display()));
        }
        command.arg("-serial").arg(format!("file:{}", self.files.records().display()));
    }
}

/// The file of an earlier boot must not be taken for this one's.
fn remove_stale(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Whether the virtualisation device can be opened. That it opens does not mean that a guest boots.
pub(crate) fn kvm_opens() -> bool {
    File::options().read(true).write(true).open("/dev/kvm").is_ok()
}
