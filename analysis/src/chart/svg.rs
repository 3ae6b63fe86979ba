//! SVG markup: elements, attributes, escapes.
//!
//! Only what every reader of SVG knows is used, browsers and typesetters alike: attributes instead of style sheets, no
//! scripts, no foreign objects, no identifiers that could collide where several charts share a page.

use std::fmt::Write as _;

use experiments::report::format;

use super::paint::Paint;

/// A coordinate with at most two decimals: enough for a pixel, and the same bytes everywhere.
pub(crate) fn coordinate(value: f64) -> String {
    format::at_most(value, 2)
}

/// `text` as it may stand in an attribute or between tags. Control characters, which XML forbids, become spaces.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// An element before it is drawn.
///
/// One with a coordinate that is no number is never drawn: a gap is better than a mark in the wrong place.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    name: &'static str,
    attributes: String,
    classes: Vec<String>,
    broken: bool,
}

impl Tag {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), classes: Vec::new(), broken: false }
    }

    pub(crate) fn number(mut self, name: &str, value: f64) -> Self {
        self.broken |= !value.is_finite();
        self.text(name, &coordinate(value))
    }

    pub(crate) fn numbers(self, values: &[(&str, f64)]) -> Self {
        values.iter().fold(self, |tag, (name, value)| tag.number(name, *value))
    }

    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.attributes, " {name}=\"{}\"", escape(value));
        self
    }

    pub(crate) fn fill(mut self, paint: Paint) -> Self {
        self.classes.push(format!("f-{}", paint.class()));
        self.text("fill", paint.light())
    }

    pub(crate) fn stroke(mut self, paint: Paint, width: f64) -> Self {
        self.classes.push(format!("s-{}", paint.class()));
        self.text("stroke", paint.light()).number("stroke-width", width)
    }

    fn opening(&self) -> String {
        let classes = self.classes.join(" ");
        let class = if classes.is_empty() { String::new() } else { format!(" class=\"{classes}\"") };
        format!("<{}{class}{}", self.name, self.attributes)
    }
}

/// Where a text sits relative to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text of a chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    pub(crate) at: (f64, f64),
    pub(crate) anchor: Anchor,
    pub(crate) size: f64,
    pub(crate) paint: Paint,
    pub(crate) bold: bool,
    pub(crate) text: &'a str,
}

impl<'a> Label<'a> {
    pub(crate) fn new(text: &'a str, at: (f64, f64), anchor: Anchor) -> Self {
        Self { at, anchor, size: super::paint::SMALL, paint: Paint::Ink, bold: false, text }
    }
}

/// Markup as it grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Svg {
    out: String,
}

impl Svg {
    pub(crate) fn into_text(self) -> String {
        self.out
    }

    pub(crate) fn leaf(&mut self, tag: &Tag) {
        if !tag.broken {
            self.line(&format!("{}/>", tag.opening()));
        }
    }

    /// Adds an element that says `title` when it is pointed at.
    pub(crate) fn leaf_saying(&mut self, tag: &Tag, title: &str) {
        if !tag.broken {
            self.line(&format!("{}><title>{}</title></{}>", tag.opening(), escape(title), tag.name));
        }
    }

    pub(crate) fn holding(&mut self, tag: &Tag, text: &str) {
        if !tag.broken {
            self.line(&format!("{}>{}</{}>", tag.opening(), escape(text), tag.name));
        }
    }

    /// Opens an element, which the caller closes.
    pub(crate) fn open(&mut self, tag: &Tag) {
        self.line(&format!("{}>", tag.opening()));
    }

    pub(crate) fn label(&mut self, label: Label<'_>) {
        let anchor = match label.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let mut tag = Tag::new("text").numbers(&[("x", label.at.0), ("y", label.at.1)]).fill(label.paint);
        tag = tag.number("font-size", label.size).text("text-anchor", anchor);
        if label.bold {
            tag = tag.text("font-weight", "bold");
        }
        self.holding(&tag, label.text);
    }

    pub(crate) fn stroke(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint, width: f64) {
        let ends = [("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)];
        self.leaf(&Tag::new("line").numbers(&ends).stroke(paint, width));
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }
}
