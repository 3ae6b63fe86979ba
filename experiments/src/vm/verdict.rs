//! Judges a boot by what the guest left: its report, its console, and how the emulator ended.
//!
//! Nothing passes by default. A verdict needs a boot, every step that was asked for in its order, an end, and success in
//! each step; all else is a [`Failure`]. The checks stand in the order of what explains most: a panic also cuts
//! the report short, and is the better thing to say; and memory that ran out may be what it panicked of.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use guest::record::{Boot, Record, RecordedFile, Step};
use guest::steps;

use super::failure::{Failure, tail};
use super::qemu::{Ending, Files};
use super::{features, memory};

/// What a guest did that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) boot: Boot,
    pub(crate) steps: Vec<Step>,
    /// Recordings that the steps made.
    pub(crate) files: Vec<RecordedFile>,
}

impl Verdict {
    /// Writes the recordings below `folder`, and returns the folder of each.
    ///
    /// # Errors
    /// When one is there already, or cannot be written.
    pub(crate) fn recordings(&self, folder: &Path) -> Result<BTreeSet<PathBuf>> {
        let mut recordings = BTreeSet::new();
        for file in &self.files {
            let path = folder.join(&file.path);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
            let create = || File::create_new(&path)?.write_all(&file.content);
            create().with_context(|| format!("cannot write {}", path.display()))?;
            if path.ends_with("manifest.json") {
                recordings.insert(parent.to_owned());
            }
        }
        Ok(recordings)
    }
}

/// What there is to judge.
pub(crate) struct Evidence<'a> {
    pub(crate) ending: Ending,
    pub(crate) console: &'a str,
    pub(crate) records: &'a str,
    /// What the emulator wrote.
    pub(crate) messages: &'a str,
    pub(crate) files: &'a Files,
}

impl Evidence<'_> {
    /// The verdict on a guest that was asked to run the steps `wanted`.
    ///
    /// # Errors
    /// The failure that explains most.
    pub(crate) fn judge(&self, wanted: &[String]) -> Result<Verdict, Failure> {
        if let Some(said) = memory::ran_out(self.console) {
            return Err(Failure::OutOfMemory { said, tail: self.tail() });
        }
        if let Some(line) = self.console.lines().find_map(panic_message) {
            let (line, hint) = (line.to_string(), memory::hint(self.console));
            return Err(Failure::Panicked { line, hint, tail: self.tail() });
        }
        match self.ending {
            Ending::TimedOut => return Err(self.timed_out(wanted)),
            Ending::Exited(status) if !status.success() => {
                let messages = self.messages.trim().to_string();
                return Err(Failure::QemuFailed { status: status.to_string(), messages });
            }
            Ending::Exited(_) => {}
        }
        let verdict = self.complete(self.parse()?)?;
        let found: Vec<String> = verdict.steps.iter().map(|step| step.name.clone()).collect();
        if found != wanted {
            return Err(Failure::WrongSteps { wanted: wanted.to_vec(), found, tail: self.tail() });
        }
        verdict.steps.iter().try_for_each(|step| self.judge_step(&verdict.boot, step))?;
        Ok(verdict)
    }

    fn timed_out(&self, wanted: &[String]) -> Failure {
        let records: Vec<Record> =
            self.records.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        let done = records.iter().filter(|record| matches!(record, Record::Step(_))).count();
        if records.is_empty() {
            Failure::BootTimedOut { tail: self.tail() }
        } else {
            Failure::TimedOut { done, wanted: wanted.len(), tail: self.tail() }
        }
    }

    fn parse(&self) -> Result<Vec<Record>, Failure> {
        let parse = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| self.garbage(index + 1, line, error.to_string()))
        };
        self.records.lines().enumerate().map(parse).collect()
    }

    fn garbage(&self, line: usize, text: &str, cause: String) -> Failure {
        let excerpt = text.chars().take(80).collect();
        Failure::Garbage { line, cause, excerpt, tail: self.tail() }
    }

    /// The report's shape: one boot, steps with the files of each, one end that counted the steps.
    fn complete(&self, records: Vec<Record>) -> Result<Verdict, Failure> {
        let (count, mut records) = (records.len(), records.into_iter());
        let mut files = Vec::new();
        let boot = match records.next() {
            Some(Record::Boot(boot)) => boot,
            Some(_) => return Err(self.garbage(1, self.records, "a report starts with a boot".into())),
            None => return Err(self.incomplete()),
        };
        let mut steps = Vec::new();
        for (index, record) in records.enumerate() {
            let is_last = index + 2 == count;
            match record {
                Record::Step(step) => steps.push(step),
                Record::File(file) if !steps.is_empty() && is_plain(&file.path) => files.push(file),
                Record::End(end) if end.steps == steps.len() && is_last => {
                    return Ok(Verdict { boot, steps, files });
                }
                Record::End(_) | Record::Boot(_) | Record::File(_) => {
                    let text = self.records.lines().nth(index + 1).unwrap_or_default();
                    return Err(self.garbage(index + 2, text, "it is out of place".into()));
                }
            }
        }
        Err(self.incomplete())
    }

    fn incomplete(&self) -> Failure {
        Failure::Incomplete { hint: memory::hint(self.console), tail: self.tail() }
    }

    fn judge_step(&self, boot: &Boot, step: &Step) -> Result<(), Failure> {
        let tail = tail(&format!("output of {}", step.name), &step.output, &self.files.console());
        let name = step.name.clone();
        if name == steps::REFUSAL {
            return features::judge_refusal(&boot.release, step).map_err(|complaint| Failure::Unexpected {
                name,
                complaint,
                tail,
            });
        }
        if !step.ended.is_success() {
            let hint = memory::hint(self.console);
            return Err(Failure::StepFailed { name, ended: step.ended.clone(), hint, tail });
        }
        if name == steps::CONFORMANCE && tests_passed(&step.output) == 0 {
            return Err(Failure::NothingTested { name, tail });
        }
        if name == steps::FEATURES {
            return features::judge(&boot.release, &step.output).map_err(|complaint| Failure::Unexpected {
                name,
                complaint,
                tail,
            });
        }
        Ok(())
    }

    fn tail(&self) -> String {
        tail("console", self.console, &self.files.console())
    }
}

/// Whether `path` stays below the folder it is joined to, whatever wrote it.
fn is_plain(path: &str) -> bool {
    let components = || Path::new(path).components();
    components().next().is_some() && components().all(|component| matches!(component, Component::Normal(_)))
}

fn panic_message(line: &str) -> Option<&str> {
    let start = line.find("Kernel panic - not syncing")?;
    Some(line[start..].trim_end())
}

/// The lines of a test harness that sum up a run.
pub(crate) fn summaries(output: &str) -> impl Iterator<Item = &str> {
    output.lines().map(str::trim).filter(|line| line.starts_with("test result: "))
}

/// How many tests passed, by those lines: `test result: ok. 12 passed; 0 failed; …`.
pub(crate) fn tests_passed(output: &str) -> usize {
    summaries(output)
        .filter_map(|line| line.split_once(" passed;")?.0.rsplit(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    const BOOT: &str =
        r#"{"record":"boot","release":"6.1.0","version":"v","command_line":"c","cpus":2,"uptime_ns":5}"#;
    const END: &str = r#"{"record":"end","steps":1}"#;

    fn step(name: &str, ended: &str, output: &str) -> String {
        let output = serde_json::to_string(output).unwrap();
        format!(
            r#"{{"record":"step","name":"{name}","ended":{ended},"elapsed_ns":7,"strays":0,"output":{output}}}"#
        )
    }

    fn exited(code: i32) -> Ending {
        Ending::Exited(ExitStatus::from_raw(code << 8))
    }

    fn judge(ending: Ending, console: &str, records: &str, wanted: &str) -> Result<Verdict, Failure> {
        let files = Files::create(Path::new("/tmp")).unwrap();
        let messages = "qemu: bad option\n";
        Evidence { ending, console, records, messages, files: &files }.judge(&[wanted.to_string()])
    }

    #[test]
    fn a_complete_report_of_successes_passes() {
        let line = step("probe", r#"{"exit":0}"#, "yes\n");
        let verdict = judge(exited(0), "", &format!("{BOOT}\r\n{line}\r\n{END}\r\n"), "probe").unwrap();
        assert_eq!((verdict.boot.release.as_str(), verdict.steps.len()), ("6.1.0", 1));
    }

    fn file(path: &str) -> String {
        format!(r#"{{"record":"file","path":"{path}","content":"dAo="}}"#)
    }

    #[test]
    fn files_of_a_step_are_part_of_the_verdict() {
        let line = step("quick", r#"{"exit":0}"#, "");
        let records = format!("{BOOT}\n{line}\n{}\n{}\n{END}\n", file("quick/r/a"), file("quick/r/b"));
        let verdict = judge(exited(0), "", &records, "quick").unwrap();
        let paths: Vec<&str> = verdict.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["quick/r/a", "quick/r/b"]);
        assert_eq!(verdict.files[0].content, b"t\n");
    }

    #[test]
    fn a_probe_that_is_not_what_this_kernel_offers_fails() {
        let line = step("features", r#"{"exit":0}"#, "no report\n");
        let failure = judge(exited(0), "", &format!("{BOOT}\n{line}\n{END}\n"), "features").unwrap_err();
        assert!(matches!(failure, Failure::Unexpected { .. }), "{failure}");
    }

    #[test]
    fn a_panic_is_reported_in_the_kernels_words_even_when_time_ran_out() {
        let console = "[ 1.0] start\r\n[ 2.0] Kernel panic - not syncing: Attempted to kill init!\r\n[ 2.1] Rebooting\r\n";
        for ending in [exited(0), Ending::TimedOut] {
            let failure = judge(ending, console, BOOT, "probe").unwrap_err().to_string();
            assert!(
                failure.contains("panicked: Kernel panic - not syncing: Attempted to kill init!"),
                "{failure}"
            );
            assert!(failure.ends_with("    [ 2.1] Rebooting"), "{failure}");
        }
    }

    #[test]
    fn a_guest_that_runs_out_of_memory_fails_for_it_however_it_ends_and_names_the_remedy() {
        let line = step("probe", r#"{"exit":0}"#, "");
        let killed = step("probe", r#"{"signal":9}"#, "");
        let complete = [format!("{BOOT}\n{line}\n{END}\n"), format!("{BOOT}\n{killed}\n{END}\n")];
        let cut_off = [String::new(), format!("{BOOT}\n")];
        let console = "[ 2.7] Out of memory: Killed process 85 (uring-echo) total-vm:9kB\n[ 2.8] end\n";
        for ending in [exited(0), Ending::TimedOut] {
            for records in complete.iter().chain(&cut_off) {
                let failure = judge(ending, console, records, "probe").unwrap_err().to_string();
                assert!(
                    failure.starts_with("the guest ran out of memory; a larger --memory-mib"),
                    "{failure}"
                );
                assert!(failure.contains("Killed process 85 (uring-echo)"), "{failure}");
            }
        }
    }

    #[test]
    fn a_panic_for_want_of_memory_names_the_remedy() {
        let console = "Out of memory and no killable processes...\nKernel panic - not syncing: System is deadlocked on memory\n";
        let failure = judge(exited(0), console, "", "probe").unwrap_err().to_string();
        assert!(failure.contains("--memory-mib") && failure.contains("deadlocked"), "{failure}");
    }

    #[test]
    fn a_time_out_tells_a_boot_from_a_step() {
        let failure = judge(Ending::TimedOut, "[ 0.1] Decompressing\n", "", "probe").unwrap_err().to_string();
        assert!(failure.contains("did not boot") && failure.contains("Decompressing"), "{failure}");
        let failure = judge(Ending::TimedOut, "", BOOT, "probe").unwrap_err().to_string();
        assert!(failure.contains("0 of 1 steps"), "{failure}");
    }

    #[test]
    fn an_emulator_that_fails_is_quoted() {
        let failure = judge(exited(1), "", "", "probe").unwrap_err().to_string();
        assert!(failure.contains("exit status: 1") && failure.contains("bad option"), "{failure}");
    }

    #[test]
    fn a_report_without_an_end_is_incomplete() {
        let line = step("probe", r#"{"exit":0}"#, "");
        for records in [String::new(), BOOT.to_string(), format!("{BOOT}\n{line}\n")] {
            let failure = judge(exited(0), "guest-init: error: x\n", &records, "probe").unwrap_err();
            assert!(matches!(failure, Failure::Incomplete { .. }), "{failure}");
            assert!(failure.to_string().contains("guest-init: error: x"), "{failure}");
        }
    }

    #[test]
    fn a_guest_that_never_spoke_may_want_memory() {
        let failure = judge(exited(0), "", "", "probe").unwrap_err().to_string();
        assert!(failure.contains("--memory-mib"), "{failure}");
    }

    #[test]
    fn what_is_no_record_is_shown_with_its_line() {
        let failure = judge(exited(0), "", &format!("{BOOT}\n\u{1}?nonsense\n{END}\n"), "probe").unwrap_err();
        assert!(matches!(failure, Failure::Garbage { line: 2, .. }), "{failure}");
        assert!(failure.to_string().contains("?nonsense"), "{failure}");
    }

    #[test]
    fn records_out_of_place_are_garbage() {
        let line = step("probe", r#"{"exit":0}"#, "");
        let misplaced = [
            (format!("{line}\n{END}\n"), 1),
            (format!("{BOOT}\n{END}\n"), 2),
            (format!("{BOOT}\n{line}\n{BOOT}\n{END}\n"), 3),
            (format!("{BOOT}\n{line}\n{END}\n{END}\n"), 3),
            (format!("{BOOT}\n{}\n{line}\n{END}\n", file("a")), 2),
            (format!("{BOOT}\n{line}\n{}\n{END}\n", file("../a")), 3),
            (format!("{BOOT}\n{line}\n{}\n{END}\n", file("/a")), 3),
        ];
        for (records, expected) in misplaced {
            let failure = judge(exited(0), "", &records, "probe").unwrap_err();
            assert!(matches!(&failure, Failure::Garbage { line, .. } if *line == expected), "{failure}");
        }
    }

    #[test]
    fn a_report_on_something_else_does_not_pass() {
        let line = step("probe", r#"{"exit":0}"#, "");
        let failure = judge(exited(0), "", &format!("{BOOT}\n{line}\n{END}\n"), "conformance").unwrap_err();
        assert!(matches!(failure, Failure::WrongSteps { .. }), "{failure}");
    }

    #[test]
    fn a_failed_step_is_named_with_the_end_of_its_output() {
        let endings = [
            (r#"{"exit":101}"#, "exit status 101"),
            (r#"{"signal":9}"#, "signal 9"),
            (r#"{"timed_out":30}"#, "deadline of 30 s"),
            (r#"{"not_started":"no file"}"#, "no file"),
        ];
        for (ended, said) in endings {
            let line = step("probe", ended, "assertion failed\n");
            let failure = judge(exited(0), "", &format!("{BOOT}\n{line}\n{END}\n"), "probe").unwrap_err();
            let text = failure.to_string();
            assert!(matches!(failure, Failure::StepFailed { .. }), "{text}");
            assert!(text.contains("step probe failed") && text.contains(said), "{text}");
            assert!(text.contains("    assertion failed"), "{text}");
        }
    }

    #[test]
    fn a_suite_that_ran_no_test_does_not_pass() {
        let run = |output: &str| {
            let line = step("conformance", r#"{"exit":0}"#, output);
            judge(exited(0), "", &format!("{BOOT}\n{line}\n{END}\n"), "conformance")
        };
        let empty =
            run("running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 60 filtered out\n");
        assert!(matches!(empty, Err(Failure::NothingTested { .. })));
        assert!(run("test result: ok. 12 passed; 0 failed; 0 ignored\n").is_ok());
    }
}
