//! `experiments vm`: boots a chosen kernel with nothing but this project's static programs in it, lets them run there, and
//! judges what they report.
//!
//! `kernel` and `debian` find the kernel, `programs` and `cpio` make the initramfs, `qemu` boots it, `session` decides how,
//! `verdict` and `failure` say what came of it, `report` writes that down. The guest's half is the crate `guest`.

mod cpio;
mod debian;
mod failure;
mod kernel;
mod programs;
mod qemu;
mod report;
mod session;
mod verdict;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result};
use guest::plan::Plan;

use kernel::{Kernel, Source};
use programs::Programs;
use qemu::{Accel, Files, Limits, Machine};
use report::Report;
use session::Session;

/// Boot a kernel in a virtual machine and run the conformance suite and the probe inside it
#[derive(Clone, Debug, clap::Args)]
pub struct VmArgs {
    /// A kernel image, or debian:SERIES for the newest cloud kernel that apt has, such as debian:6.1 or debian:6.12
    #[arg(long, value_name = "FILE|debian:SERIES", default_value = "debian:6.1")]
    kernel: Source,
    /// What to run, in this order: conformance, probe, or other programs of --guest-bin-dir
    #[arg(long, value_name = "STEP", value_delimiter = ',', default_value = "conformance,probe")]
    run: Vec<String>,
    /// Sizes and counts of the conformance suite, as a share of its full ones
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    scale: f64,
    /// More words for the kernel's command line, such as mitigations=off; KEY=VALUE goes to the steps' environment
    #[arg(long, value_name = "EXTRA", default_value = "", allow_hyphen_values = true)]
    cmdline: String,
    /// The guest's memory
    #[arg(long, value_name = "N", default_value_t = 2048)]
    memory_mib: u32,
    /// How long all of it may take; one step may take four fifths of that
    #[arg(long, value_name = "N", default_value_t = 600)]
    timeout_s: u64,
    /// How long the guest may take until its first process runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    boot_timeout_s: u64,
    /// Who executes the guest: left out, kvm if it works, else tcg
    #[arg(long, value_name = "WHO")]
    accel: Option<Accel>,
    /// The emulator
    #[arg(long, value_name = "PROGRAM", default_value = "qemu-system-x86_64")]
    qemu: PathBuf,
    /// Take the guest's static programs from this folder (guest-init, uring-echo, conformance) instead of building them
    #[arg(long, value_name = "DIR")]
    guest_bin_dir: Option<PathBuf>,
    /// Keep the console, the records and the verdict here; left out, they are kept only when something fails
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Arguments for the last step, after two dashes
    #[arg(last = true, value_name = "ARG")]
    args: Vec<String>,
}

/// Boots, prints the verdict and returns success; whatever else happens is an error that says so.
///
/// # Errors
/// A kernel, a program or an emulator that is missing, and every way in which a guest fails.
pub fn run(args: &VmArgs) -> Result<ExitCode> {
    let plan = args.plan()?;
    let kernel = Kernel::obtain(&args.kernel, &cache_folder())?;
    let programs = match &args.guest_bin_dir {
        Some(folder) => Programs::given(folder)?,
        None => Programs::build(plan.steps.iter().any(|step| step == "conformance"))?,
    };
    let scratch = env::temp_dir().join(format!("uring-echo-vm-{}", process::id()));
    let files = Files::create(args.out.as_deref().unwrap_or(&scratch))?;
    fs::write(files.initramfs(), programs.initramfs()?).context("cannot write the initramfs")?;
    let machine = args.machine(&kernel, &plan, files);
    eprintln!("booting {} (console: {})", machine.image.display(), machine.files.console().display());
    let booted = Session { plan: &plan, machine: &machine, limits: args.limits() }.boot(args.accel)?;
    let report = Report::new(kernel, &machine, booted);
    print!("{report}");
    report.write(&machine.files.report())?;
    if args.out.is_none() {
        fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl VmArgs {
    fn plan(&self) -> Result<Plan> {
        let deadline_s = (self.timeout_s - self.timeout_s / 5).max(1);
        let plan = Plan { steps: self.run.clone(), deadline_s, args: self.args.clone() };
        plan.check().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(plan)
    }

    fn limits(&self) -> Limits {
        let [boot, total] = [self.boot_timeout_s, self.timeout_s].map(Duration::from_secs);
        Limits { boot, total }
    }

    fn machine(&self, kernel: &Kernel, plan: &Plan, files: Files) -> Machine {
        // A kernel that oopses is a finding, not a guest to go on with; a panic reboots at once, which ends the emulator.
        let base = format!("console=ttyS0 panic=-1 oops=panic URING_ECHO_SCALE={}", self.scale);
        let command_line = format!("{base} {} {plan}", self.cmdline.trim()).replace("  ", " ");
        let image = kernel.image.clone();
        Machine { qemu: self.qemu.clone(), image, memory_mib: self.memory_mib, command_line, files }
    }
}

/// Where fetched kernels are kept between runs. Source: XDG Base Directory Specification.
fn cache_folder() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    base.unwrap_or_else(env::temp_dir).join("uring-echo").join("kernels")
}
