//! How an experiment is to be run, as arguments.

use std::path::PathBuf;

use clap::{Args, value_parser};
use uring_echo::cpu_list::CpuList;

use crate::clock::Clock;
use crate::spec::Size;
use crate::spec::filter::Filter;
use crate::vm::kernel::Source;

/// How to run an experiment.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// How thoroughly: minutes for a look, hours for a claim
    #[arg(long, value_enum, default_value = "quick")]
    pub size: Size,
    /// Make what is missing of a recording [default: the newest unfinished one]
    #[arg(
        long,
        value_name = "RECORDING",
        num_args = 0..=1,
        conflicts_with_all = ["size", "seed", "server_cpu", "client_cpus", "repetitions", "filter"]
    )]
    pub resume: Option<Option<PathBuf>>,
    /// Seed of the order of the runs; without it every recording has its own
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Core of the server [default: the last of the fastest permitted]
    #[arg(long, value_name = "N")]
    pub server_cpu: Option<usize>,
    /// Cores of the client, such as 0 or 1,4-6 [default: the first other one of its kind]
    #[arg(long, value_name = "LIST")]
    pub client_cpus: Option<CpuList>,
    /// Folder of the recordings
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// Repetitions of each cell instead of what the experiment asks for
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1000))]
    pub repetitions: Option<u32>,
    /// Levels to keep, such as mode=stream,connections=512; factors: engine, mode, payload_bytes, connections, depth,
    /// batch_bytes, in_flight_bytes, load, rate_per_s, hogs, idle
    #[arg(long, value_name = "LEVELS", default_value = "", hide_default_value = true)]
    pub filter: Filter,
    /// What times are: nanoseconds here, or instructions in a guest that is booted for it [default: by experiment]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub clock: Option<Clock>,
    /// The kernels of that guest, each recorded for itself: images, or debian:SERIES such as debian:6.12 [default: by
    /// experiment]
    #[arg(long, value_name = "FILE|debian:SERIES", value_delimiter = ',')]
    pub kernel: Vec<Source>,
}
