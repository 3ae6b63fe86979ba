//! The page as HTML. The templates escape every text.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::model::{Part, Recorded, Report};
use super::style;
use super::table::{claims, counts, table};
use crate::chart::sheet::{NARROW, WIDE};
use crate::figure::study::Drawn;

/// A section that has something to say.
struct Section<'a> {
    id: &'a str,
    heading: &'a str,
    content: Markup,
}

impl Report<'_> {
    pub(crate) fn html(&self) -> String {
        let sections = self.sections();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    style { (PreEscaped(style::sheet())) }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header { (self.opening()) }
                    nav aria-labelledby="contents-h" {
                        h2 #contents-h { "Contents" }
                        ol { @for section in &sections { li { a href={ "#" (section.id) } { (section.heading) } } } }
                    }
                    main #main { @for section in &sections { (section.html()) } }
                    footer { @for (name, value) in &self.origin { p { (name) ": " code { (value) } } } }
                }
            }
        };
        page.into_string() + "\n"
    }

    /// The question, the answer as a picture and in a sentence, and where it ends.
    fn opening(&self) -> Markup {
        html! {
            h1 { (self.title) }
            p.question { (self.question) }
            @if let Some(answer) = &self.answer { div.answer { (answer.html(WIDE, ANSWER_NARROW)) } }
            div.verdict role="note" {
                @if self.quick { p { span.quick { "Quick recordings: they claim nothing" } } }
                p { (self.verdict) }
                (list(&self.limits))
            }
        }
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let section = |id, heading, content| Section { id, heading, content };
        let headlines = html! { @for headline in &self.headlines { (table(headline)) } };
        let mut all = vec![section("headline", "The numbers to remember", headlines)];
        all.extend(self.parts.iter().map(|part| section(&part.id, &part.heading, part.html())));
        if !self.claims.is_empty() {
            all.push(section("claims", "Claims", claims(self.claims)));
        }
        if !self.recordings.is_empty() {
            all.push(section("validity", "Which runs count", self.validity()));
        }
        let hosts = html! { @for host in &self.hosts { (table(host)) } };
        all.push(section("machine", "The machine", hosts));
        all.retain(|section| !section.content.0.is_empty());
        all
    }

    fn validity(&self) -> Markup {
        html! {
            (table(&counts(&self.recordings)))
            @for recording in &self.recordings { (recording.listed()) }
        }
    }
}

impl Section<'_> {
    fn html(&self) -> Markup {
        let heading = format!("{}-h", self.id);
        html! {
            section id=(self.id) aria-labelledby=(heading) {
                h2 id=(heading) { (self.heading) }
                (self.content)
            }
        }
    }
}

impl Part {
    fn html(&self) -> Markup {
        html! {
            @for paragraph in &self.text { p { (paragraph) } }
            @for figure in &self.figures { (figure.html(WIDE, NARROW)) }
            @for beside in &self.tables { (table(beside)) }
        }
    }
}

/// Width of the answer for a phone: narrower than other figures, so that its text is larger.
const ANSWER_NARROW: f64 = 330.0;

impl Drawn {
    /// The figure twice, laid out for a page and for a phone. The style sheet shows one of them.
    fn html(&self, wide: f64, narrow: f64) -> Markup {
        let (stem, sheet) = (&self.figure.stem, &self.figure.sheet);
        html! {
            figure id={ "fig-" (stem) } {
                div.wide { (PreEscaped(sheet.svg(wide))) }
                div.narrow { (PreEscaped(sheet.svg(narrow))) }
                figcaption {
                    p { strong { "How to read it." } " " (self.how_to_read) }
                    p { "File: " code { (stem) ".svg" } }
                }
            }
        }
    }
}

impl Recorded {
    /// Every run that is flagged or invalid, with the reason, folded away until asked for.
    fn listed(&self) -> Markup {
        html! {
            @for (what, runs) in [("invalid", &self.invalid), ("flagged", &self.flagged)] {
                @if !runs.is_empty() {
                    details {
                        summary { (self.name) ": " (runs.len()) " " (what) " runs" }
                        ul { @for (run, why) in runs { li { (run) ": " (why) } } }
                    }
                }
            }
        }
    }
}

fn list(sentences: &[String]) -> Markup {
    html! {
        @if !sentences.is_empty() { ul { @for sentence in sentences { li { (sentence) } } } }
    }
}
