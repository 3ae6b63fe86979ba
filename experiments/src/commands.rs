//! What the program does once its arguments are understood.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, anyhow};
use uring_echo::measure::host::Host;
use uring_echo::sys::affinity;

use crate::cli::{Request, RunArgs};
use crate::cores::Cores;
use crate::format;
use crate::interrupt::Interrupt;
use crate::manifest::{EngineEntry, Manifest, RunEntry, SCHEMA_VERSION, Status};
use crate::plan::{self, Run};
use crate::programs::{self, Programs};
use crate::recording::Recording;
use crate::runner::{End, Runner};
use crate::spec::{self, Spec};
use crate::{random, report, timestamp, vm};

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Does what `request` asks for.
///
/// # Errors
/// What kept it from being done, with a remedy where there is one.
pub fn execute(request: Request) -> anyhow::Result<ExitCode> {
    match request {
        Request::List => list(),
        Request::Show(folder) => show(&folder),
        Request::Vm(args) => vm::run(&args),
        Request::BuiltIn(id, args) => {
            let (spec, text) = spec::find(&id)?.ok_or_else(|| anyhow!("no experiment is called {id}"))?;
            run(spec, text, &args)
        }
        Request::File(path, args) => {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            run(Spec::parse(&path.display().to_string(), &text)?, &text, &args)
        }
    }
}

fn list() -> anyhow::Result<ExitCode> {
    for (spec, _) in spec::built_in()? {
        let runs = plan::plan(&spec, 0);
        let time = format::duration(plan::estimate(&runs));
        println!("{}: {}; {} runs, about {time}", spec.id, spec.title, runs.len());
        println!("  {}\n", format::wrap(&spec.question).join("\n  "));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(folder: &Path) -> anyhow::Result<ExitCode> {
    println!("{}", report::render(&Recording::open(folder)?)?);
    Ok(ExitCode::SUCCESS)
}

fn run(mut spec: Spec, text: &str, args: &RunArgs) -> anyhow::Result<ExitCode> {
    args.filter.narrow(&mut spec).map_err(|reason| anyhow!("--filter: {reason}"))?;
    spec.repetitions = args.repetitions.unwrap_or(spec.repetitions);
    let programs = Programs::find(spec.engines.iter().map(|level| level.engine))?;
    let permitted = affinity::permitted(0).context("cannot read which CPUs are permitted")?;
    let client_cpus = args.client_cpus.clone().unwrap_or_default().0;
    let cores = Cores::choose(&permitted, args.server_cpu, &client_cpus)?;
    let seed = args.seed.unwrap_or_else(random::fresh_seed);
    let runs = plan::plan(&spec, seed);
    let manifest = manifest(&spec, args, &cores, seed, &runs);
    let mut recording = Recording::create(&args.out, manifest, text, &Host::capture())?;
    announce(&spec, &recording, &cores, &runs);

    affinity::pin(&cores.client).context("cannot move to the client's cores")?;
    let interrupt = Interrupt::catch().context("cannot catch Ctrl-C")?;
    let runner = Runner { programs: &programs, cores: &cores, interrupt: &interrupt };
    let end = runner.run(&runs, &mut recording)?;
    println!("\n{}\n\nRecording: {}", report::render(&recording)?, recording.folder().display());
    Ok(exit_code(end, recording.manifest()))
}

fn manifest(spec: &Spec, args: &RunArgs, cores: &Cores, seed: u64, runs: &[Run<'_>]) -> Manifest {
    let started_unix_ms = timestamp::unix_ms();
    let name = |index: usize| spec.engines[index].name.as_str();
    Manifest {
        schema_version: SCHEMA_VERSION,
        experiment: spec.id.clone(),
        title: spec.title.clone(),
        recording: format!("{}-{:06x}", timestamp::utc(started_unix_ms), seed & 0xff_ffff),
        seed,
        filter: args.filter.to_string(),
        started_unix_ms,
        finished_unix_ms: None,
        version: env!("CARGO_PKG_VERSION").into(),
        revision: programs::revision(),
        server_cpu: cores.server,
        client_cpus: cores.client.clone(),
        repetitions: spec.repetitions,
        engines: spec.engines.iter().map(EngineEntry::from).collect(),
        ratios: spec.comparisons.iter().map(|c| format!("{}/{}", name(c.of), name(c.to))).collect(),
        files: Vec::new(),
        runs: runs.iter().map(RunEntry::planned).collect(),
    }
}

fn announce(spec: &Spec, recording: &Recording, cores: &Cores, runs: &[Run<'_>]) {
    eprintln!("{}\n{}\n", spec.title, format::wrap(&spec.question).join("\n"));
    eprintln!(
        "{}, about {}; server on CPU {}, client on CPU {:?}, seed {}",
        format::plural(runs.len(), "run"),
        format::duration(plan::estimate(runs)),
        cores.server,
        cores.client,
        recording.manifest().seed
    );
    eprintln!("Recording: {}\n", recording.folder().display());
    if cores.are_shared() {
        eprintln!("warning: server and client share a core; no figure will be about the server alone");
    }
}

/// 0 only when every run was made and is valid.
fn exit_code(end: End, manifest: &Manifest) -> ExitCode {
    match end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        End::Complete => ExitCode::from(u8::from(manifest.count(Status::Valid) < manifest.runs.len())),
    }
}
