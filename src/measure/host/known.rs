//! A fact that may be out of reach, with the reason written beside its name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A fact about the host, or why it could not be had.
///
/// In JSON a value stands for itself, and a missing one is `{"unavailable": "<reason>"}`: a reader of a record can
/// tell "off" from "nobody could look".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Known<T> {
    // First, because an untagged enum takes the first variant that fits, and a map fits any object.
    /// It could not be had.
    Unavailable(Unavailable),
    /// It is this.
    Value(T),
}

/// Why a fact could not be had, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unavailable {
    /// What was looked at and what went wrong.
    pub unavailable: String,
}

impl<T> Known<T> {
    /// A fact that could not be had.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable(Unavailable { unavailable: reason.into() })
    }

    /// `value`, or `reason` when there is none.
    pub fn from_option(value: Option<T>, reason: impl Into<String>) -> Self {
        value.map_or_else(|| Self::unavailable(reason), Self::Value)
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unavailable(_) => None,
        }
    }

    /// The value turned into something else by a function that cannot fail.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        self.and_then(|value| Known::Value(f(value)))
    }

    /// The value turned into another fact.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Self::Value(value) => f(value),
            Self::Unavailable(why) => Known::Unavailable(why),
        }
    }

    /// This fact or, when it could not be had, the one that `f` finds.
    pub fn or_else(self, f: impl FnOnce() -> Self) -> Self {
        if let Self::Unavailable(_) = self { f() } else { self }
    }
}

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Unavailable(why) => write!(f, "unavailable ({})", why.unavailable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Map = BTreeMap<String, String>;

    #[test]
    fn a_value_is_written_as_itself() {
        assert_eq!(serde_json::to_string(&Known::Value(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Known<u32>>("7").unwrap(), Known::Value(7));
    }

    #[test]
    fn a_missing_value_is_written_out_with_its_reason() {
        let missing = Known::<u32>::unavailable("no such file");
        let json = serde_json::to_string(&missing).unwrap();
        assert_eq!(json, r#"{"unavailable":"no such file"}"#);
        assert_eq!(serde_json::from_str::<Known<u32>>(&json).unwrap(), missing);
    }

    #[test]
    fn a_missing_map_is_not_read_back_as_a_map() {
        let json = serde_json::to_string(&Known::<Map>::unavailable("gone")).unwrap();
        assert_eq!(serde_json::from_str::<Known<Map>>(&json).unwrap(), Known::unavailable("gone"));
        let map = Known::Value(Map::from([("meltdown".to_owned(), "Not affected".to_owned())]));
        let json = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<Known<Map>>(&json).unwrap(), map);
    }

    #[test]
    fn the_second_source_is_asked_only_when_the_first_fails() {
        assert_eq!(Known::Value(1).or_else(|| unreachable!()), Known::Value(1));
        assert_eq!(Known::unavailable("first").or_else(|| Known::Value(2)), Known::Value(2));
    }
}
