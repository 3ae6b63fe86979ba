//! Kernel releases, as far as they decide what is there: `6.18.44-generic` is 6.18.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Releases of Linux from 6.0 to 6.19, after which came 7.0.
const RELEASES_OF_6: u16 = 20;

/// A Linux release without its patch level: a feature arrives with a major and minor number.
///
/// Distributions carry features back to older numbers, so a version explains a refusal and never predicts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KernelVersion {
    major: u16,
    minor: u16,
}

impl KernelVersion {
    /// The release that runs. `None` if /proc is not there to say.
    pub fn running() -> Option<Self> {
        std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?.trim().parse().ok()
    }

    /// How many releases it lies behind 6.0, one about every ten weeks: 7.0 came after 6.19. `None` before 6.0 and from 8.0 on.
    pub fn releases_since_6_0(self) -> Option<u16> {
        match self.major {
            6 => Some(self.minor),
            7 => Some(RELEASES_OF_6 + self.minor),
            _ => None,
        }
    }

    /// The release that is so many behind 6.0.
    pub fn after_6_0(releases: u16) -> Self {
        let of_7 = releases.checked_sub(RELEASES_OF_6);
        of_7.map_or(Self::new(6, releases), |minor| Self::new(7, minor))
    }

    /// Linux `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` keeps the width that a table asks for.
        f.pad(&format!("{}.{}", self.major, self.minor))
    }
}

/// Text that does not start with two numbers and a dot between them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a kernel release such as 6.18.44-generic")]
pub struct NotARelease(String);

impl FromStr for KernelVersion {
    type Err = NotARelease;

    fn from_str(release: &str) -> Result<Self, NotARelease> {
        let mut parts = release.split('.');
        let mut number = || {
            let part = parts.next()?;
            let digits = part.find(|c: char| !c.is_ascii_digit()).map_or(part, |end| &part[..end]);
            digits.parse().ok()
        };
        match (number(), number()) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(NotARelease(release.to_owned())),
        }
    }
}

impl From<KernelVersion> for String {
    fn from(version: KernelVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for KernelVersion {
    type Error = NotARelease;

    fn try_from(text: String) -> Result<Self, NotARelease> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_counted_across_the_series_and_back() {
        for (release, count) in [("6.1", 1), ("6.19", 19), ("7.0", 20), ("7.3", 23)] {
            let version: KernelVersion = release.parse().unwrap();
            assert_eq!(version.releases_since_6_0(), Some(count));
            assert_eq!(KernelVersion::after_6_0(count), version);
        }
    }

    #[test]
    fn releases_of_distributions_are_read() {
        let version = |release: &str| release.parse::<KernelVersion>();
        assert_eq!(version("6.18.44-fc-v657"), Ok(KernelVersion::new(6, 18)));
        assert_eq!(version("6.1.0-37-amd64"), Ok(KernelVersion::new(6, 1)));
        assert_eq!(version("6.13-rc2"), Ok(KernelVersion::new(6, 13)));
        assert_eq!(version("4.19"), Ok(KernelVersion::new(4, 19)));
    }

    #[test]
    fn text_without_two_numbers_is_no_release() {
        for text in ["", "6", "six.one", "6.", ".1"] {
            assert!(text.parse::<KernelVersion>().is_err(), "'{text}'");
        }
    }

    #[test]
    fn minor_numbers_are_compared_as_numbers() {
        assert!(KernelVersion::new(6, 9) < KernelVersion::new(6, 10));
        assert!(KernelVersion::new(5, 19) < KernelVersion::new(6, 0));
    }

    #[test]
    fn a_version_is_a_string_in_json() {
        let version = KernelVersion::new(6, 10);
        let json = serde_json::to_string(&version).unwrap();
        assert_eq!(json, r#""6.10""#);
        assert_eq!(serde_json::from_str::<KernelVersion>(&json).unwrap(), version);
    }
}
