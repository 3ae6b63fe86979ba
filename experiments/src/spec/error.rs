//! Why a specification was refused, and where.

use std::fmt;
use std::ops::Range;

/// A fault in a specification file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// The file as the user named it.
    pub file: String,
    /// Line of the fault, counted from 1.
    pub line: usize,
    /// The key at fault, with its tables: `mode.stream.window_s`. Empty when the text is not TOML at all.
    pub key: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SpecError {}

/// The text an error points into.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn fault(self, key: &str, span: &Range<usize>, reason: impl Into<String>) -> SpecError {
        let line = self.line_of(span.start);
        SpecError { file: self.file.into(), line, key: key.into(), reason: reason.into() }
    }

    /// A fault that the TOML reader found. It knows the place; the key is read from the text around it.
    pub(super) fn toml_fault(self, error: &toml::de::Error) -> SpecError {
        let span = error.span().unwrap_or_default();
        let reason = error.message().replace('\n', ", ");
        self.fault(&self.key_before(span.start, &reason), &span, reason)
    }

    fn line_of(self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    fn key_before(self, offset: usize, reason: &str) -> String {
        // The reader quotes the key when it is the key that is wrong: unknown, missing or given twice.
        if let Some(quoted) = reason.split('`').nth(1).filter(|_| reason.contains("field")) {
            return quoted.into();
        }
        let line_end = self.text[offset..].find('\n').map_or(self.text.len(), |length| offset + length);
        let is_key = |key: &&str| {
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let mut keys = self.text[..line_end].lines().filter_map(|line| Some(line.split_once('=')?.0.trim()));
        keys.rfind(is_key).unwrap_or_default().into()
    }
}
