//! What the tests that start the runner share: a folder for it, and an eye on its processes.
//!
//! Cargo builds the programs of this package for its tests, but not those of another one. So they are looked for where
//! they would be, in the target folder that the test was itself built into, and built there if they are missing or old.

pub(crate) mod before;
pub(crate) mod sound;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use experiments::recording::manifest::Manifest;

/// A specification of few and short runs.
pub(crate) const SHORT_SPEC: &str = r#"
id = "short"
title = "Short"
question = "Is it the same after an interruption?"
engines = ["epoll", "uring"]
ratios = ["uring/epoll"]
modes = ["req-res"]
payload_bytes = [1024]
connections = [2, 3]
repetitions = 1
warmup_s = 0.05
window_s = 0.15
verify = "full"
noise = []
"#;

/// Where cargo put the programs under test.
pub(crate) fn programs() -> &'static Path {
    static PROFILE: OnceLock<PathBuf> = OnceLock::new();
    PROFILE.get_or_init(|| {
        let profile = Path::new(env!("CARGO_BIN_EXE_experiments")).parent().unwrap().to_owned();
        for name in ["uring-echo", "baseline-mio"] {
            have(&profile, Path::new(name), &["-p", name, "--bin", name]);
        }
        profile
    })
}

/// Where cargo put the example `faulty`, a double of the programs under test.
pub(crate) fn faulty() -> PathBuf {
    static FAULTY: OnceLock<()> = OnceLock::new();
    let (profile, place) = (programs(), Path::new("examples/faulty"));
    FAULTY.get_or_init(|| have(profile, place, &["-p", "experiments", "--example", "faulty"]));
    profile.join(place)
}

/// Builds `target` unless the program at `place` is younger than every source. A test run of the whole project has built
/// it, and building it alone would choose other features and build its dependencies a second time.
fn have(profile: &Path, place: &Path, target: &[&str]) {
    if modified(&profile.join(place)).is_some_and(|built| built > last_change()) {
        return;
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked"]).args(target);
    build.arg("--target-dir").arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "{target:?} does not build");
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// When a source of the programs was last changed.
fn last_change() -> SystemTime {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<PathBuf> =
        ["src", "experiments/baseline-mio", "experiments/examples", "experiments/src"]
            .map(|f| root.join(f))
            .into();
    let mut last = modified(&root.join("Cargo.lock")).unwrap();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                last = last.max(modified(&path).unwrap());
            }
        }
    }
    last
}

/// A folder with a specification, in which the runner is started.
pub(crate) struct Bench {
    id: String,
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(id: &str, spec: &str) -> Self {
        programs();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec.toml"), spec).unwrap();
        Self { id: id.into(), folder }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.current_dir(self.folder.path()).args(arguments).env("TMPDIR", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(&[&["run", "--spec", "spec.toml"], arguments].concat()).output().unwrap()
    }

    /// A runner at work.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(&[&["run", "--spec", "spec.toml"], arguments].concat()).spawn().unwrap()
    }

    /// Has the missing runs of the only recording made, whether any was made yet or not.
    pub(crate) fn resume(&self) -> Output {
        self.run(&["--resume", self.recording().to_str().unwrap()])
    }

    /// Returns once nothing runs that was started here.
    pub(crate) fn wait_until_idle(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "{:?} outlived the runner", self.processes());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Processes that were started here, and theirs: they have this folder in their environment.
    fn processes(&self) -> Vec<u32> {
        let mark = format!("TMPDIR={}", self.path().display()).into_bytes();
        let is_ours = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark)
        };
        let names =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter_map(|name| name.parse().ok()).filter(is_ours).collect()
    }

    /// Where the runner is started.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the only recording, if there is one yet.
    pub(crate) fn find_recording(&self) -> Option<PathBuf> {
        let folder = self.folder.path().join("results").join(&self.id);
        Some(fs::read_dir(folder).ok()?.next()?.ok()?.path())
    }

    /// The folder of the only recording.
    pub(crate) fn recording(&self) -> PathBuf {
        let mut recordings = fs::read_dir(self.folder.path().join("results").join(&self.id)).unwrap();
        let folder = recordings.next().expect("a recording").unwrap().path();
        assert!(recordings.next().is_none());
        folder
    }

    pub(crate) fn manifest(&self) -> Manifest {
        manifest_of(&self.recording())
    }

    /// Whether anything but the specification and the results is left.
    pub(crate) fn is_littered(&self) -> bool {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.into_iter().any(|name| name != "spec.toml" && name != "results")
    }
}

/// The manifest of the recording in `folder`.
pub(crate) fn manifest_of(folder: &Path) -> Manifest {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

/// Changes the manifest in `folder` by `change` and signs it again.
pub(crate) fn change_manifest(folder: &Path, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = manifest_of(folder);
    change(&mut manifest);
    fs::write(folder.join("manifest.json"), manifest.text()).unwrap();
}

/// Sends the signal `name` to `pid`. Whether that was still there.
pub(crate) fn signal(name: &str, pid: u32) -> bool {
    let mut kill = Command::new("kill");
    kill.args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The children of `pid` at this moment; none when it is gone.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// The children of `pid` once there are `count`.
pub(crate) fn wait_for_children(pid: u32, count: usize) -> Vec<u32> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let children = children(pid);
        if children.len() == count {
            return children;
        }
        assert!(Instant::now() < deadline, "the runner has {} children, not {count}", children.len());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns once none of `pids` runs.
pub(crate) fn wait_until_gone(pids: &[u32]) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while pids.iter().any(|pid| is_running(*pid)) {
        assert!(Instant::now() < deadline, "{pids:?} outlived the runner");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the process exists and is more than an entry that waits to be reaped.
fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}
