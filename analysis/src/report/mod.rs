//! All of it on one page: a single file that needs nothing but a browser.
//!
//! [`Report`] is plain data, so that the page can be tested without a recording; [`of_study`] fills it.

pub mod html;
pub mod of_study;
pub mod style;

use crate::chart::sheet::{NARROW, WIDE};
use crate::chart::svg::escape;
use crate::figure::Figure;

#[cfg(test)]
mod tests;

/// What the page says.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its title.
    pub title: String,
    /// The answer in one sentence.
    pub verdict: String,
    /// Where the answer ends: machine, kernel, size, noise.
    pub limits: Vec<String>,
    /// Whether any recording is of the size `quick`.
    pub quick: bool,
    /// The numbers to remember.
    pub headlines: Vec<Table>,
    /// Parts with figures, in the order of the page.
    pub parts: Vec<Part>,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// The recordings that the page stands on, and how many runs of each count.
    pub recordings: Vec<Recorded>,
    /// The machines, a table each: a fact and its value.
    pub hosts: Vec<Table>,
    /// How the page was made: what to run, on which revision.
    pub origin: Vec<(String, String)>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Names of the columns, with units.
    pub heads: Vec<String>,
    /// How many columns from the left are names and not numbers.
    pub names: usize,
    /// Cells, already in words; a missing value is said, not left out.
    pub rows: Vec<Vec<String>>,
}

/// An experiment's part of the page.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Identifier, for links.
    pub id: String,
    /// What it is about, as a question.
    pub heading: String,
    /// The answer, in a paragraph each.
    pub text: Vec<String>,
    /// Its figures.
    pub figures: Vec<Shown>,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// A figure on the page.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The figure.
    pub figure: Figure,
    /// How to read it.
    pub how_to_read: String,
}

/// A claim and whether the recordings agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its identifier.
    pub id: String,
    /// What is claimed.
    pub sentence: String,
    /// The range in which the value has to be.
    pub expected: String,
    /// The value.
    pub measured: String,
    /// Whether it holds.
    pub outcome: Outcome,
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value is in the range.
    Holds,
    /// It is not.
    Fails,
    /// Nothing recorded here can tell.
    Untested,
}

/// A recording and how many of its runs count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Its name.
    pub name: String,
    /// Its experiment.
    pub experiment: String,
    /// Its size: `quick` or `full`.
    pub size: String,
    /// Runs that were planned.
    pub planned: u32,
    /// Runs that count, flagged ones included.
    pub valid: u32,
    /// Runs that the noise gate flagged, and why.
    pub flagged: Vec<(String, String)>,
    /// Runs that do not count, and why.
    pub invalid: Vec<(String, String)>,
}

impl Report {
    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let sections = self.sections();
        let contents: String = sections
            .iter()
            .map(|(id, heading, _)| format!("<li><a href=\"#{id}\">{}</a></li>\n", escape(heading)))
            .collect();
        let main: String =
            sections.iter().map(|(id, heading, content)| html::section(id, heading, content)).collect();
        let (title, style) = (escape(&self.title), style::sheet());
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{style}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
             <header>\n<h1>{title}</h1>\n{}</header>\n\
             <nav aria-labelledby=\"contents-h\">\n<h2 id=\"contents-h\">Contents</h2>\n<ol>\n{contents}</ol>\n</nav>\n\
             <main id=\"main\">\n{main}</main>\n<footer>\n{}</footer>\n</body>\n</html>\n",
            self.verdict(),
            self.origin()
        )
    }

    fn verdict(&self) -> String {
        let quick = if self.quick {
            "<p><span class=\"quick\">quick recording: not for claims</span></p>\n"
        } else {
            ""
        };
        let limits = html::list(&self.limits);
        format!(
            "<div class=\"verdict\" role=\"note\">\n{}{quick}{limits}</div>\n",
            html::element("p", &self.verdict)
        )
    }

    /// Identifier, heading and content of every section that has something to say.
    fn sections(&self) -> Vec<(String, String, String)> {
        let fixed = |id: &str, heading: &str, content: String| (id.to_owned(), heading.to_owned(), content);
        let mut all = vec![fixed(
            "headline",
            "The numbers to remember",
            self.headlines.iter().map(html::table).collect(),
        )];
        all.extend(self.parts.iter().map(|part| (part.id.clone(), part.heading.clone(), part.html())));
        all.push(fixed("claims", "Claims", self.claims()));
        all.push(fixed("validity", "Which runs count", self.validity()));
        all.push(fixed("machine", "The machine", self.hosts.iter().map(html::table).collect()));
        all.retain(|(_, _, content)| !content.is_empty());
        all
    }

    fn claims(&self) -> String {
        if self.claims.is_empty() {
            return String::new();
        }
        let heads = ["Claim", "Sentence", "Expected", "Measured", "Outcome"];
        let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
        let rows: String = self.claims.iter().map(Claim::row).collect();
        let holding = self.claims.iter().filter(|claim| claim.outcome == Outcome::Holds).count();
        let caption = format!("{holding} of {} claims hold on these recordings.", self.claims.len());
        format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Claims\">\n<table>\n<caption><span>{caption}</span></caption>\n\
             <thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        )
    }

    fn validity(&self) -> String {
        if self.recordings.is_empty() {
            return String::new();
        }
        let counts = Table {
            caption: "Runs by recording. A flagged run counts and is listed; an invalid one does not count."
                .to_owned(),
            heads: ["Recording", "Experiment", "Size", "Planned", "Valid", "Flagged", "Invalid", "Missing"]
                .map(str::to_owned)
                .to_vec(),
            names: 3,
            rows: self.recordings.iter().map(Recorded::row).collect(),
        };
        let listed: String = self.recordings.iter().map(Recorded::listed).collect();
        format!("{}{listed}", html::table(&counts))
    }

    fn origin(&self) -> String {
        let facts = self
            .origin
            .iter()
            .map(|(name, value)| format!("<p>{}: <code>{}</code></p>\n", escape(name), escape(value)));
        facts.collect()
    }
}

impl Part {
    fn html(&self) -> String {
        let text: String = self.text.iter().map(|paragraph| html::element("p", paragraph)).collect();
        let figures: String = self.figures.iter().map(Shown::html).collect();
        let tables: String = self.tables.iter().map(html::table).collect();
        format!("{text}{figures}{tables}")
    }
}

impl Shown {
    /// The figure twice, laid out for a page and for a phone; the style sheet shows one of them.
    fn html(&self) -> String {
        let sheet = &self.figure.sheet;
        let stem = escape(&self.figure.stem);
        format!(
            "<figure id=\"fig-{stem}\">\n<div class=\"wide\">\n{}</div>\n<div class=\"narrow\">\n{}</div>\n\
             <figcaption>\n<p><strong>How to read it.</strong> {}</p>\n<p>File: <code>{stem}.svg</code></p>\n</figcaption>\n</figure>\n",
            sheet.svg(WIDE),
            sheet.svg(NARROW),
            escape(&self.how_to_read)
        )
    }
}

impl Claim {
    fn row(&self) -> String {
        let (class, word) = match self.outcome {
            Outcome::Holds => ("holds", "holds"),
            Outcome::Fails => ("fails", "fails"),
            Outcome::Untested => ("muted", "not tested"),
        };
        let cells =
            [&self.sentence, &self.expected, &self.measured].map(|text| format!("<td>{}</td>", escape(text)));
        format!(
            "<tr><th scope=\"row\">{}</th>{}<td class=\"{class}\">{word}</td></tr>\n",
            escape(&self.id),
            cells.concat()
        )
    }
}

impl Recorded {
    fn missing(&self) -> u32 {
        let invalid = u32::try_from(self.invalid.len()).unwrap_or(u32::MAX);
        self.planned.saturating_sub(self.valid.saturating_add(invalid))
    }

    fn row(&self) -> Vec<String> {
        let names = [&self.name, &self.experiment, &self.size].map(String::clone);
        let counts = [
            self.planned as usize,
            self.valid as usize,
            self.flagged.len(),
            self.invalid.len(),
            self.missing() as usize,
        ];
        names.into_iter().chain(counts.map(|count| count.to_string())).collect()
    }

    /// Every run that is flagged or invalid, with the reason.
    fn listed(&self) -> String {
        let list = |what: &str, runs: &[(String, String)]| {
            let sentences: Vec<String> = runs.iter().map(|(run, why)| format!("{run}: {why}")).collect();
            let heading = format!("{}: {} {what} runs", self.name, runs.len());
            if runs.is_empty() { String::new() } else { html::folded(&heading, &html::list(&sentences)) }
        };
        format!("{}{}", list("invalid", &self.invalid), list("flagged", &self.flagged))
    }
}
