//! `experiments profile`: what the server's core spends its time on, by function, on this machine itself.
//!
//! While the client measures, whatever runs on the server's core is sampled, with its stack. A table of rules says what a function of
//! the kernel works at. Each sample stands for the time since the one before it; a class is the sum of its samples a message, and the sum
//! of all is held to the busy time that the client's record has.
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | what to profile, from the command line |
//! | [`measure`] | one server under one load |
//! | [`sample`] | samples of a core |
//! | [`kernel`], [`program`] | names of functions |
//! | [`classes`], [`rules`] | what time is charged to, and by which functions |
//! | [`tally`] | samples added up |
//! | [`table`], [`document`], [`figure`], [`flame`] | what is left of it |

pub mod classes;
pub mod document;
pub mod figure;
pub mod flame;
pub mod kernel;
pub mod measure;
pub mod program;
pub mod request;
pub mod rules;
pub mod sample;
mod svg;
pub mod table;
pub mod tally;
#[cfg(test)]
mod testing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use uring_echo::cli::output;
use uring_echo::measure::host::Tree;
use uring_echo::random;
use uring_echo::sys::affinity;

use crate::plan::{self, Role, Run, preflight};
use crate::recording::timestamp;
use crate::run::cores::Cores;
use crate::run::interrupt::{INTERRUPTED, Interrupt};
use crate::run::kinds::Kinds;
use crate::run::programs::Programs;
use crate::spec::factors::Factors;
use crate::spec::{self, Spec};

use kernel::KernelNames;
use measure::{Bench, Cell};
use request::ProfileArgs;
use rules::Rules;

/// The largest part of a server's samples that no rule may know.
const UNCLASSIFIED_MAX: f64 = 0.05;

/// Profiles what `args` ask for. Fails the command when something speaks against a run, or the rules know too little of a server's
/// samples.
///
/// # Errors
/// When this machine does not let its cores be sampled, an end of a run fails, or a file cannot be written.
pub fn run(args: &ProfileArgs) -> anyhow::Result<ExitCode> {
    let spec = args.spec()?;
    let (kernel, rules) = (KernelNames::read()?, Rules::built_in());
    let programs = Programs::find(&spec.engines)?;
    let cores = cores(args)?;
    let runs = runs(&spec);
    preflight::check(&runs, cores.client.len())?;
    affinity::pin(&cores.client).context("cannot move to the client's cores")?;
    let interrupt = Interrupt::catch().context("cannot catch Ctrl-C")?;
    let bench = Bench {
        programs: &programs,
        cores: &cores,
        interrupt: &interrupt,
        kernel: &kernel,
        rules: &rules,
        frequency: args.frequency,
    };
    let Some(cells) = profiled(&bench, &spec, &runs)? else { return Ok(ExitCode::from(INTERRUPTED)) };
    let folder = folder(args);
    write(&folder, &cells, args.frequency)?;
    let tables = table::render(&cells, args.frequency);
    output::say(&format!("{tables}\n\nProfile: {}\n", folder.display()), "the tables")?;
    table::warnings(&cells).iter().for_each(output::note);
    let faults = [table::doubts(&cells), table::missing_rules(&cells, UNCLASSIFIED_MAX)].concat();
    faults.iter().for_each(output::note);
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}

fn cores(args: &ProfileArgs) -> anyhow::Result<Cores> {
    let permitted = affinity::permitted(0).context("cannot read which CPUs are permitted")?;
    let kinds = Kinds::read(&Tree::new(Path::new("/")), &permitted);
    let client = args.client_cpus.clone().unwrap_or_default().0;
    let cores = Cores::choose(&permitted, &kinds, args.server_cpu, &client)?;
    if cores.are_shared() {
        output::note(
            "warning: server and client share a core; the client's work stands under other processes",
        );
    }
    Ok(cores)
}

/// Every server in every cell once, in a random order.
fn runs(spec: &Spec) -> Vec<Run> {
    let planned = plan::plan(spec, random::fresh_seed());
    planned.into_iter().filter(|run| run.role == Role::Measured).collect()
}

/// The cells in the order of `spec`. `None` when the user stopped it.
fn profiled(bench: &Bench<'_>, spec: &Spec, runs: &[Run]) -> anyhow::Result<Option<Vec<Cell>>> {
    let mut made = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        output::note(format_args!(
            "{:>4}/{}  {}, {}",
            index + 1,
            runs.len(),
            run.cell.factors,
            run.engine.name
        ));
        let Some(profile) = bench.profile(run)? else { return Ok(None) };
        made.push((run.cell.factors.clone(), profile));
    }
    let of = |factors: &Factors| {
        let profiles = spec
            .engine_names()
            .filter_map(|name| made.iter().find(|(cell, profile)| cell == factors && profile.server == name));
        profiles.map(|(_, profile)| profile.clone()).collect()
    };
    let cell = |cell: &spec::Cell| Cell { factors: cell.factors.clone(), profiles: of(&cell.factors) };
    Ok(Some(spec.cells.iter().map(cell).collect()))
}

fn folder(args: &ProfileArgs) -> PathBuf {
    let stamped = || Path::new("results/profile").join(timestamp::utc(timestamp::unix_ms()));
    args.out.clone().unwrap_or_else(stamped)
}

fn write(folder: &Path, cells: &[Cell], frequency: u64) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let write = |name: String, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("profile.json".into(), document::json(cells, frequency)?)?;
    write("profile.svg".into(), figure::svg(cells))?;
    for cell in cells {
        for profile in &cell.profiles {
            let name = format!("{}-{}", cell.factors.key().replace('/', "-"), profile.server);
            let title = format!("{}, {}", cell.factors, profile.server);
            write(format!("{name}.folded"), flame::folded(&profile.tally.stacks))?;
            write(format!("{name}.svg"), flame::svg(&title, &profile.tally.stacks))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use classes::Class;
    use program::ProgramNames;
    use sample::Sampler;
    use tally::Reader;

    /// A process that does nothing but count, on `cpu`.
    fn busy(cpu: usize) -> Child {
        let start = move || {
            affinity::pin(&[cpu]).unwrap();
            Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()
        };
        thread::spawn(start).join().unwrap()
    }

    #[test]
    fn a_busy_process_is_seen_in_its_own_code() {
        const PERIOD: Duration = Duration::from_micros(200);
        const ENOUGH: usize = 50;
        let cpu = *affinity::permitted(0).unwrap().last().unwrap();
        let names = KernelNames::read();
        let (kernel, mut sampler) = match names.and_then(|names| Ok((names, Sampler::start(cpu, 5000)?))) {
            Ok(both) => both,
            Err(refused) => return output::note(format_args!("skipped: {refused:#}")),
        };
        let mut child = busy(cpu);
        let pid = child.id();
        let deadline = Instant::now() + Duration::from_secs(10);
        // On a machine with much to do it may wait for its turn.
        while sampler.of_process(pid) < ENOUGH && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
            sampler.drain();
        }
        let program = ProgramNames::read(pid).unwrap();
        child.kill().and_then(|()| child.wait()).unwrap();
        let source = sampler.source;
        let (samples, lost) = sampler.finish();
        let rules = Rules::built_in();
        let period_ns = PERIOD.as_nanos() as u64;
        let reader = Reader { kernel: &kernel, program: &program, rules: &rules, pid, source, period_ns };
        let tally = reader.tally(&samples, 0..u64::MAX);
        assert_eq!(lost, 0);
        let of_child = tally.server.samples;
        assert!(of_child >= ENOUGH as u64, "{of_child} of {} samples are of the process", samples.len());
        assert!(
            tally.of(Class::UserCode).samples * 2 > of_child,
            "it has nothing to ask the kernel: {tally:?}"
        );
        let in_a_file = |stack: &String| stack.starts_with("server;") && !stack.ends_with("_[k]");
        assert!(tally.stacks.keys().any(in_a_file), "{:?}", tally.stacks);
    }
}
