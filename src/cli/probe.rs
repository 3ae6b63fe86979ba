//! `uring-echo probe`: what this kernel offers.

use std::io::Write;

use super::output;
use crate::probe::Report;

/// How to tell what this kernel offers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ProbeArgs {
    /// Print JSON for programs instead of a table for people
    #[arg(long)]
    json: bool,
}

/// Probes, and writes the report to `out`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn run(args: ProbeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let report = Report::capture();
    let mut text = if args.json { serde_json::to_string_pretty(&report)? } else { report.to_string() };
    text.push('\n');
    output::write(out, text.as_bytes(), "the report")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(json: bool) -> String {
        let mut out = Vec::new();
        run(ProbeArgs { json }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_for_programs_and_a_table_for_people() {
        assert!(serde_json::from_str::<Report>(&output(true)).is_ok());
        assert!(output(false).starts_with("Linux "));
    }
}
