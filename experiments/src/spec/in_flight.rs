//! How much of a stream may be on its way: short queues or deep ones.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uring_echo::client::IN_FLIGHT_MAX;
use uring_echo::units::Bytes;

use crate::report::format;

/// Most bytes of a connection that are sent and not yet back.
///
/// A file and a command line write it as a number, as a size such as `"16M"`, or as `"unbounded"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InFlight {
    /// This many bytes.
    AtMost(usize),
    /// As many as the sockets take, which is the load of the 2023 study.
    Unbounded,
}

/// The word for [`InFlight::Unbounded`].
const UNBOUNDED: &str = "unbounded";

impl InFlight {
    /// What the client is told. It takes no higher bound, and no socket holds as much.
    pub const fn bytes(self) -> Bytes {
        match self {
            Self::AtMost(bytes) => Bytes(bytes),
            Self::Unbounded => IN_FLIGHT_MAX,
        }
    }

    /// For people: `16 MiB in flight`.
    pub fn in_words(self) -> String {
        match self {
            Self::AtMost(bytes) => format!("{} in flight", format::bytes(bytes)),
            Self::Unbounded => format!("{UNBOUNDED} in flight"),
        }
    }

    /// As a part of a cell's key: `inflight16777216`, `inflight-unbounded`.
    pub fn key(self) -> String {
        match self {
            Self::AtMost(bytes) => format!("inflight{bytes}"),
            Self::Unbounded => format!("inflight-{UNBOUNDED}"),
        }
    }
}

/// As a level that a filter names: `16777216`, `unbounded`.
impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bytes) => bytes.fmt(f),
            Self::Unbounded => f.write_str(UNBOUNDED),
        }
    }
}

impl FromStr for InFlight {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == UNBOUNDED {
            return Ok(Self::Unbounded);
        }
        let Bytes(bytes) = text.parse().map_err(|reason| format!("{reason}, nor \"{UNBOUNDED}\""))?;
        Ok(Self::AtMost(bytes))
    }
}

impl Serialize for InFlight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AtMost(bytes) => bytes.serialize(serializer),
            Self::Unbounded => UNBOUNDED.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for InFlight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Level(level) = Level::deserialize(deserializer)?;
        level.ok_or_else(|| D::Error::custom(format!("\"{DEFAULT}\" is no bound of its own")))
    }
}

/// A level in a file. The word `"default"` leaves the bound to the client: its share of 128 MiB, 256 KiB at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level(pub(super) Option<InFlight>);

/// The word for a bound that is the client's own.
pub(super) const DEFAULT: &str = "default";

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = Level;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number of bytes, a size such as \"16M\", \"{UNBOUNDED}\" or \"{DEFAULT}\"")
            }

            fn visit_u64<E: Error>(self, bytes: u64) -> Result<Level, E> {
                let bytes = usize::try_from(bytes).map_err(E::custom)?;
                Ok(Level(Some(InFlight::AtMost(bytes))))
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Level, E> {
                let bytes = usize::try_from(bytes).map_err(E::custom)?;
                Ok(Level(Some(InFlight::AtMost(bytes))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Level, E> {
                match text {
                    DEFAULT => Ok(Level(None)),
                    bound => bound.parse().map(|bound| Level(Some(bound))).map_err(E::custom),
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_number_a_size_or_a_word_and_nothing_else() {
        let of = |json: &str| serde_json::from_str::<InFlight>(json).map_err(|error| error.to_string());
        assert_eq!(of("262144"), Ok(InFlight::AtMost(262_144)));
        assert_eq!(of("\"16M\""), Ok(InFlight::AtMost(16 << 20)));
        assert_eq!(of("\"unbounded\""), Ok(InFlight::Unbounded));
        assert!(of("\"deep\"").unwrap_err().contains("nor \"unbounded\""));
        assert!(of("\"default\"").unwrap_err().contains("no bound of its own"));
        assert!(of("-1").is_err() && of("true").is_err());
    }

    #[test]
    fn a_bound_survives_json_and_a_command_line() {
        for level in [InFlight::AtMost(262_144), InFlight::Unbounded] {
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(serde_json::from_str::<InFlight>(&json).unwrap(), level, "{json}");
            assert_eq!(level.to_string().parse(), Ok(level));
        }
    }
}
