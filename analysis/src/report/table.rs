//! Tables as HTML. Each scrolls by itself where the page is narrower.

use maud::{Markup, html};

use super::model::{Claim, Outcome, Recorded, Table};

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

/// The claims, how many of them hold first.
pub(crate) fn claims(claims: &[Claim]) -> Markup {
    let holding = claims.iter().filter(|claim| claim.outcome == Outcome::Holds).count();
    let caption = format!("{holding} of {} claims hold on these recordings.", claims.len());
    let heads = html! {
        @for head in ["Claim", "Sentence", "Expected", "Measured", "Outcome"] { th scope="col" { (head) } }
    };
    let rows = html! {
        @for claim in claims {
            @let (class, word) = outcome(claim.outcome);
            tr {
                th scope="row" { (claim.id) }
                @for text in [&claim.sentence, &claim.expected, &claim.measured] { td { (text) } }
                td class=(class) { (word) }
            }
        }
    };
    scrolling(&caption, &heads, &rows)
}

fn outcome(of: Outcome) -> (&'static str, &'static str) {
    match of {
        Outcome::Holds => ("holds", "holds"),
        Outcome::Fails => ("fails", "fails"),
        Outcome::Untested => ("muted", "not tested"),
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
