//! What must hold of a recording and of the machine whenever a runner has ended, however it did.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, mem};

use experiments::recording::manifest::{Attempt, RecordEntry, Status};
use experiments::recording::verify;
use serde_json::Value;

use super::manifest_of;

/// What the manifests of a recording have promised so far.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Files, with their hashes.
    files: BTreeMap<String, String>,
    /// Records: where their frames begin, and what they are.
    records: BTreeMap<u64, RecordEntry>,
    /// What became of the runs that were valid, by their numbers.
    valid: BTreeMap<usize, Attempt>,
}

impl Kept {
    /// Fails unless every JSON file in `folder` is whole, what was kept once is still there unchanged, no valid run was made
    /// again, and nothing is wrong but that runs are missing, and files and an end of the records that no manifest names yet.
    pub(crate) fn check(&mut self, folder: &Path) {
        self.check_running(folder);
        let is_expected =
            |fault: &String| fault.starts_with("incomplete: ") || fault.ends_with(" is not in the manifest");
        let faults: Vec<_> =
            verify::faults(folder).unwrap().into_iter().filter(|f| !is_expected(f)).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }

    /// As far as that can be said while a runner is at it.
    pub(crate) fn check_running(&mut self, folder: &Path) {
        for path in json_files(folder) {
            // The runner may remove a file meanwhile.
            let Ok(content) = fs::read(&path) else { continue };
            let parsed: Result<Value, _> = serde_json::from_slice(&content);
            assert!(parsed.is_ok(), "{} is torn: {}", path.display(), parsed.unwrap_err());
        }
        let manifest = manifest_of(folder);
        let files = manifest.files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
        let records = manifest.record_entries().map(|entry| (entry.offset_bytes, entry.clone())).collect();
        let valid = manifest.runs.iter().filter(|run| run.attempt.status == Status::Valid);
        let valid = valid.map(|run| (run.number, run.attempt.clone())).collect();
        for (path, hash) in mem::replace(&mut self.files, files) {
            assert_eq!(self.files.get(&path), Some(&hash), "{path} was kept once");
        }
        for (offset, entry) in mem::replace(&mut self.records, records) {
            assert_eq!(self.records.get(&offset), Some(&entry), "a record at byte {offset} was kept once");
        }
        for (number, attempt) in mem::replace(&mut self.valid, valid) {
            assert_eq!(self.valid.get(&number), Some(&attempt), "run {number} was valid once");
        }
    }
}

/// The JSON files of the recording in `folder`, whether its manifest names them or not.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|end| end == "json")).collect()
}

/// Settings of this machine that a measurement could want otherwise, as far as they can be read.
pub(crate) fn host_settings() -> BTreeMap<PathBuf, String> {
    const SINGLE: [&str; 8] = [
        "/proc/sys/kernel/randomize_va_space",
        "/proc/sys/kernel/nmi_watchdog",
        "/proc/sys/kernel/timer_migration",
        "/proc/sys/kernel/numa_balancing",
        "/proc/sys/kernel/io_uring_disabled",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/class/net/lo/mtu",
        "/sys/devices/system/cpu/cpufreq/boost",
    ];
    let list = |folder| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let network = ["/proc/sys/net/core", "/proc/sys/net/ipv4"].into_iter().flat_map(list);
    let files = SINGLE.into_iter().map(PathBuf::from).chain(network);
    files
        .filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)))
        .map(|(text, path)| (path, text))
        .collect()
}
