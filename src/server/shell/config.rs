//! What a server was asked to be: validated settings, and the presets they default to.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::measure::counters::Settings;
use crate::units::{Bytes, Nanos};

/// Connections served at once where nothing else is asked for, a count, as far as limits allow.
pub const CONNECTIONS_MAX_DEFAULT: u32 = 10_240;

/// Length of the accept queue where nothing else is asked for, as far as limits allow.
pub const BACKLOG_DEFAULT: u32 = 1024;

/// Where defaults come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// What measured best here.
    Tuned,
    /// What the 2023 study used: 8 KiB buffers, its rounds and ring, no TCP_NODELAY.
    #[value(alias = "seed")]
    Study,
}

/// Which settings somebody asked for. The others are defaults, which bend to the limits of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Connections served at once.
    pub connections_max: bool,
    /// Length of the accept queue.
    pub backlog: bool,
}

/// Settings that both engines have.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to bind.
    pub listen: SocketAddr,
    /// Core to run on; `None` leaves it to the scheduler.
    pub cpu: Option<usize>,
    /// Connections served at once; more wait in the backlog.
    pub connections_max: usize,
    /// Length of the kernel's accept queue, which net.core.somaxconn caps.
    pub backlog: u32,
    /// Which of these two were asked for.
    pub asked: Asked,
    /// Size of one receive buffer.
    pub buffer_bytes: Bytes,
    /// Bytes one connection may receive before another one's turn.
    pub budget_bytes: Bytes,
    /// TCP_NODELAY on accepted connections.
    pub nodelay: bool,
    /// Which defaults were taken.
    pub preset: Preset,
    /// Where counters go.
    pub stats: Option<PathBuf>,
    /// How long a stopping server goes on sending.
    pub drain: Nanos,
}

impl Config {
    fn settings(&self, engine: &str) -> Settings {
        let cpu = self.cpu.map_or("any".into(), |cpu| cpu.to_string());
        settings(&[
            ("engine", &engine),
            ("cpu", &cpu),
            ("max_connections", &self.connections_max),
            ("backlog", &self.backlog),
            ("buffer_bytes", &self.buffer_bytes),
            ("budget_bytes", &self.budget_bytes),
            ("nodelay", &if self.nodelay { "on" } else { "off" }),
            ("preset", &Named(self.preset)),
            ("drain_ms", &(self.drain.0 / 1_000_000)),
        ])
    }
}

#[cfg(test)]
impl Config {
    /// A server on a free port whose every connection gets the same slot.
    pub(in crate::server) fn for_one_connection() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            cpu: None,
            connections_max: 1,
            backlog: 16,
            asked: Asked::default(),
            buffer_bytes: Bytes::kib(4),
            budget_bytes: Bytes::kib(4),
            nodelay: true,
            preset: Preset::Tuned,
            stats: None,
            drain: Nanos(0),
        }
    }
}

/// How epoll tells of readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Readying {
    /// Once, when it begins.
    Edge,
    /// At every wait, as long as it lasts.
    Level,
    /// As `edge`, and a wait asks the network card itself for a while (Linux 6.9).
    Busy,
}

/// Settings of the epoll engine.
#[derive(Clone, Debug)]
pub struct EpollConfig {
    /// What it shares with its twin.
    pub common: Config,
    /// The way to echo.
    pub strategy: Readying,
}

impl EpollConfig {
    /// The settings in force, as `key=value`.
    pub fn settings(&self) -> Settings {
        let mut all = self.common.settings("epoll");
        all.extend(settings(&[("strategy", &Named(self.strategy))]));
        all
    }
}

/// How io_uring receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecvMode {
    /// One operation a receive, tried at once.
    Single,
    /// One operation a receive, which waits for readiness before it is tried (IORING_RECVSEND_POLL_FIRST).
    PollFirst,
}

/// How io_uring sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SendMode {
    /// The kernel goes on after a short send (MSG_WAITALL).
    WaitAll,
    /// A short send completes, and the server sends the rest.
    Once,
}

/// How io_uring accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AcceptMode {
    /// One operation for all connections.
    Multishot,
    /// One operation a connection.
    Single,
}

/// What accepted connections are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Files {
    /// The ring's own table: no descriptor of the process, no lookup in its file table.
    Direct,
    /// The process's file table.
    Plain,
}

/// How the ring runs completion work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Setup {
    /// SINGLE_ISSUER, COOP_TASKRUN and DEFER_TASKRUN: only inside the server's own wait.
    Defer,
    /// SINGLE_ISSUER and COOP_TASKRUN: at the next system call, without an interrupt.
    Coop,
    /// None of them: at once, interrupting the server.
    Plain,
    /// `defer` without the indirection array of the submission queue (Linux 6.6).
    DeferNoSqarray,
    /// None of them, and a kernel thread submits, which wants a core of its own (SQPOLL).
    Sqpoll,
}

/// How the server waits for completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// For one.
    Plain,
    /// For several, but only for a moment if there is one (Linux 6.12).
    MinWait,
    /// For one, the limit of time in memory that the kernel has mapped once (Linux 6.13).
    Region,
}

/// Where a send takes its bytes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Zerocopy {
    /// From a copy in the kernel.
    Copy,
    /// From the server's buffer (SEND_ZC), where the card can; loopback copies all the same.
    ZeroCopy,
    /// The same, from memory registered beforehand, all of which is pinned.
    ZeroCopyRegistered,
}

/// Whether the ring's own descriptor is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RingFd {
    /// It is: no lookup at each enter.
    Registered,
    /// It is not.
    Plain,
}

/// Which provided buffers the kernel may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Publish {
    /// As many as receives are outstanding, as far as what they hold stays in cache.
    Demand,
    /// Always the whole ring.
    Full,
}

/// Settings of the io_uring engine.
#[derive(Clone, Debug)]
pub struct UringConfig {
    /// What it shares with its twin.
    pub common: Config,
    /// The way to echo, by its name in the catalogue.
    pub strategy: &'static str,
    /// Provided buffers in the ring at once, at most.
    pub buffers: u16,
    /// Bytes that the connections given a buffer may be expected to receive in their turns.
    pub hot_bytes: Bytes,
    /// How it receives.
    pub recv: RecvMode,
    /// How it sends.
    pub send: SendMode,
    /// Where it sends from.
    pub send_kind: Zerocopy,
    /// How it waits.
    pub wait: Wait,
    /// Completions that `min-wait` waits for.
    pub min_wait_count: u32,
    /// How long `min-wait` waits for them.
    pub min_wait: Nanos,
    /// Whether the ring's own descriptor is registered.
    pub ring_fd: RingFd,
    /// How long a wait polls the network card; zero: not at all.
    pub napi: Nanos,
    /// How it accepts.
    pub accept: AcceptMode,
    /// What accepted connections are kept in, if not as the strategy has it.
    pub files: Option<Files>,
    /// How the ring is set up.
    pub setup: Setup,
    /// How buffers are published, if not as the strategy has it.
    pub publish: Option<Publish>,
    /// A send that sends all does not complete (IOSQE_CQE_SKIP_SUCCESS).
    pub skip_success: bool,
    /// An option about the ring of shared buffers that was asked for, if one was.
    pub shared_asked: Option<&'static str>,
}

impl UringConfig {
    /// The settings in force, as `key=value`.
    pub fn settings(&self) -> Settings {
        let mut all = self.common.settings("uring");
        all.extend(settings(&[
            ("strategy", &self.strategy),
            ("buffers", &self.buffers),
            ("hot_bytes", &self.hot_bytes),
            ("recv", &Named(self.recv)),
            ("send", &Named(self.send)),
            ("send_kind", &Named(self.send_kind)),
            ("wait", &Named(self.wait)),
            ("ring_fd", &Named(self.ring_fd)),
            ("napi_us", &(self.napi.0 / 1000)),
            ("accept", &Named(self.accept)),
            ("setup", &Named(self.setup)),
            ("skip_success", &if self.skip_success { "on" } else { "off" }),
        ]));
        if self.wait == Wait::MinWait {
            let min_wait_us = self.min_wait.0 / 1000;
            all.extend(settings(&[("min_wait_count", &self.min_wait_count), ("min_wait_us", &min_wait_us)]));
        }
        all.extend(self.files.map(|files| ("files".to_owned(), Named(files).to_string())));
        all.extend(self.publish.map(|publish| ("publish".to_owned(), Named(publish).to_string())));
        all
    }
}

/// A choice, shown as the word that selects it.
struct Named<T>(T);

impl<T: ValueEnum> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.to_possible_value().expect("no choice is hidden");
        f.write_str(value.get_name())
    }
}

fn settings(pairs: &[(&str, &dyn fmt::Display)]) -> Settings {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())).collect()
}
