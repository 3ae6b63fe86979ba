//! A recording is whole or is said not to be: a changed, missing or unknown file is named, and so is a run not made.

mod bench;

use std::fs;
use std::path::Path;

use bench::{Bench, text};
use experiments::plan::Role;
use experiments::recording::Recording;
use experiments::recording::manifest::Status;

const SPEC: &str = r#"
id = "tiny"
title = "Tiny"
question = "Is the recording whole?"
engines = ["epoll"]
modes = ["req-res"]
payload_bytes = [1024]
connections = [2]
repetitions = 1
warmup_s = 0.05
window_s = 0.1
verify = "full"
noise = []
"#;

/// A recording, made once and copied for each fault.
struct Original {
    bench: Bench,
}

impl Original {
    fn new() -> Self {
        let bench = Bench::new("tiny", SPEC);
        let output = bench.run(&["--seed", "7"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        Self { bench }
    }

    /// What verify says of a copy that `damage` was done to, and whether it succeeded.
    fn verified(&self, damage: impl Fn(&Path)) -> (bool, String) {
        let copy = tempfile::tempdir().unwrap();
        let recording = self.bench.recording();
        fs::create_dir(copy.path().join("runs")).unwrap();
        for name in ["manifest.json", "spec.toml", "host.json", "runs/0001.json", "runs/0002.json"] {
            fs::copy(recording.join(name), copy.path().join(name)).unwrap();
        }
        damage(copy.path());
        let output = self.bench.command(&["verify", copy.path().to_str().unwrap()]).output().unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }
}

/// Changes one bit of the file's middle.
fn flip(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(path, content).unwrap();
}

#[test]
fn what_is_added_later_belongs_to_the_recording_and_is_added_once() {
    let original = Original::new();
    let add = |folder: &Path| Recording::reopen(folder).unwrap().add("vm.json", b"{}\n");
    let (is_whole, said) = original.verified(|folder| add(folder).unwrap());
    assert!(is_whole, "{said}");
    let (is_whole, said) = original.verified(|folder| {
        add(folder).unwrap();
        assert!(add(folder).is_err(), "it was written a second time");
        flip(&folder.join("vm.json"));
    });
    assert!(!is_whole && said.contains("vm.json"), "{said}");
}

#[test]
fn a_whole_recording_passes_and_each_kind_of_damage_is_named() {
    let original = Original::new();
    let (is_whole, said) = original.verified(|_| {});
    assert!(is_whole && said.contains("whole"), "{said}");

    for name in ["runs/0001.json", "runs/0002.json", "spec.toml", "host.json"] {
        let (is_whole, said) = original.verified(|folder| flip(&folder.join(name)));
        assert!(!is_whole && said.contains(name) && said.contains("was changed"), "{name}: {said}");
        let (is_whole, said) = original.verified(|folder| fs::remove_file(folder.join(name)).unwrap());
        assert!(!is_whole && said.contains(name) && said.contains("cannot read"), "{name}: {said}");
    }
    for name in ["runs/0003.json", "runs/0001.json.7.tmp", "notes.txt"] {
        let (is_whole, said) = original.verified(|folder| fs::write(folder.join(name), "x").unwrap());
        assert!(!is_whole && said.contains(name) && said.contains("not in the manifest"), "{name}: {said}");
    }
}

#[test]
fn a_manifest_that_was_edited_is_not_believed() {
    let original = Original::new();
    for (from, to) in
        [("\"seed\": ", "\"seed\": 1"), ("\"number\":2", "\"number\":3"), ("Tiny", "Tony"), ("  ", " ")]
    {
        let (is_whole, said) = original.verified(|folder| {
            let path = folder.join("manifest.json");
            let manifest = fs::read_to_string(&path).unwrap();
            assert!(manifest.contains(from));
            fs::write(path, manifest.replacen(from, to, 1)).unwrap();
        });
        assert!(!is_whole && said.contains("manifest.json was changed"), "{from}: {said}");
    }
}

#[test]
fn a_record_in_the_place_of_another_is_noticed() {
    let original = Original::new();
    let (is_whole, said) = original.verified(|folder| {
        fs::copy(folder.join("runs/0001.json"), folder.join("runs/0002.json")).unwrap();
    });
    assert!(!is_whole && said.contains("runs/0002.json"), "{said}");
}

#[test]
fn a_run_says_where_it_stands_and_what_became_of_it() {
    let original = Original::new();
    let recording = Recording::open(&original.bench.recording()).unwrap();
    let manifest = recording.manifest();
    assert_eq!(manifest.runs.iter().map(|run| run.role).collect::<Vec<_>>(), [Role::Priming, Role::Measured]);
    for run in &manifest.runs {
        let attempt = &run.attempt;
        assert_eq!(attempt.status, Status::Valid);
        assert_eq!(run.cell, "req-res/1024B/c2");
        assert!(attempt.saturation.is_some() && attempt.took_ns.is_some());
        let record = recording.record(run.number).unwrap().unwrap();
        assert_eq!(attempt.port, Some(record.server.address.port()));
    }
    assert_eq!(manifest.programs.len(), 1);
    assert_eq!(manifest.cargo_lock_sha256.len(), 64);
}

#[test]
fn a_run_over_a_limit_of_the_noise_gate_is_made_once_more_and_then_flagged() {
    // Every run exceeds this; the gate repeats one of the two runs and no more, and never the priming run.
    let limit = "[[noise]]\nfield = \"summary.messages_per_s\"\nmax = 1\n";
    let bench = Bench::new("tiny", &(SPEC.replace("noise = []\n", "") + limit));
    let output = bench.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let manifest = bench.manifest();
    let [priming, measured] = manifest.runs.as_slice() else { panic!("two runs were planned") };
    assert!(priming.superseded.is_empty() && priming.attempt.flags.len() == 1);
    assert_eq!((measured.superseded.len(), measured.attempt.flags.len()), (1, 1));
    assert_eq!(measured.superseded[0].file.as_ref().unwrap().path, "runs/0002.json");
    assert_eq!(measured.attempt.file.as_ref().unwrap().path, "runs/0002-2.json");
    assert!(text(&output.stdout).contains("1 runs were made once more; 2 stand with a flag"));
    let folder = bench.recording();
    assert!(bench.command(&["verify", folder.to_str().unwrap()]).status().unwrap().success());
}

#[test]
fn a_limit_on_a_field_that_no_record_has_ends_the_recording_with_its_name() {
    let bench = Bench::new(
        "tiny",
        &(SPEC.replace("noise = []\n", "") + "[[noise]]\nfield = \"summary.no_such\"\nmax = 1\n"),
    );
    let output = bench.run(&[]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("no field summary.no_such"), "{}", text(&output.stderr));
}

#[test]
fn the_clients_ceiling_is_what_it_sent_since_nothing_comes_back() {
    let spec = SPEC.replace("req-res", "stream") + "[ceiling]\nconnections = 2\nrepetitions = 1\n";
    let bench = Bench::new("tiny", &spec);
    let output = bench.run(&["--seed", "7"]);
    let told = text(&output.stdout);
    let ceiling = told.lines().find(|line| line.contains("ceiling")).unwrap_or_else(|| panic!("{told}"));
    assert!(ceiling.contains("1 KiB ") && !ceiling.contains(" 0.00 MB/s"), "{ceiling}");
}
