//! What a check found, and how it comes to say so.

use std::fmt;

use serde::Serialize;
use uring_echo::measure::host::Known;

/// How a setting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As a measurement wants it.
    Pass,
    /// It could not be looked at.
    Unavailable,
    /// It bends a measurement.
    Warn,
    /// No measurement made like this means anything, or none can be made.
    Fail,
}

impl Level {
    /// [`Self::Pass`] if the setting is fine, else [`Self::Warn`].
    pub fn warn_unless(is_fine: bool) -> Self {
        if is_fine { Self::Pass } else { Self::Warn }
    }

    /// [`Self::Pass`] if the setting is fine, else [`Self::Fail`].
    pub fn fail_unless(is_fine: bool) -> Self {
        if is_fine { Self::Pass } else { Self::Fail }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Unavailable => "unavailable",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        })
    }
}

/// A file of the kernel and what to write to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Write {
    /// The file, as the machine knows it.
    pub path: String,
    /// The new value.
    pub value: String,
}

impl Write {
    /// `value` into `path`.
    pub fn new(path: impl Into<String>, value: impl Into<String>) -> Self {
        Self { path: path.into(), value: value.into() }
    }
}

/// What a check is about.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name, stable.
    pub name: &'static str,
    /// How the setting moves a measurement.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check.
    pub check: &'static str,
    /// How the setting stands.
    pub level: Level,
    /// What it is, or why it is not known.
    pub value: String,
    /// How the setting moves a measurement.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: String,
    /// What `--apply` would write; nothing if the setting is fine or out of its reach.
    pub fix: Vec<Write>,
}

impl Check {
    /// The finding that `value` is at `level`.
    pub fn found(self, level: Level, value: impl Into<String>) -> Finding {
        let Self { name, why, remedy } = self;
        Finding { check: name, level, value: value.into(), why, remedy: remedy.into(), fix: Vec::new() }
    }

    /// The finding on `fact`: at the level that `judge` gives it, or that it could not be looked at.
    pub fn judge<T: fmt::Display>(self, fact: &Known<T>, judge: impl FnOnce(&T) -> Level) -> Finding {
        match fact {
            Known::Value(value) => self.found(judge(value), value.to_string()),
            Known::Unavailable(_) => self.found(Level::Unavailable, fact.to_string()),
        }
    }
}

impl Finding {
    /// With what `--apply` would write, unless there is nothing to mend.
    pub fn mended_by(mut self, fix: impl IntoIterator<Item = Write>) -> Self {
        if self.level >= Level::Warn {
            self.fix = fix.into_iter().collect();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: Check = Check { name: "turbo", why: "it drifts", remedy: "turn it off" };

    #[test]
    fn what_could_not_be_looked_at_neither_passes_nor_is_mended() {
        let finding = CHECK.judge(&Known::<u32>::unavailable("no such file"), |_| Level::Pass);
        assert_eq!(finding.level, Level::Unavailable);
        assert_eq!(finding.value, "unavailable (no such file)");
        assert!(finding.mended_by([Write::new("/a", "1")]).fix.is_empty());
    }

    #[test]
    fn only_what_is_wrong_is_mended() {
        let fix = || [Write::new("/a", "1")];
        assert!(CHECK.found(Level::Pass, "1").mended_by(fix()).fix.is_empty());
        assert_eq!(CHECK.found(Level::Warn, "0").mended_by(fix()).fix, fix());
    }
}
