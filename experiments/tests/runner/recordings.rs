//! A recording is whole or is said not to be: a changed, missing or unknown file is named, and so is a run not made.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::bench::{Bench, change_manifest, manifest_of, text};
use experiments::plan::Role;
use experiments::recording::manifest::{Manifest, RecordEntry, Status};
use experiments::recording::{Recording, verify};

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

/// What a recording is.
const FILES: [&str; 4] = ["manifest.json", "spec.toml", "host.json", "runs.zst"];

/// A recording, made once for the tests that run at a time and copied for each fault.
struct Original {
    bench: Bench,
}

impl Original {
    fn shared() -> Arc<Self> {
        // Weak, so that the last test removes the folder.
        static SHARED: Mutex<Weak<Original>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self::new());
            *shared = Arc::downgrade(&made);
            made
        })
    }

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
        for name in FILES {
            fs::copy(recording.join(name), copy.path().join(name)).unwrap();
        }
        damage(copy.path());
        let output = self.bench.command(&["verify", copy.path().to_str().unwrap()]).output().unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }
}

/// Changes one bit of the file's middle.
fn flip(path: &Path) {
    let middle = fs::metadata(path).unwrap().len() as usize / 2;
    flip_at(path, middle, 1);
}

/// Changes the bits `mask` of byte `place`.
fn flip_at(path: &Path, place: usize, mask: u8) {
    let mut content = fs::read(path).unwrap();
    content[place] ^= mask;
    fs::write(path, content).unwrap();
}

fn record_of(manifest: &mut Manifest, index: usize) -> &mut RecordEntry {
    manifest.runs[index].attempt.record.as_mut().unwrap()
}

#[test]
fn what_is_added_later_belongs_to_the_recording_and_is_added_once() {
    let original = Original::shared();
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
fn recordings_that_were_begun_in_one_second_are_dated_apart_and_stay_whole() {
    let original = Original::shared();
    let results = tempfile::tempdir().unwrap();
    let names = [(); 2].map(|()| {
        let copy = tempfile::tempdir().unwrap().keep();
        for name in FILES {
            fs::copy(original.bench.recording().join(name), copy.join(name)).unwrap();
        }
        let dated = Recording::reopen(&copy).unwrap().date(results.path(), 1_795_356_547_890).unwrap();
        let faults = verify::faults(&dated).unwrap();
        assert!(faults.is_empty() && !copy.exists(), "{faults:?}");
        let manifest = Recording::open(&dated).unwrap().manifest().clone();
        assert!(manifest.finished_unix_ms > Some(manifest.started_unix_ms));
        manifest.recording
    });
    assert_eq!(names, ["20261122T140907Z-000007", "20261122T140908Z-000007"]);
}

#[test]
fn a_whole_recording_passes_and_each_kind_of_damage_is_named() {
    let original = Original::shared();
    let (is_whole, said) = original.verified(|_| {});
    assert!(is_whole && said.contains("whole"), "{said}");

    for name in ["runs.zst", "spec.toml", "host.json"] {
        let (is_whole, said) = original.verified(|folder| flip(&folder.join(name)));
        assert!(!is_whole && said.contains(name) && said.contains("was changed"), "{name}: {said}");
        let (is_whole, said) = original.verified(|folder| fs::remove_file(folder.join(name)).unwrap());
        assert!(!is_whole && said.contains(name) && said.contains("cannot read"), "{name}: {said}");
    }
    for name in ["runs", "manifest.json.7.tmp", "notes.txt"] {
        let (is_whole, said) = original.verified(|folder| fs::write(folder.join(name), "x").unwrap());
        assert!(!is_whole && said.contains(name) && said.contains("not in the manifest"), "{name}: {said}");
    }
}

#[test]
fn a_manifest_that_was_edited_is_not_believed() {
    let original = Original::shared();
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
fn every_byte_of_the_records_that_is_flipped_is_noticed() {
    let original = Original::shared();
    let whole = original.bench.recording();
    let copy = tempfile::tempdir().unwrap();
    for name in FILES {
        fs::copy(whole.join(name), copy.path().join(name)).unwrap();
    }
    let records = copy.path().join("runs.zst");
    let count = fs::metadata(&records).unwrap().len() as usize;
    for place in 0..count {
        let mask = 1 << (place % 8);
        flip_at(&records, place, mask);
        let faults = verify::faults(copy.path()).unwrap();
        assert!(
            faults.iter().any(|fault| fault.contains("runs.zst was changed")),
            "byte {place}: {faults:?}"
        );
        flip_at(&records, place, mask);
    }
    assert_eq!(verify::faults(copy.path()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_flipped_byte_is_said_of_the_run_whose_record_it_spoils() {
    let original = Original::shared();
    let end = manifest_of(&original.bench.recording()).records.length_bytes as usize;
    let (is_whole, said) = original.verified(|folder| flip_at(&folder.join("runs.zst"), end - 9, 1));
    assert!(!is_whole && said.contains("run 2: ") && !said.contains("run 1: "), "{said}");
    let (is_whole, said) = original.verified(|folder| flip_at(&folder.join("runs.zst"), 40, 1));
    assert!(!is_whole && said.contains("run 1: ") && said.contains("run 2: "), "{said}");
    assert!(said.contains("one of its first records, which this one needs, is damaged"), "{said}");
}

#[test]
fn records_that_were_cut_short_or_have_something_behind_them_are_named() {
    let original = Original::shared();
    let (is_whole, said) = original.verified(|folder| {
        let records = fs::OpenOptions::new().write(true).open(folder.join("runs.zst")).unwrap();
        records.set_len(records.metadata().unwrap().len() - 1).unwrap();
    });
    assert!(!is_whole && said.contains("was cut short") && said.contains("run 2: cannot read"), "{said}");
    let (is_whole, said) = original.verified(|folder| {
        let mut content = fs::read(folder.join("runs.zst")).unwrap();
        content.extend(b"torn");
        fs::write(folder.join("runs.zst"), content).unwrap();
    });
    assert!(!is_whole && said.contains("runs.zst, 4 bytes, is not in the manifest"), "{said}");
}

#[test]
fn a_manifest_that_names_other_places_is_noticed_even_when_it_was_signed_again() {
    let original = Original::shared();
    let says = |change: fn(&mut Manifest), expected: &str| {
        let (is_whole, said) = original.verified(|folder| change_manifest(folder, change));
        assert!(!is_whole && said.contains(expected), "{expected}: {said}");
    };
    says(|manifest| record_of(manifest, 1).offset_bytes += 1, "and the next begins at");
    says(|manifest| record_of(manifest, 1).frame_bytes -= 1, "and the next begins at");
    says(|manifest| record_of(manifest, 1).frame_bytes = u64::MAX, "run 2: cannot read");
    says(|manifest| record_of(manifest, 0).sha256 = "0".repeat(64), "run 1: ");
    says(|manifest| manifest.runs[1].attempt.record = None, "run 2 has no record");
    says(|manifest| manifest.records.length_bytes -= 1, "runs.zst was changed");
    says(|manifest| manifest.records.sha256 = "0".repeat(64), "runs.zst was changed");
}

#[test]
fn a_record_in_the_place_of_another_is_noticed() {
    let original = Original::shared();
    let (is_whole, said) = original.verified(|folder| {
        change_manifest(folder, |manifest| {
            let first = record_of(manifest, 0).clone();
            *record_of(manifest, 0) = std::mem::replace(record_of(manifest, 1), first);
        });
    });
    assert!(!is_whole && said.contains("run 2 has the record of run "), "{said}");
}

#[test]
fn a_run_says_where_it_stands_and_what_became_of_it() {
    let original = Original::shared();
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
    let [earlier, later] =
        [&measured.superseded[0], &measured.attempt].map(|attempt| attempt.record.as_ref().unwrap());
    assert_eq!(later.offset_bytes, earlier.end_bytes());
    assert!(text(&output.stdout).contains("Noise: 1 run made once more; 2 with a flag."));
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
