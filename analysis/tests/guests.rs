//! Recordings made under emulation say nothing about speed: they are never chosen, and refused when named.

mod support;

use std::fs;
use std::path::Path;

use analysis::recording::{Recording, newest_of_each_experiment};
use analysis::study::Study;
use experiments::clock::Clock;
use support::{MadeUp, change_manifest};

const EMULATED: &str = r#"{"accel": "tcg", "functional_only": true}"#;
const ON_KVM: &str = r#"{"accel": "kvm", "functional_only": false}"#;

fn put(folder: &Path, text: &str) {
    fs::write(folder.join("vm.json"), text).unwrap();
}

#[test]
fn an_emulated_recording_is_passed_over_for_an_older_one() {
    let results = tempfile::tempdir().unwrap();
    let old = MadeUp::small("one").write(results.path());
    let new = old.with_file_name("20270101T000000Z-000001");
    fs::create_dir(&new).unwrap();
    fs::copy(old.join("manifest.json"), new.join("manifest.json")).unwrap();
    put(&new, EMULATED);
    assert_eq!(newest_of_each_experiment(results.path()).unwrap(), std::slice::from_ref(&old));
    put(&new, ON_KVM);
    assert_eq!(newest_of_each_experiment(results.path()).unwrap(), [new]);
}

#[test]
fn where_all_are_emulated_that_is_what_is_said() {
    let results = tempfile::tempdir().unwrap();
    put(&MadeUp::small("one").write(results.path()), EMULATED);
    let error = newest_of_each_experiment(results.path()).unwrap_err().to_string();
    assert!(error.contains("no recording but 1 made under emulation"), "{error}");
    let other = MadeUp::small("two").write(results.path());
    assert_eq!(newest_of_each_experiment(results.path()).unwrap(), [other], "another experiment is read on");
}

#[test]
fn an_emulated_recording_that_is_named_is_refused_with_the_reason() {
    let results = tempfile::tempdir().unwrap();
    let folder = MadeUp::small("one").write(results.path());
    put(&folder, EMULATED);
    let error = format!("{:#}", Study::read(std::slice::from_ref(&folder)).unwrap_err());
    assert!(error.contains(folder.to_str().unwrap()) && error.contains("made under emulation"), "{error}");
    assert!(error.contains("not what it costs"), "{error}");
    put(&folder, ON_KVM);
    Recording::read(&folder, || {}).unwrap();
}

#[test]
fn an_emulated_recording_that_counts_is_read() {
    let results = tempfile::tempdir().unwrap();
    let folder = MadeUp::small("one").write(results.path());
    change_manifest(&folder, |manifest| manifest.clock = Clock::Instructions);
    put(&folder, EMULATED);
    assert_eq!(newest_of_each_experiment(results.path()).unwrap(), std::slice::from_ref(&folder));
    Recording::read(&folder, || {}).unwrap();
}

#[test]
fn a_recording_that_does_not_say_whether_it_was_emulated_is_chosen_and_then_refused() {
    let results = tempfile::tempdir().unwrap();
    let folder = MadeUp::small("one").write(results.path());
    put(&folder, r#"{"accel": "tc"#);
    let chosen = newest_of_each_experiment(results.path()).unwrap();
    let error = format!("{:#}", Study::read(&chosen).unwrap_err());
    assert!(error.contains("vm.json does not say whether the guest was emulated"), "{error}");
}
