//! Drawing by text.

use std::fmt::{self, Write};

/// A drawing under way.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
    width: f64,
    height: f64,
}

/// What of a text is at its point: its begin or its middle.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
}

/// A rectangle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Svg {
    /// An empty one of this size.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    /// A rectangle; a browser shows `title` at the pointer.
    pub(super) fn rect(&mut self, area: Area, fill: &str, title: &str) {
        let Area { x, y, width, height } = area;
        self.push(format_args!(
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{fill}\" stroke=\"#fff\" \
             stroke-width=\"0.5\"><title>{}</title></rect>",
            escaped(title)
        ));
    }

    /// A line of text of `size` pixels at a point of its base line.
    pub(super) fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
        };
        self.push(format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{}</text>",
            escaped(text)
        ));
    }

    fn push(&mut self, element: fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("a string takes all");
    }

    /// The drawing as a file has it.
    pub(super) fn finish(self) -> String {
        let Self { body, width, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_stays_text() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text((0.0, 0.0), 9.0, Anchor::Start, "#000", "<T as U>::f & \"g\"");
        assert!(svg.finish().contains("&lt;T as U&gt;::f &amp; &quot;g&quot;</text>"));
    }
}
