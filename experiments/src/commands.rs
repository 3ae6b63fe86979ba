//! What the program does once its arguments are understood.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, ensure};
use uring_echo::cli::output;
use uring_echo::cpu_list;
use uring_echo::measure::host::{Host, Tree};
use uring_echo::random;
use uring_echo::sys::affinity;
use uring_echo::sys::syscall_counter::SyscallCounter;
use uring_echo::words::plural;

use crate::cli::{CountsArgs, Request};
use crate::clock::Clock;
use crate::plan::estimate::{self, Cost};
use crate::plan::preflight;
use crate::plan::{self, Run};
use crate::recording::Recording;
use crate::recording::manifest::{
    EngineEntry, LeftOut, Manifest, RecordsEntry, RunEntry, SCHEMA_VERSION, Status,
};
use crate::recording::{convert, resume, timestamp, verify};
use crate::report::counts::Counts;
use crate::report::format;
use crate::run::args::RunArgs;
use crate::run::cores::Cores;
use crate::run::interrupt::{INTERRUPTED, Interrupt};
use crate::run::kinds::Kinds;
use crate::run::programs::{self, Programs};
use crate::run::runner::{End, Runner};
use crate::run::{scratch, server};
use crate::spec::{self, Size, Spec};
use crate::{compare, doctor, peers, profile, report, vm};

/// Does what `request` asks for.
///
/// # Errors
/// What kept it from being done, with a remedy where there is one.
pub fn execute(request: Request) -> anyhow::Result<ExitCode> {
    match request {
        Request::List => list(),
        Request::BuildPeers => build_peers(),
        Request::Show(folders) => show(&folders),
        Request::Counts(folder, args) => counts(&folder, &args),
        Request::Verify(folder) => verify(&folder),
        Request::Convert(folders) => convert(&folders),
        Request::Doctor(args) => doctor::run(&args),
        Request::Profile(args) => profile::run(&args),
        Request::Vm(args) => vm::run(&args),
        Request::BuiltIn(id, args) => {
            let (spec, text) =
                spec::find(&id, args.size)?.ok_or_else(|| anyhow!("no experiment is called {id}"))?;
            let clock = args.clock.unwrap_or(spec.clock);
            if clock == Clock::Instructions && Clock::here() == Clock::Time {
                return record_in_guest(spec, &args);
            }
            run(spec, text, &args)
        }
        Request::Compare(compare, args) if args.resume.is_none() => {
            only_built_in(&args)?;
            let (spec, text) = compare.spec(args.size)?;
            if compare.count_syscalls {
                try_counting().map_err(|cause| anyhow!("{cause}; or leave out --count-syscalls"))?;
            }
            begin(spec, &text, &args)
        }
        Request::Compare(_, args) => take_up(compare::ID, &args),
        Request::File(path, args) => {
            only_built_in(&args)?;
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            run(Spec::parse(&path.display().to_string(), &text, args.size)?, &text, &args)
        }
    }
}

/// Records `spec`, one of those that are built in, in a guest that counts instructions.
fn record_in_guest(mut spec: Spec, args: &RunArgs) -> anyhow::Result<ExitCode> {
    ensure!(
        args.resume.is_none(),
        "counts are recorded in one boot: without --resume they are recorded anew"
    );
    let is_placed = args.server_cpu.is_some() || args.client_cpus.is_some();
    ensure!(
        !is_placed,
        "a guest that counts instructions has one CPU: leave out --server-cpu and --client-cpus"
    );
    narrow(&mut spec, args)?;
    vm::record(&spec, args, &plan::plan(&spec, 0))
}

/// Leaves of `spec` what `args` ask for.
fn narrow(spec: &mut Spec, args: &RunArgs) -> anyhow::Result<()> {
    args.filter.narrow(spec).map_err(|reason| anyhow!("--filter: {reason}"))?;
    spec.repetitions = args.repetitions.unwrap_or(spec.repetitions);
    Ok(())
}

/// A guest has the experiments that are built in, and no others.
fn only_built_in(args: &RunArgs) -> anyhow::Result<()> {
    let is_for_guest = args.clock == Some(Clock::Instructions) && Clock::here() == Clock::Time;
    ensure!(
        !is_for_guest,
        "--clock instructions boots a guest, which only has the experiments of `experiments list`"
    );
    Ok(())
}

fn list() -> anyhow::Result<ExitCode> {
    let mut said = String::new();
    for (spec, text) in spec::built_in(Size::Quick)? {
        let question = format::wrap(&spec.question).join("\n  ");
        said.push_str(&format!("{}: {}\n  {question}\n", spec.id, spec.title));
        for size in Size::ALL {
            let runs = plan::plan(&Spec::parse(&spec.id, text, size)?, 0);
            said.push_str(&format!("  {size:>5}: {}\n", announced(runs.len(), estimate::cost(&runs))));
        }
        said.push('\n');
    }
    output::say(&said, "the list of experiments")?;
    Ok(ExitCode::SUCCESS)
}

fn announced(run_count: usize, cost: Cost) -> String {
    let (time, disk) = (format::duration(cost.time), format::disk(cost.bytes));
    format!("{}, about {time} and {disk}", plural(run_count, "run"))
}

fn show(folders: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let recordings =
        folders.iter().map(|folder| Recording::open(folder)).collect::<anyhow::Result<Vec<_>>>()?;
    output::say(&format!("{}\n", report::side_by_side(&recordings)?), "the tables")?;
    Ok(ExitCode::SUCCESS)
}

fn counts(folder: &Path, args: &CountsArgs) -> anyhow::Result<ExitCode> {
    let found = Counts::of(&Recording::open(folder)?)?;
    if let Some(path) = &args.check {
        let told = found.against(&Counts::read(path)?);
        output::say(&format!("{told}\n"), "the verdict")?;
        return Ok(ExitCode::from(u8::from(!told.holds())));
    }
    output::say(&found.to_toml()?, "the counts")?;
    Ok(ExitCode::SUCCESS)
}

fn verify(folder: &Path) -> anyhow::Result<ExitCode> {
    let faults = verify::faults(folder)?;
    for fault in &faults {
        output::note(fault);
    }
    let manifest = Recording::open(folder)?.manifest().clone();
    let files = plural(manifest.named().count(), "file");
    let said = match faults.len() {
        0 => format!("whole; {} in {files}", plural(manifest.runs.len(), "run")),
        count => plural(count, "fault"),
    };
    output::say(&format!("{}: {said}\n", folder.display()), "the verdict")?;
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}

fn build_peers() -> anyhow::Result<ExitCode> {
    let names = peers::build()?;
    output::say(&format!("built: {}\n", names.join(", ")), "what was built")?;
    Ok(ExitCode::SUCCESS)
}

fn convert(folders: &[PathBuf]) -> anyhow::Result<ExitCode> {
    for folder in folders {
        let done = convert::convert(folder)?;
        output::say(&format!("{}: {done}\n", folder.display()), "what was converted")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run(spec: Spec, text: &str, args: &RunArgs) -> anyhow::Result<ExitCode> {
    if args.resume.is_some() { take_up(&spec.id, args) } else { begin(spec, text, args) }
}

/// Goes on with the recording of `experiment` that `args` name, or with the newest that is unfinished.
fn take_up(experiment: &str, args: &RunArgs) -> anyhow::Result<ExitCode> {
    match args.resume.iter().flatten().next() {
        Some(folder) => go_on(folder, experiment),
        None => go_on(&resume::newest_unfinished(&args.out, experiment)?, experiment),
    }
}

fn begin(mut spec: Spec, text: &str, args: &RunArgs) -> anyhow::Result<ExitCode> {
    narrow(&mut spec, args)?;
    on_this_clock(&mut spec)?;
    let programs = Programs::find(&spec.engines)?;
    let client_cpus = args.client_cpus.clone().unwrap_or_default().0;
    let cores = cores(args.server_cpu, &client_cpus)?;
    let seed = args.seed.unwrap_or_else(random::fresh_seed);
    spec.count_syscalls = spec.count_syscalls && can_count();
    let left_out = leave_out(&mut spec, &programs, cores.server)?;
    try_out(&spec, &programs, cores.server)?;
    let runs = plan::plan(&spec, seed);
    check_in_advance(&runs, &cores)?;
    let manifest = Manifest { left_out, ..manifest(&spec, args, &cores, seed, &runs, &programs)? };
    let mut recording = Recording::create(&args.out, manifest, text, &Host::capture())?;
    output::note(format_args!("{}\n{}\n", spec.title, format::wrap(&spec.question).join("\n")));
    make(&runs, &programs, &cores, &mut recording)
}

/// Whether the kernel counts system calls for this process; says so if not.
fn can_count() -> bool {
    let tried = try_counting();
    if let Err(cause) = &tried {
        output::note(format_args!(
            "warning: {cause}; the column of servers that do not count them stays empty"
        ));
    }
    tried.is_ok()
}

fn try_counting() -> Result<(), String> {
    SyscallCounter::attach(std::process::id()).map(drop)
}

/// Makes `spec` one for the clock of this machine. Counts have another name than times, and nobody disturbs them.
fn on_this_clock(spec: &mut Spec) -> anyhow::Result<()> {
    let here = Clock::here();
    ensure!(
        here == Clock::Instructions || spec.clock == Clock::Time,
        "'{}' counts instructions, and the clock here is time: a built-in experiment boots a guest for that by itself",
        spec.id
    );
    if here == Clock::Instructions {
        if spec.clock == Clock::Time {
            spec.id.push_str("-instructions");
            spec.title.push_str(", in instructions");
        }
        (spec.noise, spec.control, spec.ceiling) = (Vec::new(), None, None);
    }
    Ok(())
}

/// Takes the variants out of `spec` that this machine does not have, and says which and why.
fn leave_out(spec: &mut Spec, programs: &Programs, cpu: usize) -> anyhow::Result<Vec<LeftOut>> {
    let folder = scratch::create()?;
    let mut left_out = Vec::new();
    for [variant, _] in spec.variants() {
        if let Some(reason) = server::refusal(programs, variant, cpu, folder.path())? {
            left_out.push(LeftOut { engine: variant.name.clone(), reason });
        }
    }
    spec.keep_engines(|level| left_out.iter().all(|gone| gone.engine != level.name));
    Ok(left_out)
}

/// Tries every server that is not ours, once each.
fn try_out(spec: &Spec, programs: &Programs, cpu: usize) -> anyhow::Result<()> {
    let most = spec.cells.iter().map(|cell| cell.factors.sockets()).max().unwrap_or(1);
    for level in spec.plain_engines().filter(|level| !level.program.counts()) {
        output::note(format_args!(
            "trying whether {} echoes, with {}",
            level.name,
            plural(most, "connection")
        ));
        server::try_out(programs, level, cpu, scratch::create()?.path(), most)?;
    }
    Ok(())
}

fn go_on(folder: &Path, experiment: &str) -> anyhow::Result<ExitCode> {
    let mut recording = Recording::reopen(folder)?;
    let recorded = &recording.manifest().experiment;
    ensure!(
        recorded == experiment,
        "{} is a recording of {recorded}: experiments {recorded} --resume",
        folder.display()
    );
    let (spec, runs) = resume::planned(&recording)?;
    let programs = Programs::find(&spec.engines)?;
    resume::check_same(&recording, &programs.entries()?)?;
    let manifest = recording.manifest();
    let cores = cores(Some(manifest.server_cpu), &manifest.client_cpus)?;
    check_in_advance(&runs, &cores)?;
    try_out(&spec, &programs, cores.server)?;
    recording.resumed(timestamp::unix_ms())?;
    output::note(format_args!("{}, taken up again\n", spec.title));
    make(&runs, &programs, &cores, &mut recording)
}

fn make(
    runs: &[Run],
    programs: &Programs,
    cores: &Cores,
    recording: &mut Recording,
) -> anyhow::Result<ExitCode> {
    announce(recording, cores, runs);
    affinity::pin(&cores.client).context("cannot move to the client's cores")?;
    let interrupt = Interrupt::catch().context("cannot catch Ctrl-C")?;
    let end = Runner { programs, cores, interrupt: &interrupt }.run(runs, recording)?;
    if end == End::Interrupted {
        let made = runs.len() - recording.manifest().count(Status::Planned);
        output::note(format_args!(
            "\ninterrupted after {made} of {}; what was measured is kept, --resume {} makes the rest",
            plural(runs.len(), "run"),
            recording.folder().display()
        ));
    }
    let tables = report::render(recording)?;
    output::say(&format!("\n{tables}\n\nRecording: {}\n", recording.folder().display()), "the tables")?;
    Ok(exit_code(end, recording.manifest()))
}

/// What would fail the first run, said while there is no recording yet that it would leave empty.
fn check_in_advance(runs: &[Run], cores: &Cores) -> anyhow::Result<()> {
    preflight::check(runs, cores.client.len())?;
    scratch::create().map(drop)
}

fn cores(server: Option<usize>, client: &[usize]) -> anyhow::Result<Cores> {
    let permitted = affinity::permitted(0).context("cannot read which CPUs are permitted")?;
    Cores::choose(&permitted, &Kinds::read(&machine(), &permitted), server, client)
}

fn machine() -> Tree {
    Tree::new(Path::new("/"))
}

fn manifest(
    spec: &Spec,
    args: &RunArgs,
    cores: &Cores,
    seed: u64,
    runs: &[Run],
    programs: &Programs,
) -> anyhow::Result<Manifest> {
    let started_unix_ms = timestamp::unix_ms();
    let name = |engine: usize| spec.engines[engine].name.as_str();
    let cost = estimate::cost(runs);
    Ok(Manifest {
        schema_version: SCHEMA_VERSION,
        experiment: spec.id.clone(),
        title: spec.title.clone(),
        question: spec.question.clone(),
        figure: spec.figure.clone(),
        table: spec.table,
        size: spec.size,
        clock: Clock::here(),
        recording: timestamp::name(started_unix_ms, seed),
        recorded_as: None,
        seed,
        filter: args.filter.to_string(),
        started_unix_ms,
        finished_unix_ms: None,
        resumed_unix_ms: Vec::new(),
        estimated_ns: cost.time.into(),
        estimated_bytes: cost.bytes,
        version: env!("CARGO_PKG_VERSION").into(),
        revision: programs::revision(),
        programs: programs.entries()?,
        cargo_lock_sha256: programs::cargo_lock_sha256(),
        flake_lock_sha256: programs::flake_lock_sha256(),
        server_cpu: cores.server,
        client_cpus: cores.client.clone(),
        repetitions: spec.repetitions,
        engines: spec.engines.iter().map(EngineEntry::from).collect(),
        left_out: Vec::new(),
        ratios: spec.comparisons.iter().map(|c| format!("{}/{}", name(c.of), name(c.to))).collect(),
        noise: spec.noise.clone(),
        server_busy_share_min: spec.saturation.server_busy_share_min,
        client_busy_share_max: spec.saturation.client_busy_share_max,
        files: Vec::new(),
        records: RecordsEntry::default(),
        runs: runs.iter().map(RunEntry::planned).collect(),
        sha256: String::new(),
    })
}

fn announce(recording: &Recording, cores: &Cores, runs: &[Run]) {
    let entries = &recording.manifest().runs;
    let left: Vec<_> =
        runs.iter().filter(|run| entries[run.number - 1].attempt.status != Status::Valid).collect();
    output::note(format_args!(
        "{}; server on CPU {}, client on CPU {}, seed {}",
        announced(left.len(), estimate::cost(left.iter().copied())),
        cores.server,
        cpu_list::written(&cores.client),
        recording.manifest().seed
    ));
    output::note(format_args!("Recording: {}\n", recording.folder().display()));
    for LeftOut { engine, reason } in &recording.manifest().left_out {
        output::note(format_args!("left out: {engine}: {reason}"));
    }
    if cores.are_shared() && Clock::here() == Clock::Time {
        output::note("warning: server and client share a core; no figure will be about the server alone");
    }
    let ends: Vec<usize> = cores.client.iter().copied().chain([cores.server]).collect();
    if let Some(difference) = Kinds::read(&machine(), &ends).difference(cores.server, &cores.client) {
        output::note(format_args!("warning: the two ends have cores of different kinds: {difference}"));
    }
    if recording.manifest().revision == programs::UNAVAILABLE {
        output::note(
            "warning: the recording names no revision, since this program was built from a source without its history; \
             build in a git checkout, or with URING_ECHO_REVISION set",
        );
    }
}

/// 0 only when every run was made and is valid.
fn exit_code(end: End, manifest: &Manifest) -> ExitCode {
    match end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        End::Complete => ExitCode::from(u8::from(manifest.count(Status::Valid) < manifest.runs.len())),
    }
}
