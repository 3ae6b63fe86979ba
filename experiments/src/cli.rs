//! Arguments. Every built-in specification is a command of its own, so that `--help` lists them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::compare::{self, CompareArgs};
use crate::doctor::DoctorArgs;
use crate::profile::request::ProfileArgs;
use crate::run::args::RunArgs;
use crate::spec::{self, Size, SpecError, renamed};
use crate::vm::VmArgs;

/// What the user asked for.
#[derive(Debug)]
pub enum Request {
    /// List the experiments.
    List,
    /// Run the built-in experiment of this id.
    BuiltIn(String, RunArgs),
    /// Run the experiment in this file.
    File(PathBuf, RunArgs),
    /// Run these servers side by side.
    Compare(CompareArgs, RunArgs),
    /// Build the servers of other runtimes.
    BuildPeers,
    /// Print the tables of this recording again, or those of several side by side.
    Show(Vec<PathBuf>),
    /// Print the instructions a message of this recording as a table to be kept, or hold it to one.
    Counts(PathBuf, CountsArgs),
    /// Hold this recording to its manifest.
    Verify(PathBuf),
    /// Move these recordings from the layout of before to the present one.
    Convert(Vec<PathBuf>),
    /// Say what of this machine bends a measurement.
    Doctor(DoctorArgs),
    /// Say what the cores of servers spend their time on.
    Profile(ProfileArgs),
    /// Boot a kernel and run something inside it.
    Vm(VmArgs),
}

/// What to do with counts.
#[derive(Clone, Debug, Args)]
pub struct CountsArgs {
    /// Instead fail when a count differs from this table by more than stands there
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  experiments quick                                  a first look: minutes, no privileges
  experiments parity --filter mode=stream --seed 7   a part of an experiment, in a given order
  experiments stream --size full                     hours: what a claim can stand on
  experiments stream --resume                        go on where it was interrupted
  experiments run --spec mine.toml                   an experiment of your own
  experiments compare --server epoll --server mine='./mine {addr}'   your server beside one of ours
  experiments profile                                what the servers' cores spend their time on; as root
  experiments kernels                                instructions of a message on ten kernels
  experiments show results/quick/RECORDING           the table of a recording again
  experiments verify results/quick/RECORDING         is anything missing, changed or besides?";

const COMPARISONS: &str = "\
Examples:
  experiments compare --server epoll --server mine='./mine --listen {addr}'
  experiments compare --server uring --server cat='socat TCP-LISTEN:{port},fork,reuseaddr EXEC:cat' --connections 8";

/// Reads `arguments`, the program's name first. The inner error is what clap has to tell: help that was asked for, or what is
/// wrong with the arguments.
///
/// # Errors
/// A fault in a built-in specification.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Result<Request, clap::Error>, SpecError> {
    let matches = command()?.try_get_matches_from(arguments);
    Ok(matches.and_then(|matches| request(&matches)))
}

/// The command line.
///
/// # Errors
/// A fault in a built-in specification.
pub fn command() -> Result<Command, SpecError> {
    let experiments = spec::built_in(Size::Quick)?.into_iter().map(|(spec, _)| {
        let about = format!("{}: {}", spec.title, first_sentence(&spec.question));
        let [before, now] = renamed::EXPERIMENT;
        let command = Command::new(spec.id);
        let command = if command.get_name() == now { command.alias(before) } else { command };
        run_command(command, about).long_about(spec.question)
    });
    Ok(Command::new("experiments")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs uring-echo experiments and keeps their recordings")
        .after_help(EXAMPLES)
        .arg_required_else_help(true)
        .subcommand_required(true)
        .subcommand(
            Command::new("list").about("List the experiments: question, runs, time and disk of each size"),
        )
        .subcommands(experiments)
        .subcommand(
            run_command(Command::new("run"), "Run an experiment from a file of your own".into())
                .arg(path("spec").long("spec").value_name("FILE").help("The specification, a TOML file")),
        )
        .subcommand(
            run_command(
                CompareArgs::augment_args(Command::new(compare::ID)),
                "Run any servers side by side: ours, yours, in any language".into(),
            )
            .after_help(COMPARISONS),
        )
        .subcommand(
            Command::new("peers")
                .about("Servers of other runtimes, for compare and runtimes")
                .arg_required_else_help(true)
                .subcommand_required(true)
                .subcommand(
                    Command::new("build").about("Build them with cargo and put them beside this program"),
                ),
        )
        .subcommands(recording_commands())
        .subcommand(
            DoctorArgs::augment_args(Command::new("doctor"))
                .about("Say what of this machine bends a measurement, and what to do about it"),
        )
        .subcommand(
            ProfileArgs::augment_args(Command::new("profile"))
                .about("Say what the server's core spends its time on, by what functions of the kernel work at (needs root)"),
        )
        .subcommand(
            // A package sets arguments in advance, and a user's own come after them.
            VmArgs::augment_args(Command::new("vm").args_override_self(true))
                .about("Boot a kernel and run the conformance suite, the probe or an experiment inside it"),
        ))
}

/// What is done with recordings that exist.
fn recording_commands() -> [Command; 4] {
    [
        Command::new("show")
            .about("Print the table of a recording again, or what differs between counts on several kernels")
            .arg(path("recordings").value_name("RECORDING").num_args(1..).help("Their folders")),
        CountsArgs::augment_args(Command::new("counts"))
            .about("Print the instructions a message of a recording as a table, or hold it to one")
            .arg(path("recording").value_name("RECORDING").help("Its folder")),
        Command::new("verify")
            .about("Hold a recording to its manifest: nothing missing, changed or besides")
            .arg(path("recording").value_name("RECORDING").help("Its folder")),
        Command::new("convert")
            .about("Move recordings of an earlier version, a file for each run, to the present layout")
            .arg(path("recordings").value_name("RECORDING").num_args(1..).help("Their folders")),
    ]
}

fn path(name: &'static str) -> Arg {
    Arg::new(name).required(true).value_parser(value_parser!(PathBuf))
}

/// `command` with the arguments of a run, which come with a description of their own.
fn run_command(command: Command, about: String) -> Command {
    let described = RunArgs::augment_args(command).about(about.clone());
    described.long_about(about)
}

fn request(matches: &ArgMatches) -> Result<Request, clap::Error> {
    let (name, matches) = matches.subcommand().expect("a command is required");
    let path = |name: &str| matches.get_one::<PathBuf>(name).expect("required").clone();
    let paths =
        |name: &str| matches.get_many::<PathBuf>(name).expect("required").cloned().collect::<Vec<_>>();
    Ok(match name {
        "list" => Request::List,
        "peers" => Request::BuildPeers,
        "show" => Request::Show(paths("recordings")),
        "counts" => Request::Counts(path("recording"), CountsArgs::from_arg_matches(matches)?),
        "verify" => Request::Verify(path("recording")),
        "convert" => Request::Convert(paths("recordings")),
        "doctor" => Request::Doctor(DoctorArgs::from_arg_matches(matches)?),
        "profile" => Request::Profile(ProfileArgs::from_arg_matches(matches)?),
        "vm" => Request::Vm(VmArgs::from_arg_matches(matches)?),
        compare::ID => {
            Request::Compare(CompareArgs::from_arg_matches(matches)?, RunArgs::from_arg_matches(matches)?)
        }
        "run" => Request::File(path("spec"), RunArgs::from_arg_matches(matches)?),
        id => Request::BuiltIn(id.into(), RunArgs::from_arg_matches(matches)?),
    })
}

fn first_sentence(prose: &str) -> &str {
    prose.find(['?', '.']).map_or(prose, |end| &prose[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::cpu_list::CpuList;

    #[test]
    fn the_command_line_is_consistent() {
        command().unwrap().debug_assert();
    }

    #[test]
    fn the_experiment_of_the_study_is_still_known_by_its_older_name() {
        let of = |id: &str| parse(["experiments", id].map(OsString::from)).unwrap().unwrap();
        for name in ["seed", "study"] {
            let Request::BuiltIn(id, _) = of(name) else { panic!("not taken for a built-in experiment") };
            assert_eq!(id, "study");
        }
    }

    #[test]
    fn an_experiment_is_a_command_with_the_arguments_of_a_run() {
        let line = "experiments quick --seed 7 --client-cpus 0,2 --filter mode=stream";
        let Request::BuiltIn(id, args) = parse(line.split(' ').map(OsString::from)).unwrap().unwrap() else {
            panic!("not taken for a built-in experiment");
        };
        assert_eq!((id.as_str(), args.seed, args.client_cpus), ("quick", Some(7), Some(CpuList(vec![0, 2]))));
        assert_eq!(args.filter.to_string(), "mode=stream");
    }
}
