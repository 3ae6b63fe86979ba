//! A recording of an earlier version comes into the present layout unchanged, whenever the conversion is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::before::{self, hashes};
use crate::bench::{Bench, SHORT_SPEC, manifest_of, signal, text};
use experiments::recording::{Recording, verify};
use uring_echo::random::{SplitMix64, fresh_seed};

/// Random moments at which the conversion is killed.
const KILLS: usize = 20;

/// A recording of today, with a run that was made twice, and the same as an earlier version would have left it.
struct Before {
    bench: Bench,
    hashes: Vec<String>,
    folder: PathBuf,
}

impl Before {
    fn new() -> Self {
        let limit = "[[noise]]\nfield = \"summary.messages_per_s\"\nmax = 1\n";
        let bench = Bench::new("short", &(SHORT_SPEC.replace("noise = []\n", "") + limit));
        let output = bench.run(&["--seed", "5"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let hashes = hashes(&bench.recording());
        assert_eq!(hashes.len(), 7);
        let folder = bench.recording();
        before::make(&folder);
        Self { bench, hashes, folder }
    }

    /// A copy of it, named `name`.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.bench.path().join(name);
        fs::create_dir_all(copy.join("runs")).unwrap();
        for folder in ["", "runs"] {
            for entry in fs::read_dir(self.folder.join(folder)).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_file() {
                    fs::copy(entry.path(), copy.join(folder).join(entry.file_name())).unwrap();
                }
            }
        }
        copy
    }

    fn convert(&self, folder: &Path) -> Output {
        self.bench.command(&["convert", folder.to_str().unwrap()]).output().unwrap()
    }

    /// Fails unless `folder` holds every document in the present layout and nothing else.
    fn assert_converted(&self, folder: &Path) {
        assert_eq!(verify::faults(folder).unwrap(), Vec::<String>::new());
        let recording = Recording::open(folder).unwrap();
        assert_eq!(hashes(folder), self.hashes);
        for entry in recording.manifest().record_entries() {
            recording.document(entry).unwrap();
        }
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["host.json", "manifest.json", "runs.zst", "spec.toml"]);
    }
}

#[test]
fn an_earlier_recording_is_refused_with_the_command_that_converts_it_and_then_read() {
    let before = Before::new();
    let folder = before.folder.to_str().unwrap();
    for arguments in [["show", folder], ["verify", folder]] {
        let output = before.bench.command(&arguments).output().unwrap();
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.lines().count() == 1, "{said}");
        assert!(said.contains(&format!("experiments convert {folder}")), "{said}");
    }
    let said = text(&before.bench.run(&["--resume"]).stderr);
    assert!(said.contains("experiments convert results/short/"), "{said}");

    let output = before.convert(&before.folder);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("7 records moved, 7 old files removed"),
        "{}",
        text(&output.stdout)
    );
    before.assert_converted(&before.folder);
    let again = before.convert(&before.folder);
    assert!(again.status.success() && text(&again.stdout).contains("already"), "{}", text(&again.stdout));
    assert!(before.bench.command(&["show", folder]).status().unwrap().success());
}

#[test]
fn a_conversion_keeps_everything_that_the_manifest_said() {
    let before = Before::new();
    let values = |folder: &Path| -> serde_json::Value {
        let text = fs::read(folder.join("manifest.json")).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let fields = manifest.as_object_mut().unwrap();
        for name in ["schema_version", "records", "sha256"] {
            fields.remove(name);
        }
        for run in manifest["runs"].as_array_mut().unwrap() {
            for attempt in run["superseded"].as_array_mut().unwrap() {
                strip_place(attempt);
            }
            strip_place(run);
        }
        manifest
    };
    let earlier = values(&before.folder);
    assert!(before.convert(&before.folder).status.success());
    assert_eq!(values(&before.folder), earlier);
}

/// Leaves the hash of a record and takes away where it is.
fn strip_place(attempt: &mut serde_json::Value) {
    let fields = attempt.as_object_mut().unwrap();
    let record = fields.remove("file").or_else(|| fields.remove("record")).unwrap();
    fields.insert("sha256".into(), record["sha256"].clone());
}

#[test]
fn a_damaged_recording_is_not_converted_and_stays_as_it_was() {
    let before = Before::new();
    let refuses = |name: &str, damage: &dyn Fn(&Path), expected: &str| {
        let copy = before.copy(name);
        damage(&copy);
        let manifest = fs::read(copy.join("manifest.json")).unwrap();
        let output = before.convert(&copy);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{said}");
        assert_eq!(fs::read(copy.join("manifest.json")).unwrap(), manifest);
        assert!(copy.join("runs/0001.json").exists());
    };
    let edit = |name: &'static str| {
        move |folder: &Path| {
            let path = folder.join(name);
            let edited = fs::read_to_string(&path).unwrap().replacen("epoll", "Epoll", 1);
            fs::write(path, edited).unwrap();
        }
    };
    refuses("edited", &edit("manifest.json"), "manifest.json was changed after it was written");
    refuses("changed", &edit("runs/0003.json"), "runs/0003.json was changed after it was recorded");
    let remove = |folder: &Path| fs::remove_file(folder.join("runs/0004.json")).unwrap();
    refuses("gone", &remove, "cannot read");
}

#[test]
fn what_no_manifest_names_is_left_where_it_is_and_said() {
    let before = Before::new();
    fs::write(before.folder.join("runs/0009.json"), "{}").unwrap();
    let output = before.convert(&before.folder);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 files in runs/"), "{}", text(&output.stdout));
    assert_eq!(fs::read_to_string(before.folder.join("runs/0009.json")).unwrap(), "{}");
}

#[test]
fn a_manifest_that_a_killed_conversion_had_half_written_is_removed_by_the_next() {
    let before = Before::new();
    // Killed before its new manifest was in place, and another one as it did what was left.
    for half_written in ["manifest.json.7.tmp", "manifest.json.8.tmp"] {
        fs::write(before.folder.join(half_written), "{").unwrap();
        let output = before.convert(&before.folder);
        assert!(output.status.success(), "{}", text(&output.stderr));
        before.assert_converted(&before.folder);
    }
}

/// Fails unless every document of `before` is in `folder`, in one layout or the other.
fn assert_nothing_is_lost(before: &Before, folder: &Path) -> &'static str {
    match Recording::open(folder) {
        Ok(recording) => {
            assert_eq!(hashes(folder), before.hashes);
            for entry in recording.manifest().record_entries() {
                recording.document(entry).unwrap();
            }
            if folder.join("runs").exists() { "both" } else { "new" }
        }
        Err(error) => {
            assert!(error.to_string().contains("experiments convert"), "{error:#}");
            let manifest: serde_json::Value =
                serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
            for run in manifest["runs"].as_array().unwrap() {
                for attempt in run["superseded"].as_array().unwrap().iter().chain([run]) {
                    let content = fs::read(folder.join(attempt["file"]["path"].as_str().unwrap())).unwrap();
                    let hash = uring_echo::hash::sha256(&content);
                    assert_eq!(attempt["file"]["sha256"], hash);
                }
            }
            "old"
        }
    }
}

/// Returns once the first of the old files is gone: the narrowest moment, since the new ones must be in place by then.
fn wait_for_a_removal(converter: &mut Child, folder: &Path) {
    let count = || fs::read_dir(folder.join("runs")).map_or(0, Iterator::count);
    let all = count();
    while count() == all && converter.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
}

#[test]
fn a_conversion_that_is_killed_at_random_moments_loses_nothing_and_is_finished_by_the_next() {
    let before = Before::new();
    let seed = std::env::var("INTERRUPT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(fresh_seed);
    eprintln!("INTERRUPT_SEED={seed} brings these moments back");
    let mut random = SplitMix64::new(seed);
    let undisturbed = before.copy("undisturbed");
    let begun = Instant::now();
    assert!(before.convert(&undisturbed).status.success());
    let span_us = begun.elapsed().as_micros() as usize;
    for number in 0..KILLS {
        let folder = before.copy(&number.to_string());
        let mut converter = before.bench.command(&["convert", folder.to_str().unwrap()]).spawn().unwrap();
        let begun = Instant::now();
        if number % 2 == 0 {
            thread::sleep(Duration::from_micros(random.below(span_us) as u64));
        } else {
            wait_for_a_removal(&mut converter, &folder);
        }
        signal("KILL", converter.id());
        converter.wait().unwrap();
        let found = assert_nothing_is_lost(&before, &folder);
        eprintln!("killed after {:?} of {span_us} us: {found}", begun.elapsed());
        let output = before.convert(&folder);
        assert!(output.status.success(), "{}", text(&output.stderr));
        before.assert_converted(&folder);
        assert_eq!(manifest_of(&folder), manifest_of(&undisturbed));
    }
}
