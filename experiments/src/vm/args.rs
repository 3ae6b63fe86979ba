//! What to boot and what to run in it, as arguments.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use guest::plan::Plan;
use guest::steps;

use crate::clock::Clock;
use crate::plan::Run;
use crate::run::args::RunArgs;

use super::kernel::{Kernel, Source};
use super::qemu::{Accel, Files, Limits, Machine};

/// What a run takes beside its load: to start the server, to connect and to drain.
const SETTLE: Duration = Duration::from_millis(200);

/// Sizes and counts of the conformance suite in an emulated guest, which is twenty times slower.
const SCALE: f64 = 0.05;

/// Boot a kernel in a virtual machine and run the conformance suite and the probe inside it
#[derive(Clone, Debug, clap::Args)]
pub struct VmArgs {
    /// A kernel image, or debian:SERIES for the newest cloud kernel that apt has, such as debian:6.1 or debian:6.12
    #[arg(long, value_name = "FILE|debian:SERIES", default_value = "debian:6.1")]
    pub(super) kernel: Source,
    /// Fetch the kernel, print where its image is, and boot nothing
    #[arg(long)]
    pub(super) fetch_only: bool,
    /// What to run, in this order: conformance, probe, features, refusal, quick, or programs of the guest such as
    /// experiments
    #[arg(long, value_name = "STEP", value_delimiter = ',', default_values = steps::DEFAULT)]
    run: Vec<String>,
    /// A prompt on the guest's console in place of all that; Ctrl-A X ends the emulator
    #[arg(long, conflicts_with = "run")]
    interactive: bool,
    /// Sizes and counts of the conformance suite, as a share of its full ones
    #[arg(long, value_name = "SHARE", default_value_t = SCALE)]
    scale: f64,
    /// Set CPU 1 aside for the server: isolcpus, nohz_full and rcu_nocbs, as far as the kernel has them
    #[arg(long)]
    isolate: bool,
    /// Whether the kernel works around faults of the CPU; left out, it decides
    #[arg(long, value_name = "auto|off", value_parser = ["auto", "off"])]
    mitigations: Option<String>,
    /// What the guest's clock counts: nanoseconds, or instructions, one a nanosecond, on one CPU under the emulator
    #[arg(long, value_enum, default_value = "time")]
    pub(super) clock: Clock,
    /// More words for the kernel's command line, such as slub_debug=FZ; KEY=VALUE goes to the steps' environment
    #[arg(long, value_name = "EXTRA", default_value = "", allow_hyphen_values = true)]
    cmdline: String,
    /// The guest's memory
    #[arg(long, value_name = "N", default_value_t = 2048)]
    memory_mib: u32,
    /// How long all of it may take
    #[arg(long, value_name = "N", default_value_t = 600)]
    timeout_s: u64,
    /// How long one step may take [default: four fifths of --timeout-s]
    #[arg(long, value_name = "N")]
    step_timeout_s: Option<u64>,
    /// How long the guest may take until its first process runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    boot_timeout_s: u64,
    /// Who executes the guest: left out, kvm if it works, else tcg
    #[arg(long, value_name = "WHO")]
    pub(super) accel: Option<Accel>,
    /// The emulator
    #[arg(long, value_name = "PROGRAM", default_value = "qemu-system-x86_64")]
    qemu: PathBuf,
    /// Take the guest's static programs from this folder (guest-init, uring-echo, conformance) instead of building them
    #[arg(long, value_name = "DIR")]
    pub(super) guest_bin_dir: Option<PathBuf>,
    /// Keep the console, the records and the verdict here; left out, they are kept only when something fails
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Folder of the recordings that experiments make in the guest
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(super) recordings: PathBuf,
    /// Arguments for the last step, after two dashes
    #[arg(last = true, value_name = "ARG")]
    args: Vec<String>,
}

/// Wall-clock time that the emulator takes at most for what is a second to the guest, of which it executes 10⁹ instructions.
const WALL_PER_GUEST: u32 = 120;

/// The order of the runs, if nobody asks for another: one for all, so that two boots do the same.
const SEED: u64 = 1;

/// Wall-clock time to boot such a guest and to start its first run.
const START_S: u64 = 600;

impl VmArgs {
    /// The boot of `kernel` that records the built-in experiment `id`, whose runs are `runs`, in instructions.
    pub(super) fn recording(id: &str, kernel: Source, run: &RunArgs, runs: &[Run]) -> Self {
        let guest_s = runs.iter().map(|run| run.load_time() + SETTLE).sum::<Duration>();
        let timeout_s = START_S + (guest_s * WALL_PER_GUEST).as_secs();
        let mut args = vec![id.to_owned(), "--size".into(), run.size.to_string()];
        let mut option = |name: &str, value: Option<String>| {
            args.extend(value.map(|value| [name.to_owned(), value]).into_iter().flatten());
        };
        option("--seed", Some(run.seed.unwrap_or(SEED).to_string()));
        option("--repetitions", run.repetitions.map(|count| count.to_string()));
        option("--filter", Some(run.filter.to_string()).filter(|filter| !filter.is_empty()));
        let run_steps = vec![steps::EXPERIMENTS.to_owned()];
        Self {
            clock: Clock::Instructions,
            accel: Some(Accel::Tcg),
            recordings: run.out.clone(),
            args,
            ..Self::unattended(kernel, run_steps, timeout_s)
        }
    }

    /// The boot of `kernel` that tries whether both servers behave there, and whether it has the features it should.
    pub(super) fn trial(kernel: Source) -> Self {
        // The suite gives a case up after 1200 s at this scale, and then says more of it than a time limit could.
        const TRIAL_S: u64 = 1800;
        // With less, the suite's unread data put the kernel under pressure for TCP memory, which shrinks windows. Linux from 6.16 on
        // can then drop both ends' segments for ever as beyond the window (`BeyondWindow` in /proc/net/netstat).
        const TRIAL_MIB: u32 = 8192;
        let run_steps = [steps::CONFORMANCE, steps::FEATURES].map(str::to_owned);
        Self { memory_mib: TRIAL_MIB, ..Self::unattended(kernel, run_steps.to_vec(), TRIAL_S) }
    }

    fn unattended(kernel: Source, run: Vec<String>, timeout_s: u64) -> Self {
        const BOOT_S: u64 = 600;
        Self {
            kernel,
            fetch_only: false,
            run,
            interactive: false,
            scale: SCALE,
            isolate: false,
            mitigations: None,
            clock: Clock::Time,
            cmdline: String::new(),
            memory_mib: 2048,
            timeout_s,
            step_timeout_s: Some(timeout_s),
            boot_timeout_s: BOOT_S,
            accel: None,
            qemu: "qemu-system-x86_64".into(),
            guest_bin_dir: None,
            out: None,
            recordings: PathBuf::new(),
            args: Vec::new(),
        }
    }

    /// What the guest is told.
    ///
    /// # Errors
    /// When that would not survive the kernel's command line.
    pub(super) fn plan(&self) -> Result<Plan> {
        let deadline_s = self.step_timeout_s.unwrap_or(self.timeout_s - self.timeout_s / 5).max(1);
        let console = || vec![steps::CONSOLE.to_string()];
        let steps = if self.interactive { console() } else { self.run.clone() };
        let plan = Plan { steps, deadline_s, args: self.args.clone() };
        plan.check().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(plan)
    }

    /// How long the guest may take; a person at its console has all the time there is.
    pub(super) fn limits(&self) -> Limits {
        let [boot, total] = [self.boot_timeout_s, self.timeout_s].map(Duration::from_secs);
        Limits { boot, total: if self.interactive { Duration::MAX } else { total } }
    }

    /// The machine that runs `plan` on `kernel`.
    pub(super) fn machine(&self, kernel: &Kernel, plan: &Plan, files: Files) -> Machine {
        // A kernel that oopses or has no memory left is a finding, not a guest to go on with; a panic reboots at once, which
        // ends the emulator.
        let base = "console=ttyS0 panic=-1 oops=panic sysctl.vm.panic_on_oom=1";
        let base = format!("{base} URING_ECHO_SCALE={}", self.scale);
        let words = [
            base,
            self.isolation().into(),
            self.mitigations(),
            self.clock_words(),
            self.cmdline.trim().into(),
            plan.to_string(),
        ];
        let command_line =
            words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        let image = kernel.image.clone();
        Machine {
            qemu: self.qemu.clone(),
            image,
            clock: self.clock,
            memory_mib: self.memory_mib,
            command_line,
            files,
            interactive: self.interactive,
        }
    }

    fn isolation(&self) -> &'static str {
        if self.isolate { "isolcpus=managed_irq,domain,1 nohz_full=1 rcu_nocbs=1" } else { "" }
    }

    /// What tells the guest of its clock, and takes out of the boot what would differ from one to the next: where the kernel and
    /// its processes lie in memory.
    fn clock_words(&self) -> String {
        match self.clock {
            Clock::Time => String::new(),
            Clock::Instructions => format!("{}={} nokaslr norandmaps", Clock::VARIABLE, Clock::COUNTS),
        }
    }

    fn mitigations(&self) -> String {
        self.mitigations.as_ref().map(|word| format!("mitigations={word}")).unwrap_or_default()
    }
}
