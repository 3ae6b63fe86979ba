//! HTML by hand: few elements, everything that comes from data escaped.

use crate::chart::svg::escape;

use super::Table;

/// `<name>text</name>` with the text escaped.
#[must_use]
pub fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>\n", escape(text))
}

/// A section with a heading that the list of contents can point to.
#[must_use]
pub fn section(id: &str, heading: &str, content: &str) -> String {
    let (id, heading) = (escape(id), escape(heading));
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{heading}</h2>\n{content}</section>\n"
    )
}

/// A list of sentences; nothing if there is none.
#[must_use]
pub fn list(sentences: &[String]) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    let items: String = sentences.iter().map(|sentence| element("li", sentence)).collect();
    format!("<ul>\n{items}</ul>\n")
}

/// What is folded away until asked for.
#[must_use]
pub fn folded(summary: &str, content: &str) -> String {
    format!("<details>\n<summary>{}</summary>\n{content}</details>\n", escape(summary))
}

/// A table that scrolls by itself where the page is narrower.
#[must_use]
pub fn table(table: &Table) -> String {
    let heads = table.heads.iter().enumerate();
    let heads: String = heads.map(|(index, head)| cell("th", index, "col", head, table)).collect();
    let rows: String = table.rows.iter().map(|cells| row(cells, table)).collect();
    let caption = escape(&table.caption);
    let label = format!("role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"");
    format!(
        "<div class=\"scroll\" {label}>\n<table>\n<caption><span>{caption}</span></caption>\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}

fn row(cells: &[String], table: &Table) -> String {
    let cells = cells.iter().enumerate().map(|(index, text)| match index {
        0 => cell("th", index, "row", text, table),
        _ => cell("td", index, "", text, table),
    });
    format!("<tr>{}</tr>\n", cells.collect::<String>())
}

fn cell(name: &str, index: usize, scope: &str, text: &str, table: &Table) -> String {
    let scope = if scope.is_empty() { String::new() } else { format!(" scope=\"{scope}\"") };
    let class = if index >= table.names { " class=\"n\"" } else { "" };
    format!("<{name}{scope}{class}>{}</{name}>", escape(text))
}
