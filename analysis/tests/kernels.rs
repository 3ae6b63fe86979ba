//! `analysis kernels` puts the newest counts of each kernel side by side; the figure shows the same.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use experiments::clock::Clock;
use experiments::recording::manifest::FileEntry;
use support::{MadeUp, change_manifest, write_built_in};
use uring_echo::hash::sha256;

/// A recording of counts on the kernel `release`, called `name`.
fn counted(results: &Path, name: &str, release: &str) -> PathBuf {
    let made = MadeUp::small("kernels").write(results);
    let folder = made.with_file_name(name);
    fs::rename(made, &folder).unwrap();
    let host = fs::read_to_string(folder.join("host.json")).unwrap();
    let mut host: serde_json::Value = serde_json::from_str(&host).unwrap();
    host["kernel"]["release"] = release.into();
    let host = host.to_string();
    fs::write(folder.join("host.json"), &host).unwrap();
    change_manifest(&folder, |manifest| {
        manifest.clock = Clock::Instructions;
        manifest.recording = name.to_owned();
        manifest.files.retain(|file| file.path != "host.json");
        manifest.files.push(FileEntry { path: "host.json".into(), sha256: sha256(host.as_bytes()) });
    });
    folder
}

fn analysis(directory: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis"));
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), said)
}

#[test]
fn the_newest_counts_of_each_kernel_lie_side_by_side() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, said) = analysis(scratch.path(), &["kernels"]);
    assert!(said.contains("No recording counts on several kernels"), "{said}");
    let results = scratch.path().join("results");
    counted(&results, "20260101T000001Z-000001", "7.0.13+deb13-cloud-amd64");
    counted(&results, "20260101T000002Z-000001", "6.12.117");
    counted(&results, "20260101T000003Z-000001", "6.12.117");
    let (done, table) = analysis(scratch.path(), &["kernels"]);
    let heading = table.lines().next().unwrap();
    let columns: Vec<&str> = heading.split('|').map(str::trim).filter(|text| !text.is_empty()).collect();
    assert_eq!((done, columns), (true, vec!["cell", "instructions a message", "6.12", "7.0"]), "{table}");
    assert!(table.contains("io_uring ÷ epoll"), "{table}");
}

#[test]
fn the_figure_stands_on_the_recording_of_each_kernel() {
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    write_built_in("quick", experiments::spec::Size::Quick, &results);
    counted(&results, "20260101T000001Z-000001", "6.1.0-56-cloud-amd64");
    counted(&results, "20260101T000002Z-000001", "7.3.4");
    let (done, said) = analysis(scratch.path(), &[]);
    assert!(done, "{said}");
    let sidecar = fs::read_to_string(scratch.path().join("out/figures/kernels-instructions.json")).unwrap();
    assert!(
        sidecar.contains("20260101T000001Z-000001") && sidecar.contains("20260101T000002Z-000001"),
        "{sidecar}"
    );
    let picture = fs::read_to_string(scratch.path().join("out/figures/kernels-instructions.svg")).unwrap();
    assert!(picture.contains("epoll on 6.1"), "what it is divided by");
}
