//! `uring-echo strategies`: every way to echo that there is to choose from, and whether this kernel has it.

use std::io::Write;

use serde::Serialize;

use super::output;
use crate::kernel_version::KernelVersion;
use crate::server::shell::described::Described;
use crate::server::strategies;
use crate::table::{Row, left, render};

/// How to tell of them.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct StrategiesArgs {
    /// Print JSON for programs instead of a table for people
    #[arg(long)]
    json: bool,
}

/// One strategy, as a program reads it.
#[derive(Debug, Serialize)]
struct Told {
    engine: &'static str,
    name: &'static str,
    since: KernelVersion,
    available: bool,
    /// Why it is not available.
    reason: Option<String>,
    summary: &'static str,
}

impl From<&Described> for Told {
    fn from(described: &Described) -> Self {
        let &Described { engine, name, since, summary, .. } = described;
        let refusal = described.require().err();
        let reason = refusal.map(|refusal| refusal.to_string());
        Self { engine, name, since, available: reason.is_none(), reason, summary }
    }
}

/// Tries what each strategy needs, and writes the list to `out`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn run(args: StrategiesArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let told: Vec<Told> = strategies::all().map(Told::from).collect();
    let mut text = if args.json { serde_json::to_string_pretty(&told)? } else { table(&told) };
    text.push('\n');
    output::write(out, text.as_bytes(), "the strategies")
}

fn table(told: &[Told]) -> String {
    let columns = [
        left("engine", ""),
        left("strategy", ""),
        left("since", ""),
        left("here", ""),
        left("what it does", ""),
    ];
    let row = |one: &Told| {
        let here = if one.available { "yes" } else { "no" };
        let words = [one.engine, one.name, &one.since.to_string(), here, one.summary];
        Row::Cells(words.map(str::to_owned).into())
    };
    let rows: Vec<Row> = told.iter().map(row).collect();
    let reasons =
        told.iter().filter_map(|one| Some(format!("{} {}: {}", one.engine, one.name, one.reason.as_ref()?)));
    render(&columns, &rows).into_iter().chain(reasons).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_available_is_told_with_its_reason() {
        let told = |reason: Option<&str>| Told {
            engine: "uring",
            name: "later",
            since: KernelVersion::new(9, 9),
            available: reason.is_none(),
            reason: reason.map(str::to_owned),
            summary: "does more",
        };
        let text = table(&[told(None), told(Some("Linux 6.1 is too old"))]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].ends_with("9.9    yes   does more"), "{text}");
        assert_eq!(lines[4], "uring later: Linux 6.1 is too old");
    }

    #[test]
    fn each_name_is_told_once_and_the_defaults_are_there() {
        let mut out = Vec::new();
        run(StrategiesArgs { json: true }, &mut out).unwrap();
        let list: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        let mut names: Vec<String> =
            list.iter().map(|one| format!("{} {}", one["engine"], one["name"])).collect();
        assert!(names.contains(&r#""uring" "alternate""#.to_owned()), "{names:?}");
        assert!(names.contains(&r#""epoll" "edge""#.to_owned()), "{names:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), list.len());
    }
}
