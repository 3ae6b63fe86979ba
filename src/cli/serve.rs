//! `uring-echo serve`: arguments to a validated server configuration.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand};

use super::OnOff;
use super::listen::ListenArgs;
use crate::server::shell::config::{
    AcceptMode, Config, EpollConfig, Files, Preset, Publish, Readying, RecvMode, RingFd, SendMode, Setup,
    UringConfig, Wait, Zerocopy,
};
use crate::server::uring::catalog;
use crate::units::{Bytes, Nanos};

/// Which engine serves.
#[derive(Debug, Subcommand)]
pub enum ServeArgs {
    /// Readiness: epoll, then recv and send
    Epoll(EpollArgs),
    /// Completion: io_uring with provided buffers and direct descriptors (Linux 6.1)
    Uring(UringArgs),
}

/// What both engines take. Where no default is shown, the preset sets it.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// Where to listen.
    #[command(flatten)]
    listener: ListenArgs,
    /// Size of a receive buffer [tuned: 64K, or what the strategy takes, study: 8K]
    #[arg(long, value_name = "BYTES", value_parser = buffer_bytes)]
    buffer_bytes: Option<Bytes>,
    /// Bytes a connection may receive before another one's turn [tuned: 512K, study: 32K for epoll, 8K for uring]
    #[arg(long, value_name = "BYTES", value_parser = buffer_bytes)]
    budget_bytes: Option<Bytes>,
    /// TCP_NODELAY on accepted connections [tuned: on, study: off]
    #[arg(long, value_name = "on|off")]
    nodelay: Option<OnOff>,
    /// Where defaults come from: what measured best, or what the 2023 study used
    #[arg(long, value_enum, default_value = "tuned")]
    preset: Preset,
    /// Append counters to this file: at start, at each SIGUSR1, at exit (JSON Lines)
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
    /// How long to go on sending after SIGTERM or SIGINT
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(..=3_600_000))]
    drain_ms: u64,
}

/// What the epoll engine takes.
#[derive(Debug, Args)]
pub struct EpollArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Way to echo; `uring-echo strategies` tells of each
    #[arg(long, value_name = "NAME", value_enum, default_value = "edge", alias = "trigger")]
    strategy: Readying,
}

/// What the io_uring engine takes.
#[derive(Debug, Args)]
pub struct UringArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Way to echo; `uring-echo strategies` tells of each [tuned: adaptive, study: alternate]
    #[arg(long, value_name = "NAME", value_parser = strategy())]
    strategy: Option<String>,
    /// Provided buffers in the ring at once, at most [tuned: 512, study: 1024]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32_768))]
    buffers: Option<u16>,
    /// Bytes that connections given a buffer may be expected to receive in their turns: what stays in cache
    /// [default: 128K]
    #[arg(long, value_name = "BYTES")]
    hot_bytes: Option<Bytes>,
    /// How to receive
    #[arg(long, value_enum, default_value = "single")]
    recv: RecvMode,
    /// How to send
    #[arg(long, value_enum, default_value = "wait-all")]
    send: SendMode,
    /// Where to send from
    #[arg(long, value_enum, default_value = "copy")]
    send_kind: Zerocopy,
    /// How to wait for completions
    #[arg(long, value_enum, default_value = "plain")]
    wait: Wait,
    /// Completions that `--wait min-wait` waits for
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=4096))]
    min_wait_count: u32,
    /// How long `--wait min-wait` waits for them
    #[arg(long, value_name = "US", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    min_wait_us: u64,
    /// Whether the ring's own descriptor is registered
    #[arg(long, value_enum, default_value = "registered")]
    ring_fd: RingFd,
    /// How long a wait polls the network card before it sleeps; 0: not at all (NAPI, Linux 6.9)
    #[arg(long, value_name = "US", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    napi_us: u64,
    /// How to accept
    #[arg(long, value_enum, default_value = "multishot")]
    accept: AcceptMode,
    /// What accepted connections are kept in [default: direct, or plain where the strategy makes calls of its own]
    #[arg(long, value_enum)]
    files: Option<Files>,
    /// How the ring runs completion work
    #[arg(long, value_enum, default_value = "defer")]
    setup: Setup,
    /// Which buffers the kernel may choose from [tuned: demand, study: full]
    #[arg(long, value_enum)]
    publish: Option<Publish>,
    /// Sends that send all do not complete; for a strategy that learns of it otherwise
    #[arg(long, value_name = "on|off", default_value = "off")]
    skip_success: OnOff,
}

/// What the presets differ in.
struct Defaults {
    buffer_bytes: Bytes,
    epoll_budget_bytes: Bytes,
    uring_budget_bytes: Bytes,
    nodelay: bool,
    buffers: u16,
    publish: Option<Publish>,
}

impl Defaults {
    const fn of(preset: Preset) -> Self {
        match preset {
            Preset::Tuned => Self {
                buffer_bytes: Bytes::kib(64),
                epoll_budget_bytes: Bytes::kib(512),
                uring_budget_bytes: Bytes::kib(512),
                nodelay: true,
                buffers: 512,
                publish: None,
            },
            // Four rounds of 8 KiB for epoll against one for io_uring: unequal, as the study had it.
            Preset::Study => Self {
                buffer_bytes: Bytes::kib(8),
                epoll_budget_bytes: Bytes::kib(32),
                uring_budget_bytes: Bytes::kib(8),
                nodelay: false,
                buffers: 1024,
                publish: Some(Publish::Full),
            },
        }
    }
}

impl CommonArgs {
    fn config(self, budget: impl FnOnce(&Defaults) -> Bytes) -> Config {
        let defaults = Defaults::of(self.preset);
        Config {
            listen: self.listener.listen,
            cpu: self.listener.cpu,
            connections_max: self.listener.connections_max(),
            backlog: self.listener.backlog(),
            asked: self.listener.asked(),
            buffer_bytes: self.buffer_bytes.unwrap_or(defaults.buffer_bytes),
            budget_bytes: self.budget_bytes.unwrap_or_else(|| budget(&defaults)),
            nodelay: self.nodelay.map_or(defaults.nodelay, OnOff::is_on),
            preset: self.preset,
            stats: self.stats,
            drain: Nanos::from_millis(self.drain_ms),
        }
    }
}

impl EpollArgs {
    /// The configuration these arguments ask for.
    pub fn config(self) -> EpollConfig {
        EpollConfig {
            common: self.common.config(|defaults| defaults.epoll_budget_bytes),
            strategy: self.strategy,
        }
    }
}

impl UringArgs {
    /// The configuration these arguments ask for.
    pub fn config(self) -> UringConfig {
        let defaults = Defaults::of(self.common.preset);
        // Those first that more strategies have no use for.
        let shared_asked = [
            ("--hot-bytes", self.hot_bytes.is_some()),
            ("--publish", self.publish.is_some()),
            ("--buffers", self.buffers.is_some()),
        ]
        .into_iter()
        .find_map(|(option, asked)| asked.then_some(option));
        let name = self.strategy.as_deref().unwrap_or(catalog::default(self.common.preset));
        let known = catalog::STRATEGIES.iter().find(|entry| entry.described.name == name);
        let entry = known.expect("the parser knows all names");
        let common =
            CommonArgs { buffer_bytes: self.common.buffer_bytes.or(entry.buffer_bytes), ..self.common };
        UringConfig {
            strategy: entry.described.name,
            buffers: self.buffers.unwrap_or(defaults.buffers),
            hot_bytes: self.hot_bytes.unwrap_or(Bytes::kib(128)),
            recv: self.recv,
            send: self.send,
            send_kind: self.send_kind,
            wait: self.wait,
            min_wait_count: self.min_wait_count,
            min_wait: Nanos(self.min_wait_us * 1000),
            ring_fd: self.ring_fd,
            napi: Nanos(self.napi_us * 1000),
            accept: self.accept,
            files: self.files,
            setup: self.setup,
            publish: self.publish.or(defaults.publish),
            skip_success: self.skip_success.is_on(),
            shared_asked,
            common: common.config(|defaults| defaults.uring_budget_bytes),
        }
    }
}

/// Takes the names in the catalogue, and tells a shell of them.
fn strategy() -> PossibleValuesParser {
    let value =
        |entry: &catalog::Entry| PossibleValue::new(entry.described.name).help(entry.described.summary);
    PossibleValuesParser::new(catalog::STRATEGIES.iter().map(value))
}

fn buffer_bytes(text: &str) -> Result<Bytes, String> {
    let bytes: Bytes = text.parse()?;
    if (1..=16 << 20).contains(&bytes.0) { Ok(bytes) } else { Err(format!("{bytes} is not within 1 to 16M")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        serve: ServeArgs,
    }

    fn epoll(args: &[&str]) -> EpollConfig {
        let line = Line::try_parse_from(["serve", "epoll"].iter().chain(args)).unwrap();
        let ServeArgs::Epoll(args) = line.serve else { panic!("epoll was parsed as another engine") };
        args.config()
    }

    #[test]
    fn a_strategy_for_small_buffers_gets_them_unless_somebody_says_otherwise() {
        let buffer_bytes = |args: &[&str]| {
            let line = Line::try_parse_from(["serve", "uring", "--strategy"].iter().chain(args)).unwrap();
            let ServeArgs::Uring(args) = line.serve else { panic!("uring was parsed as another engine") };
            args.config().common.buffer_bytes
        };
        assert_eq!(buffer_bytes(&["alternate"]), Bytes::kib(64));
        assert_eq!(buffer_bytes(&["bundle"]), Bytes::kib(8));
        assert_eq!(buffer_bytes(&["bundle", "--buffer-bytes", "32K"]), Bytes::kib(32));
    }

    #[test]
    fn a_preset_chooses_the_strategy_unless_somebody_does() {
        let strategy = |args: &[&str]| {
            let line = Line::try_parse_from(["serve", "uring"].iter().chain(args)).unwrap();
            let ServeArgs::Uring(args) = line.serve else { panic!("uring was parsed as another engine") };
            args.config().strategy
        };
        assert_eq!(strategy(&[]), "adaptive");
        assert_eq!(strategy(&["--preset", "study"]), "alternate");
        assert_eq!(strategy(&["--preset", "study", "--strategy", "inline"]), "inline");
    }

    #[test]
    fn the_study_preset_is_still_known_by_its_older_name() {
        let (study, older) = (epoll(&["--preset", "study"]), epoll(&["--preset", "seed"]));
        assert_eq!(study.common.preset, Preset::Study);
        assert_eq!(older.settings(), study.settings());
        assert_eq!(older.settings()["preset"], "study");
    }
}
