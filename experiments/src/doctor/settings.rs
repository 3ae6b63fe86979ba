//! Changing settings of the machine so that they can be put back, whatever happens in between.
//!
//! The previous values are on disk before the first change. They are kept below /run, which a reboot empties as it
//! resets the settings; the id of the boot beside them settles it where /run is an ordinary directory.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use uring_echo::measure::host::Tree;
use uring_echo::record::write_whole;

use super::finding::Write;
use crate::recording::timestamp;

/// Where the previous values are kept.
const STATE: &str = "/run/uring-echo/doctor.json";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Settings that were changed and not yet put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Which boot they were changed in; a later one has reset them.
    boot_id: Option<String>,
    /// When the first of them was changed, in milliseconds since 1970-01-01 UTC.
    pub since_unix_ms: u64,
    /// Whether all changes were made. If not, whoever made them was cut off.
    pub is_complete: bool,
    /// The settings, in the order of their changes.
    pub settings: Vec<Setting>,
}

/// A setting and its value before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The file, as the machine knows it.
    pub path: String,
    /// What it held.
    pub previous: String,
    /// What was written to it.
    pub applied: String,
}

/// What became of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The files that were written.
    pub written: Vec<String>,
    /// The files that the kernel did not let be written, each with its reason.
    pub refused: Vec<String>,
}

/// Changes settings of one machine.
#[derive(Clone, Debug)]
pub struct Settings {
    tree: Tree,
}

impl Settings {
    /// Those of the machine below `root`.
    pub fn new(root: &Path) -> Self {
        Self { tree: Tree::new(root) }
    }

    /// What is changed and not put back.
    ///
    /// # Errors
    /// When the file that says so is no such file.
    pub fn changed(&self) -> anyhow::Result<Option<Changed>> {
        let path = self.tree.locate(STATE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let changed: Changed = serde_json::from_slice(&text).with_context(|| {
            format!("{} does not hold settings to restore; look into it, then remove it", path.display())
        })?;
        Ok((changed.boot_id == self.boot_id()).then_some(changed))
    }

    /// Writes `writes`, having remembered what was there. What an earlier call remembered stays remembered.
    ///
    /// # Errors
    /// When the previous values cannot be kept: then nothing is changed.
    pub fn apply(&self, writes: &[Write]) -> anyhow::Result<Outcome> {
        self.apply_by(writes, write)
    }

    fn apply_by(
        &self,
        writes: &[Write],
        write: impl Fn(&Path, &str) -> io::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut changed = self.changed()?.unwrap_or_else(|| self.nothing_changed());
        let known = |writing: &&Write| match self.value(&writing.path) {
            Ok(_) => true,
            Err(error) => {
                outcome.refused.push(format!("{}: {error}", writing.path));
                false
            }
        };
        let writes: Vec<&Write> = writes.iter().filter(known).collect();
        writes.iter().try_for_each(|writing| changed.note(writing, || self.value(&writing.path)))?;
        changed.is_complete = false;
        self.keep(&changed)?;
        for Write { path, value } in writes {
            match write(&self.tree.locate(path), value) {
                Ok(()) => outcome.written.push(path.clone()),
                Err(error) => outcome.refused.push(format!("{path}: {error}")),
            }
        }
        changed.is_complete = true;
        changed.settings.retain(|setting| self.is_different(setting));
        self.keep(&changed)?;
        Ok(outcome)
    }

    /// Puts back every setting that was changed. What cannot be put back stays remembered.
    ///
    /// # Errors
    /// When the file with the previous values cannot be read or renewed.
    pub fn restore(&self) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        let Some(mut changed) = self.changed()? else {
            self.forget()?;
            return Ok(outcome);
        };
        let different = changed.settings.iter().rev().filter(|setting| self.is_different(setting));
        for Setting { path, previous, .. } in different {
            match write(&self.tree.locate(path), previous) {
                Ok(()) => outcome.written.push(path.clone()),
                Err(error) => outcome.refused.push(format!("{path}: {error}")),
            }
        }
        changed.settings.retain(|setting| self.is_different(setting));
        self.keep(&changed)?;
        Ok(outcome)
    }

    fn nothing_changed(&self) -> Changed {
        let (boot_id, since_unix_ms) = (self.boot_id(), timestamp::unix_ms());
        Changed { boot_id, since_unix_ms, is_complete: true, settings: Vec::new() }
    }

    fn boot_id(&self) -> Option<String> {
        self.tree.text(BOOT_ID).value().cloned()
    }

    /// The value in force. Of alternatives such as `always [madvise] never` it is the one in brackets.
    fn value(&self, path: &str) -> io::Result<String> {
        let text = fs::read_to_string(self.tree.locate(path))?;
        let bracketed = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        Ok(bracketed.map_or_else(|| text.trim(), |(value, _)| value).to_owned())
    }

    fn is_different(&self, setting: &Setting) -> bool {
        self.value(&setting.path).map_or(true, |value| value != setting.previous)
    }

    fn keep(&self, changed: &Changed) -> anyhow::Result<()> {
        if changed.settings.is_empty() {
            return self.forget();
        }
        let path = self.tree.locate(STATE);
        let written = fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| write_whole(&path, &serde_json::to_vec_pretty(changed)?));
        written.with_context(|| {
            format!("cannot keep the previous values in {}; changing settings needs root", path.display())
        })
    }

    fn forget(&self) -> anyhow::Result<()> {
        let path: PathBuf = self.tree.locate(STATE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }
}

impl Changed {
    /// Remembers what `writing` replaces, unless an earlier change of the same file already has.
    fn note(&mut self, writing: &Write, previous: impl FnOnce() -> io::Result<String>) -> io::Result<()> {
        let Write { path, value } = writing.clone();
        match self.settings.iter_mut().find(|setting| setting.path == path) {
            Some(setting) => setting.applied = value,
            None => self.settings.push(Setting { path, previous: previous()?, applied: value }),
        }
        Ok(())
    }
}

/// In one write and without creating a file, as the kernel wants it.
fn write(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).truncate(true).open(path)?.write_all(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::Machine;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    const WATCHDOG: &str = "/proc/sys/kernel/nmi_watchdog";
    const MIGRATION: &str = "/proc/sys/kernel/timer_migration";
    const HUGEPAGES: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

    fn machine() -> (Machine, Settings) {
        let machine = Machine::quiet();
        machine.write(&WATCHDOG[1..], "1\n");
        machine.write(&MIGRATION[1..], "1\n");
        machine.write(&HUGEPAGES[1..], "[always] madvise never\n");
        let settings = Settings::new(machine.root());
        (machine, settings)
    }

    fn writes() -> [Write; 3] {
        [Write::new(WATCHDOG, "0"), Write::new(MIGRATION, "0"), Write::new(HUGEPAGES, "madvise")]
    }

    fn values(settings: &Settings) -> [String; 3] {
        [WATCHDOG, MIGRATION, HUGEPAGES].map(|path| settings.value(path).unwrap())
    }

    #[test]
    fn what_was_applied_is_restored_and_then_forgotten() {
        let (machine, settings) = machine();
        let outcome = settings.apply(&writes()).unwrap();
        assert_eq!((outcome.written.len(), outcome.refused.len()), (3, 0));
        assert_eq!(values(&settings), ["0", "0", "madvise"]);
        assert!(settings.changed().unwrap().unwrap().is_complete);
        settings.restore().unwrap();
        assert_eq!(values(&settings), ["1", "1", "always"]);
        assert_eq!(settings.changed().unwrap(), None);
        assert!(!machine.root().join("run/uring-echo/doctor.json").exists());
    }

    #[test]
    fn the_previous_values_are_kept_before_the_first_change() {
        let (_machine, settings) = machine();
        let died = catch_unwind(AssertUnwindSafe(|| {
            settings.apply_by(&writes(), |_, _| panic!("killed before the first change"))
        }));
        assert!(died.is_err());
        let changed = settings.changed().unwrap().expect("remembered");
        let previous: Vec<_> = changed.settings.iter().map(|setting| setting.previous.as_str()).collect();
        assert_eq!((changed.is_complete, previous), (false, vec!["1", "1", "always"]));
    }

    #[test]
    fn changes_that_were_cut_off_are_restored_with_those_never_made() {
        let (_machine, settings) = machine();
        let died = catch_unwind(AssertUnwindSafe(|| {
            settings.apply_by(&writes(), |path, value| {
                assert!(!path.ends_with("timer_migration"), "killed between two changes");
                write(path, value)
            })
        }));
        assert!(died.is_err());
        assert_eq!(values(&settings), ["0", "1", "always"]);
        let outcome = settings.restore().unwrap();
        assert_eq!(outcome.written, [WATCHDOG]);
        assert_eq!(values(&settings), ["1", "1", "always"]);
        assert_eq!(settings.changed().unwrap(), None);
    }

    #[test]
    fn applying_again_keeps_the_first_previous_values() {
        let (_machine, settings) = machine();
        settings.apply(&writes()[..1]).unwrap();
        settings.apply(&[Write::new(WATCHDOG, "2"), Write::new(MIGRATION, "0")]).unwrap();
        settings.restore().unwrap();
        assert_eq!(values(&settings), ["1", "1", "always"]);
    }

    #[test]
    fn a_setting_that_cannot_be_written_is_named_and_the_others_are_made() {
        let (_machine, settings) = machine();
        let writes = [&[Write::new("/proc/sys/absent", "1")], &writes()[..]].concat();
        let refuse_watchdog = |path: &Path, value: &str| match path.ends_with("nmi_watchdog") {
            true => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
            false => write(path, value),
        };
        let outcome = settings.apply_by(&writes, refuse_watchdog).unwrap();
        assert_eq!((outcome.written.len(), outcome.refused.len()), (2, 2), "{outcome:?}");
        assert!(outcome.refused[1].starts_with(WATCHDOG), "{outcome:?}");
        let remembered = settings.changed().unwrap().unwrap().settings;
        assert!(remembered.iter().all(|setting| setting.path != WATCHDOG), "{remembered:?}");
    }

    #[test]
    fn settings_of_an_earlier_boot_are_not_restored_into_this_one() {
        let (machine, settings) = machine();
        settings.apply(&writes()).unwrap();
        machine.write("proc/sys/kernel/random/boot_id", "2222-3333\n");
        assert_eq!(settings.changed().unwrap(), None);
        assert_eq!(settings.restore().unwrap(), Outcome::default());
        assert_eq!(machine.read(&WATCHDOG[1..]), "0");
    }

    #[test]
    fn nothing_is_changed_when_the_previous_values_cannot_be_kept() {
        let (machine, settings) = machine();
        machine.write("run/uring-echo", "a file where a directory should be");
        let error = format!("{:#}", settings.apply(&writes()).unwrap_err());
        assert!(
            error.contains("cannot keep the previous values") || error.contains("cannot read"),
            "{error}"
        );
        assert_eq!(values(&settings), ["1", "1", "always"]);
    }

    #[test]
    fn a_file_that_holds_something_else_is_not_taken_for_previous_values() {
        let (machine, settings) = machine();
        machine.write("run/uring-echo/doctor.json", "{}");
        let error = format!("{:#}", settings.restore().unwrap_err());
        assert!(error.contains("does not hold settings to restore"), "{error}");
    }
}
