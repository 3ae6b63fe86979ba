//! A server process: started, asked, stopped, and never left behind.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use tempfile::TempDir;
use uring_echo::measure::counters::{Counters, Settings, StatsLine};
use uring_echo::server::shell::config::Preset;
use uring_echo::server::shell::described::Described;
use uring_echo::server::strategies;
use uring_echo::server::uring::catalog;
use uring_echo::sys::limits::Limit;
use uring_echo::sys::process::ChildLimits;
use uring_echo::sys::{clock, process};

use super::kernel::{self, Signal};
use super::{patience, scale, stats};

/// Which of the twins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Epoll,
    Uring,
}

impl Engine {
    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Epoll => "epoll",
            Self::Uring => "uring",
        }
    }

    /// The way to echo that it is held to.
    pub(crate) fn strategy(self) -> &'static Described {
        let name = match self {
            Self::Epoll => "edge".to_owned(),
            Self::Uring => held_to().unwrap_or_else(|| catalog::default(Preset::Tuned).to_owned()),
        };
        let mut known = strategies::all();
        known
            .find(|one| one.engine == self.name() && one.name == name)
            .unwrap_or_else(|| panic!("no strategy {name}"))
    }
}

/// The strategy that io_uring is held to, if another than its default.
fn held_to() -> Option<String> {
    env::var("URING_ECHO_STRATEGY").ok()
}

/// A server about to be started: on a free port of 127.0.0.1, with a stats file, at the default settings.
pub(crate) struct Launch {
    engine: Engine,
    listen: String,
    args: Vec<String>,
    wrapper: Vec<String>,
    limits: ChildLimits,
    uid: Option<u32>,
    stats: Option<PathBuf>,
    log_is_read: bool,
}

/// The binary under test: `URING_ECHO_BIN`, or the one that cargo built beside this test.
fn binary() -> PathBuf {
    env::var_os("URING_ECHO_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_uring-echo").into()).into()
}

impl Launch {
    pub(crate) fn new(engine: Engine) -> Self {
        let strategy = held_to().filter(|_| engine == Engine::Uring);
        Self {
            engine,
            listen: "127.0.0.1:0".into(),
            args: strategy.into_iter().flat_map(|name| ["--strategy".to_owned(), name]).collect(),
            wrapper: Vec::new(),
            limits: ChildLimits::default(),
            uid: None,
            stats: None,
            log_is_read: true,
        }
    }

    /// Listens on `addr` instead.
    pub(crate) fn listen(mut self, addr: &(impl ToString + ?Sized)) -> Self {
        self.listen = addr.to_string();
        self
    }

    /// More arguments, as one would type them. A strategy among them is taken instead of the one that the suite is held to.
    pub(crate) fn args(mut self, args: &str) -> Self {
        if args.contains("--strategy ") {
            self.args.clear();
        }
        self.args.extend(args.split_ascii_whitespace().map(String::from));
        self
    }

    /// The strategy it is held to, where one was named.
    fn strategy_named(&self) -> &str {
        let at = self.args.iter().position(|arg| arg == "--strategy");
        at.map_or("", |at| &self.args[at + 1])
    }

    /// At most `count` shared buffers. One whose connections have their own has none to be short of, and takes no such
    /// option.
    pub(crate) fn shared_buffers(self, count: usize) -> Self {
        if self.strategy_named().starts_with("private") {
            return self;
        }
        self.args(&format!("--buffers {count}"))
    }

    /// Whether its strategy was named by whoever runs the suite, so that it may not go with what the case asks for.
    pub(crate) fn is_held(&self) -> bool {
        held_to().is_some_and(|name| name == self.strategy_named())
    }

    /// Echoes by `strategy`, whatever the suite is held to.
    pub(crate) fn strategy(mut self, strategy: &str) -> Self {
        self.args = vec!["--strategy".to_owned(), strategy.to_owned()];
        self
    }

    /// Writes its stats to `path` instead of a file of its own.
    pub(crate) fn stats(mut self, path: impl Into<PathBuf>) -> Self {
        self.stats = Some(path.into());
        self
    }

    /// Runs under the command `wrapper`, whose process must become the server's.
    pub(crate) fn under(mut self, wrapper: &[String]) -> Self {
        self.wrapper = wrapper.to_vec();
        self
    }

    /// Hard and soft RLIMIT_NOFILE.
    pub(crate) fn nofile(mut self, soft: u64, hard: u64) -> Self {
        self.limits.nofile = Some(Limit { soft, hard });
        self
    }

    /// Hard and soft RLIMIT_MEMLOCK in bytes.
    pub(crate) fn memlock(mut self, bytes: u64) -> Self {
        self.limits.memlock = Some(Limit { soft: bytes, hard: bytes });
        self
    }

    /// Hard and soft RLIMIT_AS in bytes.
    pub(crate) fn address_space(mut self, bytes: u64) -> Self {
        self.limits.address_space = Some(Limit { soft: bytes, hard: bytes });
        self
    }

    /// Runs as user `uid`; needs root.
    pub(crate) fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Gives it a standard error that nobody reads: a pipe closed at the other end.
    pub(crate) fn without_log_reader(mut self) -> Self {
        self.log_is_read = false;
        self
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(self) -> Server {
        let engine = self.engine;
        self.try_start().unwrap_or_else(|line| panic!("{engine:?} did not start: {line}"))
    }

    /// Starts the server, which must refuse. Returns its line.
    pub(crate) fn refused(self) -> String {
        let engine = self.engine;
        match self.try_start() {
            Ok(server) => panic!("{engine:?} does not refuse but listens on {}", server.addr),
            Err(line) => line,
        }
    }

    /// Starts the server and waits until it listens, or refuses: one line on stderr, nothing on stdout, a failing exit status.
    /// Returns the line then.
    pub(crate) fn try_start(self) -> Result<Server, String> {
        let engine = self.engine;
        let (mut child, files) = self.spawn();
        // Left piped where nobody reads it: dropping it closes the pipe.
        drop(child.stderr.take());
        let Some(stdout) = first_line(child.stdout.take().expect("stdout is piped")) else {
            let _ = child.kill();
            panic!("{engine:?} neither refused to start nor listens: {}", files.log());
        };
        if let Some((addr, settings)) = parse_listening(&stdout) {
            return Ok(Server { engine, addr, settings, child, files });
        }
        let status = wait_for_exit(&mut child, patience())
            .unwrap_or_else(|| panic!("{engine:?} neither refused to start nor listens"));
        let line = files.log();
        assert!(status.code().is_some_and(|code| code != 0), "{engine:?} ended with {status}: {line}");
        assert_eq!(stdout, "", "standard output of a refusal");
        assert_eq!(line.lines().count(), 1, "lines of a refusal: {line}");
        Err(line)
    }

    fn spawn(self) -> (Child, Files) {
        let home = tempfile::tempdir().unwrap();
        // Another user must be able to reach the binary and to write the stats file.
        let mut program = binary();
        if self.uid.is_some() {
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
            let copy = home.path().join("uring-echo");
            fs::copy(&program, &copy).unwrap();
            program = copy;
        }
        let stats = self.stats.unwrap_or_else(|| home.path().join("stats.jsonl"));
        let log = home.path().join("log");
        let stderr = if self.log_is_read { File::create(&log).unwrap().into() } else { Stdio::piped() };
        let mut words = self.wrapper.iter().map(OsStr::new).chain([program.as_os_str()]);
        let mut command = Command::new(words.next().expect("there is always the program"));
        command.args(words).args(["serve", self.engine.name(), "--listen", &self.listen]);
        command.arg("--stats").arg(&stats).args(&self.args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        kernel::confine(&mut command, self.limits);
        (spawn_unless_busy(&mut command), Files { stats, log, _home: home })
    }
}

/// Runs `command`, again if its program is busy: another thread that forked while the program was being copied holds
/// it open for writing until its own exec.
fn spawn_unless_busy(command: &mut Command) -> Child {
    let deadline = Instant::now() + patience();
    loop {
        match command.spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(error) => panic!("cannot run {command:?}: {error}"),
        }
    }
}

/// What comes first, up to the end of its line or of the stream; `None` if that takes too long.
fn first_line(stdout: ChildStdout) -> Option<String> {
    let (found, line) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = BufReader::new(stdout).read_line(&mut text);
        // Nobody waits for it any more once it is too late.
        let _ = found.send(read.map(|_| text));
    });
    line.recv_timeout(patience()).ok().map(|text| text.expect("a pipe can be read"))
}

/// `listening on ADDR key=value key=value …`
fn parse_listening(line: &str) -> Option<(SocketAddr, Settings)> {
    let mut words = line.strip_prefix("listening on ")?.split_ascii_whitespace();
    let addr = words.next()?.parse().ok()?;
    let pair = |word: &str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    Some((addr, words.map(pair).collect::<Option<Settings>>()?))
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) addr: SocketAddr,
    /// The settings of its `listening on` line.
    pub(crate) settings: Settings,
    child: Child,
    files: Files,
}

/// What a server writes, and the directory that goes away with it.
struct Files {
    stats: PathBuf,
    log: PathBuf,
    _home: TempDir,
}

impl Files {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Server {
    /// A server at the default settings.
    pub(crate) fn start(engine: Engine) -> Self {
        Launch::new(engine).start()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.files.log()
    }

    /// CPU time it used so far.
    pub(crate) fn cpu(&self) -> Duration {
        clock::process_cpu(self.pid()).expect("the server is alive").into()
    }

    pub(crate) fn upset(&self, signal: Signal) {
        kernel::upset(self.pid(), signal);
    }

    /// Asks for a snapshot and waits for it: connections open, and the counters.
    pub(crate) fn snapshot(&self) -> (u64, Counters) {
        let before = self.snapshots().len();
        process::request_snapshot(self.pid()).unwrap();
        let deadline = Instant::now() + patience();
        loop {
            if let Some(snapshot) = self.snapshots().into_iter().nth(before) {
                return snapshot;
            }
            assert!(Instant::now() < deadline, "no snapshot came; the server logged:\n{}", self.log());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn snapshots(&self) -> Vec<(u64, Counters)> {
        let counters = |line| match line {
            StatsLine::Snapshot { connections, counters, .. } => Some((connections, counters)),
            _ => None,
        };
        stats::read(&self.files.stats).into_iter().filter_map(counters).collect()
    }

    /// Takes snapshots until `settled` says so of one; returns it.
    pub(crate) fn wait_until(&self, what: &str, settled: impl Fn(u64, &Counters) -> bool) -> Counters {
        let deadline = Instant::now() + patience();
        loop {
            let (connections, counters) = self.snapshot();
            if settled(connections, &counters) {
                return counters;
            }
            assert!(Instant::now() < deadline, "never {what}: {connections} connections, {counters:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the server by SIGTERM; it must exit 0 within five seconds and have closed what it accepted.
    pub(crate) fn stop(self) -> Counters {
        process::terminate(self.pid()).unwrap();
        self.exited()
    }

    /// Waits for a server told to stop; it must exit 0 within five seconds and have closed what it accepted.
    pub(crate) fn exited(mut self) -> Counters {
        let within = scale::widened(Duration::from_secs(5));
        let status = wait_for_exit(&mut self.child, within);
        let status =
            status.unwrap_or_else(|| panic!("alive {within:?} after being told to stop: {}", self.log()));
        assert!(status.success(), "exit status {status}; the server logged:\n{}", self.log());
        let counters = match stats::read(&self.files.stats).pop() {
            Some(StatsLine::Exit { counters, .. }) => counters,
            last => panic!("the last line of the stats file is {last:?}"),
        };
        assert_eq!(counters.accepted, counters.closed, "accepted and closed: {counters:?}");
        counters
    }

    /// Stops the server after a load without faults: no byte is missing from its books, no connection failed.
    pub(crate) fn stop_clean(self) -> Counters {
        let counters = self.stop();
        assert_eq!(counters.received_bytes, counters.sent_bytes, "received and sent: {counters:?}");
        assert_eq!((counters.peer_faults, counters.cut_off), (0, 0), "faults and cut-offs: {counters:?}");
        counters
    }

    /// Fails unless a new connection is served.
    pub(crate) fn assert_serves(&self) {
        let mut stream = super::Stream::connect(self.addr);
        stream.echo(1000);
        stream.finish();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let status = self.child.wait();
        if thread::panicking() {
            eprintln!("{:?} server, {status:?}, logged:\n{}", self.engine, self.log());
        }
    }
}

/// Waits at most `span` for `child` to exit.
pub(crate) fn wait_for_exit(child: &mut Child, span: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + span;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
