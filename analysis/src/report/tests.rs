use super::model::{Part, Recorded, Report, Table};
use crate::chart::Estimate;
use crate::claims::{self, Check, Verdict};
use crate::figure::grid::{Shown as Metric, by_payload};
use crate::figure::input::{About, Measured};
use crate::figure::study::Drawn;
use crate::figure::{Figure, Source};
use experiments::spec::factors::Factors;
use experiments::spec::workload::Workload;
use uring_echo::record::Mode;

fn report() -> Report<'static> {
    let at = Factors::new(Mode::Stream, 256, 1);
    let measured = [Measured { at, engine: "epoll".to_owned(), value: Estimate::single(1.0) }];
    let sheet = by_payload(Workload::of(Mode::Stream), &measured, &Metric::responses(), &About::default());
    let figure = Figure { stem: "stream-throughput".to_owned(), sheet, source: Source::default() };
    let recording = Recorded {
        name: "20261122T000000Z-000001".to_owned(),
        planned: 4,
        valid: 2,
        flagged: vec![("0001".to_owned(), "steal 3 %".to_owned())],
        invalid: vec![("0002".to_owned(), "drain: 7 bytes <missing>".to_owned())],
        ..Recorded::default()
    };
    Report {
        title: "A report".to_owned(),
        verdict: "It depends & here is on what.".to_owned(),
        limits: vec!["Two cores.".to_owned()],
        headlines: vec![Table {
            caption: "Headline".to_owned(),
            heads: vec!["Cell".to_owned(), "ns".to_owned()],
            names: 1,
            rows: vec![vec!["256 B × 1".to_owned(), "68".to_owned()]],
        }],
        parts: vec![Part {
            id: "stream".to_owned(),
            heading: "Where is the crossover?".to_owned(),
            figures: vec![Drawn { figure, how_to_read: "Higher is better." }],
            ..Part::default()
        }],
        recordings: vec![recording],
        ..Report::default()
    }
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let html = report().html();
    let without_namespaces = html.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http", "src=", "<link", "<script", "url(", "@import"] {
        assert!(!without_namespaces.contains(outside), "the page asks for something with {outside}");
    }
}

#[test]
fn the_contents_list_leads_to_every_section() {
    let html = report().html();
    let links: Vec<&str> =
        html.split("<li><a href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["headline", "stream", "validity"], "what says nothing is left out");
    for id in links {
        assert!(html.contains(&format!("<section id=\"{id}\"")), "{id} leads nowhere");
    }
}

#[test]
fn data_cannot_become_markup() {
    let html = report().html();
    assert!(html.contains("It depends &amp; here is on what.") && html.contains("7 bytes &lt;missing&gt;"));
}

#[test]
fn runs_that_do_not_count_are_counted_and_listed() {
    let html = report().html();
    let row = "<td class=\"n\">4</td><td class=\"n\">2</td><td class=\"n\">1</td><td class=\"n\">1</td><td class=\"n\">1</td>";
    assert!(html.contains(row), "planned, valid, flagged, invalid, missing: {html}");
    assert!(html.contains("1 invalid runs</summary>") && html.contains("0001: steal 3 %"));
}

#[test]
fn every_picture_has_a_name_and_a_description() {
    let html = report().html();
    let count = |part: &str| html.matches(part).count();
    assert_eq!(count("<svg "), 2, "once for a page, once for a phone");
    assert_eq!([count("role=\"img\" aria-label=\""), count("<desc>")], [2, 2]);
}

#[test]
fn tables_say_what_their_heads_are_for() {
    let html = report().html();
    assert!(
        html.contains("<th scope=\"col\">Cell</th>") && html.contains("<th scope=\"row\">256 B × 1</th>")
    );
}

#[test]
fn a_failed_claim_shows() {
    let claim = claims::built_in().unwrap().remove(0);
    let check = |verdict| Check { claim: &claim, verdict };
    let checks = [check(Verdict::Holds(1.1)), check(Verdict::Contradicted(0.9))];
    let report = Report { claims: &checks, ..report() };
    let html = report.html();
    assert!(html.contains("1 of 2 claims hold") && html.contains("<td class=\"fails\">fails</td>"), "{html}");
}

#[test]
fn a_quick_report_says_so_before_anything_else() {
    let mut report = report();
    assert!(!report.html().contains("Quick recordings"));
    report.quick = true;
    let html = report.html();
    assert!(html.find("Quick recordings").unwrap() < html.find("<nav").unwrap());
}

#[test]
fn the_page_opens_with_the_question_then_the_picture_then_the_verdict() {
    let mut report = report();
    report.question = "Which one & why?".to_owned();
    report.answer = report.parts[0].figures.pop();
    let html = report.html();
    let places =
        ["Which one &amp; why?", "<figure id=\"fig-stream-throughput\"", "It depends", "<nav", "<table"];
    let places = places.map(|text| html.find(text).unwrap_or_else(|| panic!("{text} is missing: {html}")));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(report().html(), report().html());
}
