//! Records an experiment in guests whose clock is their instructions: one boot for each kernel, as many side by side as there
//! are cores. Nobody's count is disturbed by it.

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use guest::steps;
use uring_echo::cli::output;

use super::args::VmArgs;
use super::kernel::{Kernel, Source};
use super::programs::Programs;
use super::qemu::CONFORMANCE;
use super::{boot, cache_folder};
use crate::plan::Run;
use crate::recording::Recording;
use crate::report;
use crate::report::format::duration;
use crate::run::args::RunArgs;
use crate::spec::Spec;

/// Records `spec`, one of those that are built in, whose runs are `runs`, on each kernel that `args` ask for, or `spec` does.
///
/// # Errors
/// A program or an emulator that is missing, no kernel at all, a kernel that `args` name and that is not there. A guest that fails
/// is told, the others go on, and the exit status is 1. A kernel that fails the conformance suite is counted on all the same.
pub(crate) fn record(spec: &Spec, args: &RunArgs, runs: &[Run]) -> Result<ExitCode> {
    let kernels = kernels(spec, args)?;
    let conformance = spec.conformance.then(|| steps::CONFORMANCE.to_owned());
    let steps: Vec<_> = [steps::EXPERIMENTS.to_owned()].into_iter().chain(conformance).collect();
    let programs = Programs::build(&steps)?;
    let count = kernels.len();
    let progress = Progress { count, jobs: jobs().min(count), started: Instant::now(), done: Mutex::new(0) };
    let made = side_by_side(kernels, progress.jobs, |kernel| {
        let named = kernel.1.named();
        let made = on(kernel, spec, args, runs, &programs);
        progress.passed(&named, &made);
        made
    });
    let recordings =
        made.iter().flatten().map(|made| Recording::open(&made.folder)).collect::<Result<Vec<_>>>()?;
    if !recordings.is_empty() {
        output::say(&format!("\n{}\n", report::side_by_side(&recordings)?), "the tables")?;
    }
    let sound = made.iter().flatten().filter(|made| made.fault.is_none()).count();
    Ok(ExitCode::from(u8::from(sound < count)))
}

/// What was made on one kernel.
struct Made {
    folder: PathBuf,
    /// Why it did not pass the conformance suite.
    fault: Option<anyhow::Error>,
}

/// The kernels to boot. What nobody asked for by name may be missing.
fn kernels(spec: &Spec, args: &RunArgs) -> Result<Vec<(Source, Kernel)>> {
    let cache = cache_folder();
    let obtain = |source: &Source| Ok((source.clone(), Kernel::obtain(source, &cache)?));
    if !args.kernel.is_empty() {
        return args.kernel.iter().map(obtain).collect();
    }
    let mut found = Vec::new();
    for source in &spec.kernels {
        match obtain(source) {
            Ok(kernel) => found.push(kernel),
            Err(error) if spec.kernels.len() > 1 => output::note(format_args!("left out: {error:#}")),
            Err(error) => return Err(error),
        }
    }
    ensure!(!found.is_empty(), "there is no kernel to count on; name an image with --kernel FILE");
    Ok(found)
}

impl Kernel {
    /// What it is called while it is recorded on: its package, or its file.
    fn named(&self) -> String {
        self.package.as_ref().map_or_else(|| self.image.display().to_string(), |package| package.name.clone())
    }
}

/// Records on one kernel.
fn on(
    (source, kernel): (Source, Kernel),
    spec: &Spec,
    args: &RunArgs,
    runs: &[Run],
    programs: &Programs,
) -> Result<Made> {
    let trial = VmArgs::trial(source.clone());
    let trial = spec.conformance.then(|| boot(&trial, kernel.clone(), programs));
    let left = boot(&VmArgs::recording(&spec.id, source, args, runs), kernel, programs)?;
    let Some(folder) = left.recordings.into_iter().next() else { bail!("the guest recorded nothing") };
    let fault = match trial {
        Some(Ok(passed)) => {
            passed
                .report
                .add_to(&folder, CONFORMANCE)
                .context("cannot keep what the conformance suite said")?;
            None
        }
        Some(Err(fault)) => Some(fault),
        None => None,
    };
    Ok(Made { folder, fault })
}

fn jobs() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Calls `each` with every item, `jobs` of them at a time; what it returned, in the order of the items.
fn side_by_side<T: Send, R: Send>(items: Vec<T>, jobs: usize, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let waiting = Mutex::new(items.into_iter().enumerate());
    let work = || {
        let mut made = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, item)) = next else { return made };
            made.push((index, each(item)));
        }
    };
    let mut made: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, made)| made).collect()
}

/// How many kernels are done.
struct Progress {
    count: usize,
    jobs: usize,
    started: Instant,
    done: Mutex<usize>,
}

impl Progress {
    /// Tells that the kernel called `name` is done, or why it failed, and how long the others will take.
    fn passed(&self, name: &str, made: &Result<Made>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        let rounds = |kernels: usize| kernels.div_ceil(self.jobs) as u32;
        let left = self.started.elapsed() / rounds(*done) * rounds(self.count - *done);
        let outcome = match made {
            Ok(Made { fault: None, .. }) => "recorded".to_owned(),
            Ok(Made { fault: Some(fault), .. }) => {
                format!("recorded, but it FAILED the conformance suite: {fault:#}")
            }
            Err(error) => format!("FAILED: {error:#}"),
        };
        output::note(format_args!(
            "[{} of {}] {name}: {outcome}; about {} left\n",
            *done,
            self.count,
            duration(left)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn items_are_done_side_by_side_and_come_back_in_their_order() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let meeting = std::sync::Barrier::new(2);
        let made = side_by_side((0..6).collect(), 2, |item| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Two at a time, or this waits for ever.
            meeting.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            item * 10
        });
        assert_eq!((made, most.into_inner()), (vec![0, 10, 20, 30, 40, 50], 2));
    }
}
