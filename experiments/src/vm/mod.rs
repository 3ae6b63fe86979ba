//! `experiments vm`: boots a chosen kernel with nothing but this project's static programs in it, lets them run there, and
//! judges what they report.
//!
//! `args` says what is wanted, `kernel` and `debian` find the kernel, `programs` and `cpio` make the initramfs, `qemu` boots
//! it, `session` decides how, `record` boots one kernel after another to count on each; `verdict`, `memory`, `features` and `failure` say what came of it, `report` writes that down.
//! The guest's half is the crate `guest`.

mod args;
mod cpio;
mod debian;
mod failure;
mod features;
pub(crate) mod kernel;
mod memory;
mod programs;
pub(crate) mod qemu;
mod record;
mod report;
mod session;
pub(crate) mod verdict;

#[cfg(test)]
mod boots;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result};
use tempfile::{Builder, TempDir};
use uring_echo::cli::output;

use crate::clock::Clock;
use crate::recording::{Recording, timestamp};

pub use args::VmArgs;
use kernel::Kernel;
use programs::Programs;
use qemu::Files;
pub(crate) use record::record;
use report::Report;
use session::Session;
use verdict::Verdict;

/// Boots, prints the verdict and returns success; whatever else happens is an error that says so.
///
/// # Errors
/// A kernel, a program or an emulator that is missing, and every way in which a guest fails.
pub fn run(args: &VmArgs) -> Result<ExitCode> {
    let plan = args.plan()?;
    let kernel = Kernel::obtain(&args.kernel, &cache_folder())?;
    if args.fetch_only {
        output::say(&format!("{}\n", kernel.image.display()), "the kernel's path")?;
        return Ok(ExitCode::SUCCESS);
    }
    let programs = match &args.guest_bin_dir {
        Some(folder) => Programs::given(folder)?,
        None => Programs::build(&plan.steps)?,
    };
    boot(args, kernel, &programs).map(|_| ExitCode::SUCCESS)
}

/// What a boot leaves.
struct Left {
    report: Report,
    recordings: BTreeSet<PathBuf>,
}

/// Boots `kernel` with `programs` and prints the verdict.
fn boot(args: &VmArgs, kernel: Kernel, programs: &Programs) -> Result<Left> {
    let plan = &args.plan()?;
    let folder = args.out.clone().map_or_else(scratch_folder, Ok)?;
    let files = Files::create(&folder)?;
    fs::write(files.initramfs(), programs.initramfs()?).context("cannot write the initramfs")?;
    let machine = args.machine(&kernel, plan, files);
    let (image, console) = (machine.image.display(), machine.files.console());
    output::note(format_args!("booting {image} (console: {})", console.display()));
    let began_unix_ms = timestamp::unix_ms();
    let booted = Session { plan, machine: &machine, limits: args.limits() }.boot(args.accel)?;
    let recordings = if args.clock == Clock::Instructions {
        dated(&booted.verdict, &args.recordings, began_unix_ms)?
    } else {
        booted.verdict.recordings(&args.recordings)?
    };
    let report = Report::new(kernel, &machine, booted);
    output::say(&report.to_string(), "the report")?;
    report.write(&machine.files.report())?;
    for recording in &recordings {
        report.add_to(recording, qemu::REPORT)?;
        let said = format!("\nRecording: {} (circumstances: {})\n", recording.display(), qemu::REPORT);
        output::say(&said, "where the recording is")?;
    }
    if args.out.is_none() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(Left { report, recordings })
}

/// The recordings of a guest whose clock begins at a fixed date, below `results` under the time at which it was booted.
fn dated(verdict: &Verdict, results: &Path, began_unix_ms: u64) -> Result<BTreeSet<PathBuf>> {
    let create =
        fs::create_dir_all(results).and_then(|()| Builder::new().prefix("guest-").tempdir_in(results));
    let undated = create.with_context(|| format!("cannot create a folder in {}", results.display()))?;
    let date = |folder: PathBuf| Recording::reopen(&folder)?.date(results, began_unix_ms);
    verdict.recordings(undated.path())?.into_iter().map(date).collect()
}

/// A folder of a name that no other has. It stays: when something fails, the console in it says why.
fn scratch_folder() -> Result<PathBuf> {
    let folder = Builder::new().prefix("uring-echo-vm-").tempdir();
    folder.map(TempDir::keep).context("cannot create a temporary folder; make room, or name one with --out")
}

/// Where fetched kernels are kept between runs. Source: XDG Base Directory Specification.
fn cache_folder() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    base.unwrap_or_else(env::temp_dir).join("uring-echo").join("kernels")
}
