//! `uring-echo client`: arguments, and what becomes of them.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use super::{OnOff, address, output};
use crate::client::{self, ClientConfig};
use crate::cpu_list::CpuList;
use crate::record::{Arrivals, ClientSettings, Destination, HogKind, Mode, RunRecord, Verify};
use crate::units::{Bytes, Nanos};

/// Load an echo server, check every byte that comes back, and measure.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    uring-echo client stream --connect 127.0.0.1:9919 --connections 512 --payload-bytes 4096\n  \
    uring-echo client req-res --connect 127.0.0.1:9919 --connections 8 --payload-bytes 256 --depth 4 --out run.json\n  \
    uring-echo client req-res --connections 64 --payload-bytes 256 --rate 20000      # open loop\n  \
    uring-echo client req-res --connections 64 --hogs 4 --hog-kind greedy            # who starves?")]
pub struct ClientArgs {
    /// Whether a flow waits for echoes
    mode: ModeArg,
    /// Where the server listens: an address, or a name that has one (of several, the first of IPv4)
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9919", value_parser = address::parse)]
    connect: SocketAddr,
    /// Connections, all established before the first byte is sent
    #[arg(long, value_name = "N", default_value_t = 8)]
    connections: usize,
    /// Size of a message
    #[arg(long, value_name = "BYTES", default_value = "4096")]
    payload_bytes: Bytes,
    /// Length of the measured window, in seconds
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    duration_s: Nanos,
    /// Load before the window, in seconds
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    warmup_s: Nanos,
    /// Most bytes of one write, rounded to whole messages, at least one
    #[arg(long, value_name = "BYTES", default_value = "64K")]
    batch_bytes: Bytes,
    /// Unanswered messages of a connection (req-res)
    #[arg(long, value_name = "N", default_value_t = 1)]
    depth: u32,
    /// Most bytes of a connection sent and not yet back (stream) [default: a share of 128 MiB, at most 256 KiB]
    #[arg(long, value_name = "BYTES")]
    in_flight_bytes: Option<Bytes>,
    /// Open loop: start this many messages a second over all connections, whatever comes back (req-res)
    ///
    /// --depth still bounds what a connection has unanswered. A message that is due and has to wait for that keeps its
    /// intended start, from which its corrected latency counts.
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// How the intended starts of --rate are spread [default: poisson]
    #[arg(long, value_name = "poisson|staggered")]
    arrivals: Option<ArrivalsArg>,
    /// Connections beside the measured ones, to compete with them
    #[arg(long, value_name = "N", default_value_t = 0)]
    hogs: usize,
    /// What hogs do
    #[arg(long, value_name = "non-reading|reading|greedy")]
    hog_kind: Option<HogKindArg>,
    /// Further connections that are kept open and never send
    #[arg(long, value_name = "N", default_value_t = 0)]
    idle: usize,
    /// The server is `uring-echo discard`: expect nothing back, measure what the client can offer (stream)
    #[arg(long)]
    discard: bool,
    /// Load threads [default: one for each of --cpus, else 1]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// CPUs to run on, such as 1 or 1,3-5; thread I is pinned to the I-th of them
    #[arg(long, value_name = "LIST")]
    cpus: Option<CpuList>,
    /// TCP_NODELAY on the client's sockets
    #[arg(long, value_name = "on|off", default_value = "on")]
    nodelay: OnOff,
    /// How much of what comes back is compared with what was sent
    #[arg(long, value_name = "full|sample|off", default_value = "full")]
    verify: VerifyArg,
    /// The server's process, to measure its CPU time
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// The server's --stats file, to read its counters; names its process too
    #[arg(long, value_name = "FILE")]
    server_stats: Option<PathBuf>,
    /// Let the kernel count the system calls of --server-pid: for one without --stats. It takes root, and makes each call dearer, so time
    /// another run
    #[arg(long, requires = "server_pid")]
    count_syscalls: bool,
    /// Write the run record to this file; with /dev/stdout the summary goes to standard error
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print a line a second to standard error
    #[arg(long)]
    progress: bool,
    /// Time allowed for all connections to be established, in seconds
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    connect_s: Nanos,
    /// Time allowed for the last echoes to come back, in seconds
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    drain_s: Nanos,
    /// What the content of the messages is derived from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Name of the run in its record [default: made from time and process]
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeArg {
    /// Write without waiting for echoes
    Stream,
    /// Write, wait for the echo, write again
    ReqRes,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ArrivalsArg {
    /// Exponential gaps, on each connection independently
    Poisson,
    /// Equal gaps, connections evenly offset against each other
    Staggered,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HogKindArg {
    /// Write until blocked, read nothing before the drain
    NonReading,
    /// Stream, as `client stream` does
    Reading,
    /// Stream in large writes with much on its way
    Greedy,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum VerifyArg {
    Full,
    Sample,
    Off,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Stream => Self::Stream,
            ModeArg::ReqRes => Self::ReqRes,
        }
    }
}

impl From<ArrivalsArg> for Arrivals {
    fn from(arrivals: ArrivalsArg) -> Self {
        match arrivals {
            ArrivalsArg::Poisson => Self::Poisson,
            ArrivalsArg::Staggered => Self::Staggered,
        }
    }
}

impl From<HogKindArg> for HogKind {
    fn from(kind: HogKindArg) -> Self {
        match kind {
            HogKindArg::NonReading => Self::NonReading,
            HogKindArg::Reading => Self::Reading,
            HogKindArg::Greedy => Self::Greedy,
        }
    }
}

impl From<VerifyArg> for Verify {
    fn from(verify: VerifyArg) -> Self {
        match verify {
            VerifyArg::Full => Self::Full,
            VerifyArg::Sample => Self::Sample,
            VerifyArg::Off => Self::Off,
        }
    }
}

fn seconds(text: &str) -> Result<Nanos, String> {
    /// A day: no run is longer, and a span of nanoseconds holds it.
    const SECONDS_MAX: f64 = 86_400.0;
    match text.parse::<f64>() {
        Ok(value) if (0.0..=SECONDS_MAX).contains(&value) => Ok(Nanos((value * 1e9) as u64)),
        _ => Err(format!("'{text}' is not a number of seconds from 0 to {SECONDS_MAX}")),
    }
}

impl ClientArgs {
    /// The run that the arguments ask for.
    ///
    /// # Errors
    /// An argument out of bounds.
    pub fn into_config(self) -> anyhow::Result<ClientConfig> {
        let cpus = self.cpus.map_or_else(Vec::new, |list| list.0);
        let settings = ClientSettings {
            mode: self.mode.into(),
            connections: self.connections,
            payload_bytes: self.payload_bytes,
            batch_bytes: self.batch_bytes,
            depth: self.depth,
            in_flight_bytes_max: self
                .in_flight_bytes
                .unwrap_or_else(|| client::in_flight_bytes_default(self.connections)),
            rate_per_s: self.rate,
            arrivals: self.arrivals.map(Arrivals::from).or(self.rate.map(|_| Arrivals::Poisson)),
            hogs: self.hogs,
            hog_kind: self.hog_kind.map(HogKind::from),
            idle: self.idle,
            discard: self.discard,
            threads: self.threads.unwrap_or(cpus.len().clamp(1, self.connections.max(1))),
            cpus,
            nodelay: self.nodelay.is_on(),
            verify: self.verify.into(),
            warmup_ns: self.warmup_s,
            duration_ns: self.duration_s,
            drain_limit_ns: self.drain_s,
            seed: self.seed,
        };
        let config = ClientConfig {
            address: self.connect,
            settings,
            server_pid: self.server_pid,
            server_stats: self.server_stats,
            count_syscalls: self.count_syscalls,
            run_id: self.run_id.unwrap_or_else(default_run_id),
            connect_limit: self.connect_s,
            progress: self.progress,
        };
        config.validate()?;
        Ok(config)
    }

    /// Runs the load, writes the record, prints the summary; fails the process if the run is not valid.
    ///
    /// # Errors
    /// An argument out of bounds, or a record or summary that cannot be written.
    pub fn execute(self) -> anyhow::Result<ExitCode> {
        let out = self.out.clone();
        let config = self.into_config()?;
        // Before the run, not after it.
        let destination = out.as_deref().map(Destination::of).transpose()?;
        let record = client::run(&config);
        let written = destination.as_ref().map_or(Ok(()), |destination| record.write_to(destination));
        // Whatever became of the record, what was measured is not lost.
        summarise(&client::render(&record), destination.as_ref())?;
        written?;
        Ok(verdict(&record))
    }
}

/// Behind a record on standard output, `summary` would make it no JSON document.
fn summarise(summary: &str, destination: Option<&Destination>) -> anyhow::Result<()> {
    if destination == Some(&Destination::StandardOutput) {
        output::note(summary.trim_end());
        return Ok(());
    }
    output::say(summary, "the summary")
}

fn verdict(record: &RunRecord) -> ExitCode {
    for reason in &record.validity {
        // The exit code says it too, where standard error is closed.
        let _ = writeln!(io::stderr(), "uring-echo: the run is not valid: {reason}");
    }
    if record.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn default_run_id() -> String {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", since_1970.as_millis(), std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        client: ClientArgs,
    }

    const BASE: [&str; 6] = ["--connect", "127.0.0.1:9919", "--connections", "4", "--payload-bytes", "4K"];

    fn parse(extra: &[&str]) -> Result<ClientConfig, String> {
        parse_mode("stream", extra)
    }

    fn parse_mode(mode: &str, extra: &[&str]) -> Result<ClientConfig, String> {
        let arguments = ["client", mode].into_iter().chain(BASE).chain(extra.iter().copied());
        let command = Command::try_parse_from(arguments).map_err(|error| error.to_string())?;
        command.client.into_config().map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_make_a_complete_run() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.settings.payload_bytes, Bytes(4096));
        assert_eq!(config.settings.duration_ns, Nanos::from_secs(10));
        assert_eq!((config.settings.threads, config.settings.verify), (1, Verify::Full));
        assert!(config.settings.nodelay && !config.run_id.is_empty());
    }

    #[test]
    fn one_thread_is_started_for_each_cpu_up_to_the_connections() {
        assert_eq!(parse(&["--cpus", "1,4-5"]).unwrap().settings.threads, 3);
        assert_eq!(parse(&["--cpus", "0-9"]).unwrap().settings.threads, 4);
    }

    #[test]
    fn seconds_may_have_decimals_and_must_be_sane() {
        assert_eq!(parse(&["--duration-s", "0.25"]).unwrap().settings.duration_ns, Nanos(250_000_000));
        for bad in ["-1", "nan", "inf", "x", "1e9"] {
            assert!(parse(&[&format!("--warmup-s={bad}")]).unwrap_err().contains("seconds"), "{bad}");
        }
    }

    #[test]
    fn an_argument_out_of_bounds_is_refused_by_name() {
        for (arguments, name) in [
            (["--threads", "5"], "--threads"),
            (["--threads", "0"], "--threads"),
            (["--duration-s", "0"], "--duration-s"),
            (["--cpus", "3-1"], "--cpus"),
            (["--cpus", ""], "--cpus"),
            (["--verify", "most"], "--verify"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.contains(name), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn an_open_loop_is_poisson_unless_asked_otherwise() {
        let closed = parse_mode("req-res", &[]).unwrap().settings;
        assert_eq!((closed.rate_per_s, closed.arrivals), (None, None));
        let open = parse_mode("req-res", &["--rate", "5000"]).unwrap().settings;
        assert_eq!((open.rate_per_s, open.arrivals), (Some(5000), Some(Arrivals::Poisson)));
        let even = parse_mode("req-res", &["--rate", "1", "--arrivals", "staggered"]).unwrap().settings;
        assert_eq!(even.arrivals, Some(Arrivals::Staggered));
    }

    #[test]
    fn loads_that_contradict_each_other_are_refused_with_the_remedy() {
        for (mode, arguments, remedy) in [
            ("stream", "--rate 100", "use req-res"),
            ("req-res", "--rate 0", "--rate 0 is not between 1 and"),
            ("req-res", "--arrivals staggered", "add --rate"),
            ("req-res", "--hogs 2", "add --hog-kind non-reading, reading or greedy"),
            ("req-res", "--hog-kind greedy", "say how many with --hogs"),
            ("req-res", "--discard", "use stream"),
            ("stream", "--discard --hogs 1 --hog-kind reading", "drop --hogs and --idle"),
            ("stream", "--discard --idle 1", "drop --hogs and --idle"),
            ("stream", "--idle 59997", "make 60001 together"),
            (
                "stream",
                "--batch-bytes 17179869183G",
                "--batch-bytes 18446744072635809792 is more than 16777216",
            ),
            ("stream", "--batch-bytes 64G", "ask for less"),
            ("stream", "--in-flight-bytes 17179869183G", "is more than 1073741824"),
        ] {
            let error = parse_mode(mode, &arguments.split(' ').collect::<Vec<_>>()).unwrap_err();
            assert!(error.contains(remedy), "{mode} {arguments}: {error}");
        }
    }

    #[test]
    fn what_many_connections_would_allocate_is_bounded() {
        let mut config = parse_mode("req-res", &[]).unwrap();
        config.settings.connections = 60_000;
        config.validate().unwrap();
        config.settings.depth = 1024;
        assert!(config.validate().unwrap_err().to_string().contains("ask for fewer"));
        config.settings.depth = 1;
        config.settings.threads = 1025;
        assert!(config.validate().unwrap_err().to_string().contains("or 1024"));
    }

    #[test]
    fn hogs_and_idle_connections_are_counted_apart() {
        let arguments = ["--hogs", "2", "--hog-kind", "non-reading", "--idle", "7"];
        let settings = parse(&arguments).unwrap().settings;
        assert_eq!((settings.connections, settings.hogs, settings.idle), (4, 2, 7));
        assert_eq!(settings.hog_kind, Some(HogKind::NonReading));
    }
}
