//! Lints the repository: what its documents promise of its layout, and no compiler checks.
//!
//! Each rule is first held against a file that breaks it, below in `planted`: a rule that lets that pass proves
//! nothing.

#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/scan.rs"]
mod scan;

use std::fs;
use std::path::Path;

use rules::File;

/// What holds the work of others: the compiler, git, the measurements.
const NOT_OURS: [&str; 3] = ["target", ".git", "results"];

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every text file of the repository.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    collect(Path::new(ROOT), &mut found);
    assert!(found.len() > 50, "the repository is not where the test looks for it");
    found
}

fn collect(directory: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let kind = entry.file_type().unwrap();
        if NOT_OURS.iter().any(|other| *other == name) {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            let path = entry.path().strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned();
            found.push(File { path, text });
        }
    }
}

fn sources() -> Vec<File> {
    files().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

fn file(path: &str) -> File {
    let found = files().into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("{path} is missing"))
}

/// Fails with every place where one of `files` breaks `rule`.
fn hold(rule: fn(&File) -> Vec<String>, files: &[File]) {
    let broken: Vec<String> = files.iter().flat_map(rule).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn imports_point_down() {
    for module in rules::LAYERS.concat() {
        let exists = ["src/NAME.rs", "src/NAME/mod.rs"]
            .iter()
            .any(|place| Path::new(ROOT).join(place.replace("NAME", module)).is_file());
        assert!(exists, "module {module} has a layer and does not exist");
    }
    hold(rules::imports_point_down, &sources());
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = imports::circles(&sources());
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

#[test]
fn unsafe_is_only_in_the_system_call_layer() {
    hold(rules::unsafe_is_in_sys, &sources());
}

#[test]
fn no_source_file_is_too_long() {
    hold(rules::files_are_short, &sources());
}

#[test]
fn no_function_is_too_long() {
    hold(rules::functions_are_short, &sources());
}

#[test]
fn nothing_is_left_unfinished() {
    hold(rules::nothing_is_unfinished, &sources());
}

#[test]
fn tests_are_named_in_sentences() {
    hold(rules::tests_are_sentences, &sources());
}

#[test]
fn the_twins_define_the_same_functions_in_the_same_order() {
    let twins = ["epoll/mod.rs", "uring/mod.rs", "epoll/stop.rs", "uring/stop.rs"];
    hold(rules::twin_keeps_the_order, &twins.map(|name| file(&format!("src/server/{name}"))));
}

#[test]
fn what_decides_exists_and_calls_no_system() {
    hold(rules::imports_point_down, &rules::PURE.map(file));
}

#[test]
fn no_file_names_somebodys_machine() {
    hold(rules::no_machine_is_named, &files());
}

#[test]
fn every_package_comes_from_the_public_registry() {
    hold(rules::sources_are_public, &[file("Cargo.lock")]);
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    let manifests: Vec<File> = files().into_iter().filter(|file| file.path.ends_with("Cargo.toml")).collect();
    hold(rules::lints_are_inherited, &manifests);
}

#[test]
fn the_readme_fits_a_hundred_and_twenty_lines() {
    let lines = file("README.md").text.lines().count();
    assert!(lines <= 120, "README.md has {lines} lines");
}

#[test]
fn the_main_function_stays_a_table_of_contents() {
    let lines = file("src/main.rs").text.lines().count();
    assert!(lines < 80, "src/main.rs has {lines} lines");
}
