//! What a message costs in instructions on each kernel that it was counted on.

use std::collections::BTreeMap;
use std::path::Path;

use experiments::recording::Recording;
use experiments::report::format::grouped;
use experiments::report::trend::{Kernel, Trend};
use experiments::spec::factors::Factors;
use experiments::verdict::Comparison;

use crate::figure::input::{reader_name, say, title};
use crate::markdown::{self, Head};
use crate::recording::{OF_EACH_KERNEL, folders};

/// The newest recording on each kernel below `results`; `None` without any.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn read(results: &Path) -> anyhow::Result<Option<Trend>> {
    let folder = results.join(OF_EACH_KERNEL);
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut newest = BTreeMap::new();
    for folder in folders(&folder)? {
        let recording = Recording::open(&folder)?;
        newest.insert(recording.kernel_release()?, recording);
    }
    let recordings: Vec<_> = newest.into_values().collect();
    (!recordings.is_empty()).then(|| Trend::of(&recordings)).transpose()
}

/// Instructions a message and their ratio by kernel, as Markdown.
pub(crate) fn table(trend: Option<&Trend>) -> String {
    let Some(trend) = trend else { return "No recording counts on several kernels.\n".to_owned() };
    let versions = trend.kernels.iter().map(|kernel| Head::numbers(kernel.version.to_string()));
    let heads: Vec<Head> =
        ["cell", "instructions a message"].map(Head::words).into_iter().chain(versions).collect();
    let mut rows: Vec<Vec<String>> = trend.cells.iter().flat_map(|cell| rows(trend, cell)).collect();
    rows.push(row(trend, ["conformance", "tests passed"].map(str::to_owned), |kernel| {
        Some(kernel.passed?.to_string())
    }));
    markdown::table(&heads, &rows)
}

fn rows(trend: &Trend, cell: &Factors) -> Vec<Vec<String>> {
    let mut name = format!("{}, {}", title(cell.workload()), say(cell));
    let mut first = || std::mem::take(&mut name);
    let count = |server: &String| {
        let heads = [first(), reader_name(server)];
        row(trend, heads, |kernel| Some(grouped(kernel.instructions(cell, server)?)))
    };
    let mut rows: Vec<Vec<String>> = trend.servers.iter().map(count).collect();
    rows.extend(trend.comparisons.iter().map(|of| {
        row(trend, [String::new(), divided(of)], |kernel| Some(format!("{:.3}", kernel.ratio(cell, of)?)))
    }));
    rows
}

fn divided(of: &Comparison) -> String {
    format!("{} ÷ {}", reader_name(&of.of), reader_name(&of.to))
}

fn row(trend: &Trend, heads: [String; 2], value: impl Fn(&Kernel) -> Option<String>) -> Vec<String> {
    let values = trend.kernels.iter().map(|kernel| value(kernel).unwrap_or_else(|| "–".to_owned()));
    heads.into_iter().chain(values).collect()
}
