//! Quantities that carry their unit in their type.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A time span or a monotonic instant, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// `s` seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// This span in seconds, as a float for rates and display.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// `self - other`, or zero when `other` is later.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    fn from(span: Duration) -> Self {
        Self(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(span: Nanos) -> Self {
        Self::from_nanos(span.0)
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// A size in bytes.
///
/// On a command line a size may carry a binary suffix: `4096`, `64K`, `2M`, `1G`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub usize);

impl Bytes {
    /// `n` KiB.
    pub const fn kib(n: usize) -> Self {
        Self(n << 10)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, shift) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
            Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
            Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
            _ => (text, 0),
        };
        let count: usize =
            digits.parse().map_err(|_| format!("'{text}' is not a size such as 4096, 64K or 2M"))?;
        count.checked_mul(1 << shift).map(Self).ok_or_else(|| format!("'{text}' is too large a size"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_reads_with_and_without_a_binary_suffix() {
        assert_eq!("4096".parse(), Ok(Bytes(4096)));
        assert_eq!("64K".parse(), Ok(Bytes(65_536)));
        assert_eq!("2m".parse(), Ok(Bytes(2 << 20)));
    }

    #[test]
    fn a_size_that_is_no_number_or_overflows_is_refused() {
        assert!("".parse::<Bytes>().is_err());
        assert!("K".parse::<Bytes>().is_err());
        assert!("-1".parse::<Bytes>().is_err());
        assert!("99999999999999999G".parse::<Bytes>().is_err());
    }
}
