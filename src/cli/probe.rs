//! `uring-echo probe`: what this kernel offers.

use std::fmt::Display;
use std::io::Write;

use anyhow::Context;
use serde::Serialize;

use super::output;
use crate::probe::Report;
use crate::probe::costs::Costs;

/// How to tell what this kernel offers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ProbeArgs {
    /// Print JSON for programs instead of a table for people
    #[arg(long)]
    json: bool,
    /// Measure instead what it costs to go into the kernel and back: two seconds on one core
    #[arg(long)]
    costs: bool,
}

/// Probes, and writes the report to `out`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn run(args: ProbeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut text = if args.costs {
        in_words(&Costs::measure().context("cannot measure what system calls cost")?, args.json)?
    } else {
        in_words(&Report::capture(), args.json)?
    };
    text.push('\n');
    output::write(out, text.as_bytes(), "the report")
}

fn in_words<T: Serialize + Display>(found: &T, json: bool) -> anyhow::Result<String> {
    Ok(if json { serde_json::to_string_pretty(found)? } else { found.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(json: bool) -> String {
        let mut out = Vec::new();
        run(ProbeArgs { json, costs: false }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_for_programs_and_a_table_for_people() {
        assert!(serde_json::from_str::<Report>(&output(true)).is_ok());
        assert!(output(false).starts_with("Linux "));
    }
}
