//! Whatever is killed, and whenever, and when the disk is full: nothing runs on, no file is damaged, and what is resumed
//! ends in the same runs as what was not disturbed.
//!
//! Each test disturbs a recording at random moments, a resumed one where it had got to. The seed of the moments is in the
//! output of a test that fails; `INTERRUPT_SEED` brings them back, as far as the machine keeps time.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::bench::sound::{Kept, host_settings};
use crate::bench::{Bench, SHORT_SPEC, children, manifest_of, signal, text};
use experiments::recording::manifest::{Attempt, Manifest, RunEntry, Status};
use experiments::recording::verify;
use uring_echo::random::{SplitMix64, fresh_seed};

const SEED: &str = "5";

/// Two to prime, four to measure.
const RUN_COUNT: usize = 6;

/// Random moments of each kind of disturbance: twenty and more in all.
const RUNNER_KILLS: usize = 6;
const RUNNER_TORN: usize = 4;
const RUNNER_INTERRUPTS: usize = 4;
const SERVER_KILLS: usize = 4;
const CLIENT_KILLS: usize = 4;
const FULL_DISKS: usize = 2;

/// How long after it set to work a runner is disturbed, at most: about the time of three runs.
const RUNNER_MOMENT_MS: usize = 1000;

/// How long after its start a server or client is disturbed, at most: about the time of a run.
const CHILD_MOMENT_MS: usize = 300;

const SIGKILL: i32 = 9;

/// What the runner exits with when it was told to stop.
const INTERRUPTED: i32 = 130;

/// How often a moment may come too late before a test gives up.
const ATTEMPTS_MAX: usize = 20;

/// Where the runs stand, without what became of them: what an interruption must not change.
fn planned(manifest: &Manifest) -> Vec<RunEntry> {
    let bare =
        |run: &RunEntry| RunEntry { attempt: Attempt::default(), superseded: Vec::new(), ..run.clone() };
    manifest.runs.iter().map(bare).collect()
}

/// The runs of a recording that nothing disturbed.
static UNDISTURBED: LazyLock<Vec<RunEntry>> = LazyLock::new(|| {
    let bench = bench();
    let output = bench.run(&["--seed", SEED]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_complete(&bench.recording());
    planned(&bench.manifest())
});

fn bench() -> Bench {
    Bench::new("short", SHORT_SPEC)
}

/// Holds the recording in `folder` to its own manifest, and every run to be valid.
fn assert_complete(folder: &Path) {
    let manifest = manifest_of(folder);
    assert_eq!((manifest.count(Status::Valid), manifest.runs.len()), (RUN_COUNT, RUN_COUNT));
    let mut verify = Command::new(env!("CARGO_BIN_EXE_experiments"));
    let verified = verify.arg("verify").arg(folder).output().unwrap();
    assert!(verified.status.success(), "{}", text(&verified.stderr));
}

/// The same, and the runs are those of a recording that nothing disturbed.
fn assert_as_undisturbed(folder: &Path) {
    assert_complete(folder);
    assert_eq!(planned(&manifest_of(folder)), *UNDISTURBED);
}

/// Random moments, from a seed that is told.
fn moments(of: u64) -> SplitMix64 {
    let seed = env::var("INTERRUPT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(fresh_seed);
    eprintln!("INTERRUPT_SEED={seed} brings these moments back");
    SplitMix64::new(seed.wrapping_add(of))
}

fn random_ms(random: &mut SplitMix64, below_ms: usize) -> Duration {
    Duration::from_millis(random.below(below_ms) as u64)
}

/// A recording that is being disturbed.
struct Disturbed {
    bench: Bench,
    kept: Kept,
}

impl Disturbed {
    fn new() -> Self {
        Self { bench: bench(), kept: Kept::default() }
    }

    /// Whether the runner has begun its recording.
    fn has_begun(&self) -> bool {
        self.bench.find_recording().is_some_and(|folder| folder.join("manifest.json").exists())
    }

    fn is_complete(&self) -> bool {
        self.has_begun() && self.bench.manifest().finished_unix_ms.is_some()
    }

    /// Begins the recording, or goes on with it, or with another one when it is complete.
    fn start(&mut self) -> Child {
        if self.is_complete() && self.bench.manifest().count(Status::Valid) == RUN_COUNT {
            assert_as_undisturbed(&self.bench.recording());
            *self = Self::new();
        }
        let begun = self.has_begun().then(|| self.bench.recording());
        // By its name: until its first run was made, it is not the one that --resume alone would find.
        let mut runner = match &begun {
            Some(folder) => self.bench.start(&["--resume", folder.to_str().unwrap()]),
            None => self.bench.start(&["--seed", SEED]),
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.has_begun() && Instant::now() < deadline && runner.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        runner
    }

    /// The state after a runner has ended, however it did: nothing of it runs, and what it left is sound.
    fn check(&mut self) {
        self.bench.wait_until_idle();
        self.kept.check(&self.bench.recording());
    }

    /// Has the rest of the runs made.
    fn complete(self) {
        if !self.is_complete() || self.bench.manifest().count(Status::Valid) < RUN_COUNT {
            let output = self.bench.resume();
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        assert_as_undisturbed(&self.bench.recording());
    }
}

/// Says how often it struck.
type Hit = fn(&mut Disturbed, &mut SplitMix64) -> usize;

/// Disturbs by `hit` until it has struck `wanted` times, half of them in each of two recordings: most of the time passes
/// with waiting for runs, so the two wait beside each other.
fn disturb(wanted: usize, of: u64, hit: Hit) {
    thread::scope(|scope| {
        scope.spawn(|| disturb_one(wanted.div_ceil(2), of, hit));
        scope.spawn(|| disturb_one(wanted / 2, of + 100, hit));
    });
}

/// Disturbs one recording after the other by `hit` until it has struck `wanted` times; then has the rest made.
fn disturb_one(wanted: usize, of: u64, hit: Hit) {
    let (settings, mut random, mut disturbed) = (host_settings(), moments(of), Disturbed::new());
    let mut struck = 0;
    for attempt in 1.. {
        struck += hit(&mut disturbed, &mut random);
        disturbed.check();
        eprintln!("after {attempt} attempts {struck} of {wanted} moments");
        if struck >= wanted {
            break;
        }
        assert!(attempt < ATTEMPTS_MAX, "too many moments came too late");
    }
    disturbed.complete();
    assert_eq!(host_settings(), settings);
}

/// Sends the signal `name` to `runner` at a random moment. How it ended.
fn hit_runner(name: &str, mut runner: Child, random: &mut SplitMix64) -> ExitStatus {
    let moment = random_ms(random, RUNNER_MOMENT_MS);
    thread::sleep(moment);
    if runner.try_wait().unwrap().is_none() {
        assert!(signal(name, runner.id()));
    }
    let status = runner.wait().unwrap();
    eprintln!("SIG{name} after {moment:?}: {status}");
    status
}

/// Returns once `runner` makes its first run, or has ended.
fn wait_for_work(runner: &mut Child) {
    while children(runner.id()).is_empty() && runner.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_runner_that_is_killed_at_random_moments_goes_on_where_it_was() {
    disturb(RUNNER_KILLS, 1, |disturbed, random| {
        let mut runner = disturbed.start();
        // Now and then while it still takes the recording up, which takes as long as some runs.
        if random.below(4) > 0 {
            wait_for_work(&mut runner);
        }
        let status = hit_runner("KILL", runner, random);
        tear(&disturbed.bench.recording(), random);
        usize::from(status.signal() == Some(SIGKILL))
    });
}

/// Leaves of the recording's newest frame what a device could have kept of it: cuts off a part of what the manifest does not
/// name yet, or puts something there. Behind a finished recording nobody writes a frame.
fn tear(folder: &Path, random: &mut SplitMix64) {
    let (path, manifest) = (folder.join("runs.zst"), manifest_of(folder));
    let named = manifest.records.length_bytes;
    let records = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let unnamed = (records.metadata().unwrap().len() - named) as usize;
    if unnamed == 0 && manifest.finished_unix_ms.is_some() {
        return;
    }
    if unnamed > 0 && random.below(2) == 0 {
        records.set_len(named + random.below(unnamed) as u64).unwrap();
    } else {
        let junk: Vec<u8> = (0..random.below(5000)).map(|_| random.below(256) as u8).collect();
        (&records).write_all(&junk).unwrap();
    }
}

/// Kills `runner` as soon as the recording in `folder` has more of a record than its manifest names. Whether that was so when
/// it was dead.
fn kill_between_record_and_manifest(mut runner: Child, folder: &Path) -> bool {
    let length = || fs::metadata(folder.join("runs.zst")).map_or(0, |metadata| metadata.len());
    let mut named = length();
    while runner.try_wait().unwrap().is_none() {
        if length() == named {
            thread::sleep(Duration::from_micros(50));
            continue;
        }
        // By the system call: kill(1) would have to be started first.
        runner.kill().unwrap();
        runner.wait().unwrap();
        named = manifest_of(folder).records.length_bytes;
        return length() > named;
    }
    false
}

#[test]
fn a_runner_that_is_killed_between_a_record_and_its_manifest_makes_that_run_again() {
    disturb(RUNNER_TORN, 6, |disturbed, random| {
        let runner = disturbed.start();
        let folder = disturbed.bench.recording();
        let is_between = kill_between_record_and_manifest(runner, &folder);
        if is_between {
            let faults = verify::faults(&folder).unwrap();
            assert!(faults.iter().any(|fault| fault.starts_with("the end of ")), "{faults:?}");
            tear(&folder, random);
        }
        usize::from(is_between)
    });
}

#[test]
fn a_runner_that_is_interrupted_at_random_moments_clears_up_and_goes_on_where_it_was() {
    disturb(RUNNER_INTERRUPTS, 2, |disturbed, random| {
        let mut runner = disturbed.start();
        wait_for_work(&mut runner);
        let status = hit_runner("INT", runner, random);
        assert!(!disturbed.bench.is_littered());
        usize::from(status.code() == Some(INTERRUPTED))
    });
}

/// The child of `runner` that does `what` and is none of `known`, once there is one. `None` when the runner has ended.
fn next_child(runner: &mut Child, what: &str, known: &BTreeSet<u32>) -> Option<u32> {
    let does = |pid: &u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).nth(1) == Some(what.as_bytes())
    };
    while runner.try_wait().unwrap().is_none() {
        let child = children(runner.id()).into_iter().find(|pid| !known.contains(pid) && does(pid));
        if child.is_some() {
            return child;
        }
        thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Attempts at runs that are over.
fn attempts(manifest: &Manifest) -> Vec<Attempt> {
    let all = manifest.runs.iter().flat_map(RunEntry::attempts);
    all.filter(|attempt| attempt.status != Status::Planned).cloned().collect()
}

fn spoilt(manifest: &Manifest) -> Vec<Attempt> {
    attempts(manifest).into_iter().filter(|attempt| attempt.status != Status::Valid).collect()
}

/// Kills servers or clients, whichever `what` names, of about every other run, at random moments, until the runner ends. How
/// many runs that spoilt.
fn hit_children(what: &str, disturbed: &mut Disturbed, random: &mut SplitMix64) -> usize {
    let (mut runner, mut known) = (disturbed.start(), BTreeSet::new());
    let already = spoilt(&disturbed.bench.manifest()).len();
    while let Some(child) = next_child(&mut runner, what, &known) {
        known.insert(child);
        if random.below(2) == 0 {
            continue;
        }
        let before = attempts(&disturbed.bench.manifest()).len();
        let moment = random_ms(random, CHILD_MOMENT_MS);
        thread::sleep(moment);
        if !children(runner.id()).contains(&child) || !signal("KILL", child) {
            continue;
        }
        eprintln!("{what} killed {moment:?} after its start");
        while attempts(&disturbed.bench.manifest()).len() == before && runner.try_wait().unwrap().is_none() {
            disturbed.kept.check_running(&disturbed.bench.recording());
            thread::sleep(Duration::from_millis(2));
        }
    }
    let output = runner.wait_with_output().unwrap();
    let spoilt = spoilt(&disturbed.bench.manifest());
    let struck = spoilt.len() - already;
    assert_eq!(output.status.success(), struck == 0, "{}", text(&output.stderr));
    for attempt in &spoilt {
        assert!(attempt.reasons.join("; ").contains("signal: 9"), "{attempt:?}");
    }
    struck
}

#[test]
fn runs_whose_server_is_killed_at_random_moments_are_made_again_and_those_attempts_are_kept() {
    disturb(SERVER_KILLS, 3, |disturbed, random| hit_children("serve", disturbed, random));
}

#[test]
fn runs_whose_client_is_killed_at_random_moments_are_made_again_and_those_attempts_are_kept() {
    disturb(CLIENT_KILLS, 4, |disturbed, random| hit_children("client", disturbed, random));
}

/// Runs `script` with `arguments` in a mount namespace of its own, where it may mount. `None` where that is not permitted.
fn in_own_namespace(bench: &Bench, script: &str, arguments: &[String]) -> Option<Output> {
    let flags = ["--mount", "--map-root-user"];
    let is_permitted = Command::new("unshare")
        .args(flags)
        .args(["sh", "-c", "mount -t tmpfs -o size=64k none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    is_permitted.then(|| {
        let runner = PathBuf::from(env!("CARGO_BIN_EXE_experiments"));
        let mut command = Command::new("unshare");
        command.args(flags).args(["sh", "-c", script, "sh"]).arg(runner).args(arguments);
        command.current_dir(bench.path()).env("TMPDIR", bench.path()).output().unwrap()
    })
}

/// Fills the disk under a runner for the arguments `MOMENT_S:ROOM_BYTES` until it failed the wanted number of times; keeps
/// what it left and said in `kept/1`, `kept/2` and so on, and at the end what came of it in `kept/end`.
const FULL_DISK: &str = r#"
    set -u; runner=$1; wanted=$2; shift 2; how="--seed 5"; number=0
    mkdir results kept && mount -t tmpfs -o size=4m none results || exit 9
    for moment in "$@"; do
        [ $number -lt $wanted ] || break
        timeout 60 "$runner" run --spec spec.toml $how >said 2>&1 & pid=$!
        until [ -e results/short/*/manifest.json ] || ! kill -0 $pid; do sleep 0.01; done
        sleep "${moment%:*}"
        head -c 8M /dev/zero >results/filler 2>filled
        truncate -s "-${moment#*:}" results/filler
        if wait $pid; then rm -rf results/* kept/*; how="--seed 5"; number=0; continue; fi
        number=$((number + 1)); how="--resume $(echo results/short/*)"
        rm results/filler; cp -r results/short/* kept/$number; mv said kept/$number.said
    done
    timeout 60 "$runner" run --spec spec.toml --resume results/short/* >said 2>&1 || { cat said >&2; exit 7; }
    cp -r results/short/* kept/end"#;

#[test]
fn a_disk_that_is_full_at_random_moments_is_named_and_the_recording_goes_on_once_there_is_room() {
    let (bench, settings, mut random) = (bench(), host_settings(), moments(5));
    // With room for the one file that is written next, or for a part of it.
    let mut moment = || {
        let (moment, room_bytes) = (random_ms(&mut random, RUNNER_MOMENT_MS), random.below(16 << 10));
        format!("{}:{room_bytes}", moment.as_secs_f64())
    };
    // Once before its engine has a record at all, which must not be taken for an engine that does not work.
    let mut moments = vec!["0:0".to_string()];
    moments.extend((0..ATTEMPTS_MAX).map(|_| moment()));
    let arguments = [&[(1 + FULL_DISKS).to_string()], moments.as_slice()].concat();
    let Some(output) = in_own_namespace(&bench, FULL_DISK, &arguments) else {
        eprintln!("skipped: this user may not mount in a namespace of its own");
        return;
    };
    assert_eq!(output.status.code(), Some(0), "{moments:?}: {}", text(&output.stderr));
    let mut kept = Kept::default();
    for number in 1..=1 + FULL_DISKS {
        let folder = bench.path().join("kept").join(number.to_string());
        let said = fs::read_to_string(folder.with_extension("said")).unwrap();
        assert!(said.contains("No space left") && said.contains("--resume"), "{moments:?}: {said}");
        kept.check(&folder);
    }
    let end = bench.path().join("kept/end");
    kept.check(&end);
    assert_as_undisturbed(&end);
    bench.wait_until_idle();
    assert_eq!(host_settings(), settings);
}
