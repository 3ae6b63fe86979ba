//! What the doctor says, to people and to programs.

use serde_json::json;
use uring_echo::table::{self, Column, Row, left};
use uring_echo::words::plural;

use super::facts::Facts;
use super::finding::{Finding, Level};
use super::settings::Changed;
use crate::recording::timestamp;
use crate::report::format::wrap;

/// The findings as a table, what is wrong explained below it.
pub(super) fn table(findings: &[Finding]) -> String {
    const COLUMNS: [Column; 3] = [left("", ""); 3];
    let row = |finding: &Finding| {
        Row::Cells(vec![finding.level.to_string(), finding.check.into(), finding.value.clone()])
    };
    let mut lines = table::render(&COLUMNS, &findings.iter().map(row).collect::<Vec<_>>());
    let wrong = findings.iter().filter(|finding| finding.level >= Level::Warn);
    lines.extend(
        wrong.map(|finding| format!("\n{}: {}\n  {}", finding.check, finding.value, explained(finding))),
    );
    lines.join("\n") + "\n"
}

fn explained(finding: &Finding) -> String {
    let prose = format!("{}. Remedy: {}", capitalised(finding.why), finding.remedy);
    wrap(&prose).join("\n  ")
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How many findings there are of each level, and what can be done at once.
pub(super) fn summary(findings: &[Finding]) -> String {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let mendable: Vec<&str> =
        findings.iter().filter(|finding| !finding.fix.is_empty()).map(|finding| finding.check).collect();
    let counts = format!(
        "{}: {} pass, {} warn, {} fail, {} unavailable.",
        plural(findings.len(), "check"),
        count(Level::Pass),
        count(Level::Warn),
        count(Level::Fail),
        count(Level::Unavailable)
    );
    match mendable.as_slice() {
        [] => counts,
        _ => format!("{counts} As root, doctor --apply sets {}.", mendable.join(", ")),
    }
}

/// What is changed and not put back, if anything.
pub(super) fn leftover(changed: Option<&Changed>) -> Option<String> {
    let changed = changed?;
    let since = timestamp::utc(changed.since_unix_ms);
    let list = |(index, setting): (usize, &super::settings::Setting)| {
        format!("{}{} (was '{}')", if index > 0 { ", " } else { "" }, setting.path, setting.previous)
    };
    let settings: String = changed.settings.iter().enumerate().map(list).collect();
    Some(if changed.is_complete {
        format!("Applied since {since} and in force: {settings}. doctor --restore puts them back.")
    } else {
        format!(
            "An --apply of {since} was cut off. Some of these may be changed: {settings}. \
             doctor --restore puts them back."
        )
    })
}

/// The findings as one JSON document.
pub(super) fn json(facts: &Facts, findings: &[Finding], changed: Option<&Changed>) -> String {
    let document = json!({
        "worst": findings.iter().map(|finding| finding.level).max(),
        "server_cpu": facts.cores.server,
        "client_cpus": facts.cores.client,
        "findings": findings,
        "changed": changed,
    });
    format!("{document:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::{Check, Write};

    fn findings() -> Vec<Finding> {
        let check = |name| Check { name, why: "it drifts", remedy: "turn it off" };
        vec![
            check("turbo").found(Level::Warn, "allowed").mended_by([Write::new("/boost", "0")]),
            check("swap").found(Level::Pass, "0 MiB"),
            check("microcode").found(Level::Unavailable, "unavailable (hidden)"),
        ]
    }

    #[test]
    fn columns_are_aligned_and_only_what_is_wrong_is_explained() {
        let text = table(&findings());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "warn         turbo      allowed");
        assert_eq!(lines[1], "pass         swap       0 MiB");
        assert_eq!(lines[2], "unavailable  microcode  unavailable (hidden)");
        assert_eq!(lines[4..], ["turbo: allowed", "  It drifts. Remedy: turn it off"]);
    }

    #[test]
    fn the_summary_counts_and_says_what_can_be_set() {
        let expected = "3 checks: 1 pass, 1 warn, 0 fail, 1 unavailable. As root, doctor --apply sets turbo.";
        assert_eq!(summary(&findings()), expected);
        assert!(!summary(&findings()[1..]).contains("--apply"));
    }
}
