//! Tables as HTML. Each scrolls by itself where the page is narrower.

use maud::{Markup, html};

use experiments::report::format::significant;

use super::model::{Recorded, Table};
use crate::claims::{Check, Verdict};

/// `table`, its names at the left and its numbers at the right of their columns.
pub(crate) fn table(table: &Table) -> Markup {
    let class = |index: usize| (index >= table.names).then_some("n");
    let heads = html! {
        @for (index, head) in table.heads.iter().enumerate() { th scope="col" class=[class(index)] { (head) } }
    };
    let rows = html! {
        @for row in &table.rows {
            tr {
                @for (index, text) in row.iter().enumerate() {
                    @if index == 0 { th scope="row" class=[class(0)] { (text) } }
                    @else { td class=[class(index)] { (text) } }
                }
            }
        }
    };
    scrolling(&table.caption, &heads, &rows)
}

/// The claims and what became of them, how many hold first.
pub(crate) fn claims(checks: &[Check<'_>]) -> Markup {
    let holding = checks.iter().filter(|check| matches!(check.verdict, Verdict::Holds(_))).count();
    let caption = format!("{holding} of {} claims hold on these recordings.", checks.len());
    let heads = html! {
        @for head in ["Claim", "Sentence", "Expected", "Measured", "Outcome"] { th scope="col" { (head) } }
    };
    let range = |[low, high]: [f64; 2]| format!("{} to {}", significant(low, 4), significant(high, 4));
    let rows = html! {
        @for Check { claim, verdict } in checks {
            @let (class, word, measured) = outcome(verdict);
            tr {
                th scope="row" { (claim.id) }
                td { (claim.sentence) }
                td { (claim.range.map_or_else(|| "not set".to_owned(), range)) }
                td { (measured) }
                td class=(class) { (word) }
            }
        }
    };
    scrolling(&caption, &heads, &rows)
}

/// Class and name of the outcome, and what was measured.
fn outcome(of: &Verdict) -> (&'static str, &'static str, String) {
    match of {
        Verdict::Holds(value) => ("holds", "holds", significant(*value, 4)),
        Verdict::Contradicted(value) => ("fails", "fails", significant(*value, 4)),
        Verdict::NoValue => ("fails", "fails", "no such number".to_owned()),
        Verdict::NotRecorded => ("muted", "not tested", "not recorded".to_owned()),
        Verdict::NotChecked(difference) => ("muted", "not tested", format!("not checked: {difference}")),
        Verdict::NoRange(value) => ("muted", "not tested", significant(*value, 4)),
    }
}

/// How many runs of each recording count.
pub(crate) fn counts(recordings: &[Recorded]) -> Table {
    let heads = ["Recording", "Experiment", "Size", "Planned", "Valid", "Flagged", "Invalid", "Missing"];
    let row = |of: &Recorded| {
        let names = [&of.name, &of.experiment, &of.size].map(String::clone);
        let (flagged, invalid) = (of.flagged.len().to_string(), of.invalid.len().to_string());
        let (planned, valid) = (of.planned.to_string(), of.valid.to_string());
        names.into_iter().chain([planned, valid, flagged, invalid, of.missing().to_string()]).collect()
    };
    Table {
        caption: "Runs by recording. A flagged run counts and is listed. An invalid run does not count."
            .to_owned(),
        heads: heads.map(str::to_owned).to_vec(),
        names: 3,
        rows: recordings.iter().map(row).collect(),
    }
}

fn scrolling(caption: &str, heads: &Markup, rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { span { (caption) } }
                thead { tr { (heads) } }
                tbody { (rows) }
            }
        }
    }
}
