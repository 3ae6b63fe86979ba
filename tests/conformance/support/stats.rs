//! The stats file of a server, read while it is written.

use std::fs;
use std::path::Path;

use uring_echo::measure::counters::StatsLine;

/// The whole lines that `path` holds so far.
pub(crate) fn read(path: &Path) -> Vec<StatsLine> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("stats line '{line}': {error}")))
        .collect()
}
