//! Checks of single values, each with the place of what it refuses.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;

use super::SpecError;
use super::error::Source;

/// A list as it stands in the file.
pub(super) type List<T> = Spanned<Vec<Spanned<T>>>;

pub(super) fn name(
    source: Source<'_>,
    key: &str,
    name: &str,
    span: &Range<usize>,
) -> Result<String, SpecError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        let reason =
            format!("'{name}' must be lower-case letters, digits and '-': it names folders and rows");
        return Err(source.fault(key, span, reason));
    }
    Ok(name.into())
}

pub(super) fn prose(source: Source<'_>, key: &str, text: &Spanned<String>) -> Result<String, SpecError> {
    let words: Vec<_> = text.get_ref().split_whitespace().collect();
    if words.is_empty() {
        return Err(source.fault(key, &text.span(), "is empty"));
    }
    Ok(words.join(" "))
}

/// The levels of a list: in range, and none twice.
pub(super) fn levels<T: PartialOrd + Copy + fmt::Display>(
    source: Source<'_>,
    key: &str,
    raw: &List<T>,
    range: &RangeInclusive<T>,
) -> Result<Vec<T>, SpecError> {
    not_empty(source, key, raw)?;
    let mut levels = Vec::new();
    for entry in raw.get_ref() {
        let level = within(source, key, entry, range)?;
        if levels.contains(&level) {
            return Err(source.fault(key, &entry.span(), format!("{level} is listed twice")));
        }
        levels.push(level);
    }
    Ok(levels)
}

/// The levels of a list that may be missing; then the only level is `None`.
pub(super) fn optional<T: PartialOrd + Copy + fmt::Display>(
    source: Source<'_>,
    key: &str,
    raw: Option<&List<T>>,
    range: &RangeInclusive<T>,
) -> Result<Vec<Option<T>>, SpecError> {
    match raw {
        None => Ok(vec![None]),
        Some(raw) => Ok(levels(source, key, raw, range)?.into_iter().map(Some).collect()),
    }
}

pub(super) fn not_empty<T>(source: Source<'_>, key: &str, list: &Spanned<Vec<T>>) -> Result<(), SpecError> {
    if list.get_ref().is_empty() {
        return Err(source.fault(key, &list.span(), "lists nothing, so there would be nothing to run"));
    }
    Ok(())
}

pub(super) fn within<T: PartialOrd + Copy + fmt::Display>(
    source: Source<'_>,
    key: &str,
    value: &Spanned<T>,
    range: &RangeInclusive<T>,
) -> Result<T, SpecError> {
    if range.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let (value, span) = (value.get_ref(), value.span());
    Err(source.fault(key, &span, format!("{value} is outside {} to {}", range.start(), range.end())))
}
