//! `uring-echo probe`: what this kernel offers.

use std::io::Write;

use anyhow::Context;

use crate::probe::Report;

/// Tell what this kernel offers to the two servers, and why not where it does not.
///
/// Takes no privileges and changes nothing. Exits with 0 when a report was made, whatever it says; the verdict is
/// in its second and third line, and in JSON under `.servers.epoll.state` and `.servers.uring.state`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// Print JSON for programs instead of a table for people.
    #[arg(long)]
    json: bool,
}

/// Probes, and writes the report to `out`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn run(args: Args, out: &mut impl Write) -> anyhow::Result<()> {
    let report = Report::capture();
    let text = if args.json { serde_json::to_string_pretty(&report)? } else { report.to_string() };
    writeln!(out, "{text}").context("cannot write the report")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(json: bool) -> String {
        let mut out = Vec::new();
        run(Args { json }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_for_programs_and_a_table_for_people() {
        assert!(serde_json::from_str::<Report>(&output(true)).is_ok());
        assert!(output(false).starts_with("Linux "));
    }

    #[test]
    fn a_full_disk_is_an_error_and_not_a_short_report() {
        let error = run(Args { json: true }, &mut &mut [0_u8; 16][..]).unwrap_err();
        assert_eq!(error.to_string(), "cannot write the report");
    }
}
