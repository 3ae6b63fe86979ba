//! Text in aligned columns.

/// Which edge of a column its cells keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column with its heading of two lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) heading: [&'static str; 2],
    pub(super) align: Align,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub(super) enum Row {
    /// One text a column.
    Cells(Vec<String>),
    /// One text a column after a label that runs over the columns that are empty.
    Labelled(String, Vec<String>),
    /// A rule through all columns.
    Rule,
    /// Nothing.
    Blank,
}

const GAP: &str = "  ";

/// The table with headings, a rule below them, and no space at the end of any line.
pub(super) fn render(columns: &[Column], rows: &[Row]) -> Vec<String> {
    let widths: Vec<usize> =
        (0..columns.len()).map(|index| width(columns[index].heading, index, rows)).collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1));
    let heading = |line: usize| columns.iter().map(|column| column.heading[line].to_owned()).collect();
    let mut lines = Vec::new();
    for row in [Row::Cells(heading(0)), Row::Cells(heading(1)), Row::Rule].iter().chain(rows) {
        lines.push(match row {
            Row::Cells(cells) => line(columns, &widths, cells),
            Row::Labelled(label, cells) => over(label, &line(columns, &widths, cells)),
            Row::Rule => rule.clone(),
            Row::Blank => String::new(),
        });
    }
    lines
}

fn width(heading: [&str; 2], index: usize, rows: &[Row]) -> usize {
    let cells = rows.iter().filter_map(|row| match row {
        Row::Cells(cells) | Row::Labelled(_, cells) => Some(cells[index].chars().count()),
        Row::Rule | Row::Blank => None,
    });
    cells.chain(heading.map(|text| text.chars().count())).max().unwrap_or(0)
}

fn line(columns: &[Column], widths: &[usize], cells: &[String]) -> String {
    let padded = columns.iter().zip(widths).zip(cells).map(|((column, &width), text)| match column.align {
        Align::Left => format!("{text:<width$}"),
        Align::Right => format!("{text:>width$}"),
    });
    padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// `label` in place of the spaces that `line` begins with.
fn over(label: &str, line: &str) -> String {
    label.to_owned() + &line.chars().skip(label.chars().count()).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text_and_keep_to_their_edge() {
        let columns = [
            Column { heading: ["name", ""], align: Align::Left },
            Column { heading: ["span", "µs"], align: Align::Right },
        ];
        let rows = [
            Row::Cells(vec!["a".into(), "12345".into()]),
            Row::Blank,
            Row::Cells(vec!["µbcde".into(), "7".into()]),
            Row::Labelled("all".into(), vec![String::new(), "9".into()]),
        ];
        assert_eq!(
            render(&columns, &rows),
            [
                "name    span",
                "          µs",
                "────────────",
                "a      12345",
                "",
                "µbcde      7",
                "all        9"
            ]
        );
    }
}
