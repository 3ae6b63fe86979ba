//! Text in aligned columns, for terminals: the one way in which this project prints a table.

/// Which edge of a column its cells keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// A column with its heading of at most two lines.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    heading: [&'static str; 2],
    align: Align,
}

/// A column of words under a heading of the lines `first` and `second`, each of which may be empty.
pub const fn left(first: &'static str, second: &'static str) -> Column {
    Column { heading: [first, second], align: Align::Left }
}

/// As [`left`], of numbers.
pub const fn right(first: &'static str, second: &'static str) -> Column {
    Column { heading: [first, second], align: Align::Right }
}

/// A line of the table.
#[derive(Clone, Debug)]
pub enum Row {
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

/// The lines of the table: the headings that there are with a rule below them, then the rows. No line ends in spaces.
pub fn render(columns: &[Column], rows: &[Row]) -> Vec<String> {
    let widths: Vec<usize> =
        (0..columns.len()).map(|index| width(columns[index].heading, index, rows)).collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1));
    heading(columns)
        .iter()
        .chain(rows)
        .map(|row| match row {
            Row::Cells(cells) => line(columns, &widths, cells),
            Row::Labelled(label, cells) => over(label, &line(columns, &widths, cells)),
            Row::Rule => rule.clone(),
            Row::Blank => String::new(),
        })
        .collect()
}

/// The lines of headings in which some column has a text, and a rule if there is one.
fn heading(columns: &[Column]) -> Vec<Row> {
    let texts =
        |line: usize| columns.iter().map(|column| column.heading[line].to_owned()).collect::<Vec<_>>();
    let has_text = |texts: &Vec<String>| texts.iter().any(|text| !text.is_empty());
    let mut rows: Vec<Row> = [0, 1].map(texts).into_iter().filter(has_text).map(Row::Cells).collect();
    if !rows.is_empty() {
        rows.push(Row::Rule);
    }
    rows
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

    fn cells(texts: [&str; 2]) -> Row {
        Row::Cells(texts.map(str::to_owned).into())
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_text_and_keep_to_their_edge() {
        let columns = [left("name", ""), right("span", "µs")];
        let total = Row::Labelled("all".into(), vec![String::new(), "9".into()]);
        let rows = [cells(["a", "12345"]), Row::Blank, cells(["µbcde", "7"]), total];
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

    #[test]
    fn a_heading_takes_the_lines_that_it_has() {
        let render = |first: &'static str, second: &'static str| {
            render(&[left(first, second), left("", "")], &[cells(["a", "b"])])
        };
        assert_eq!(render("", ""), ["a  b"]);
        assert_eq!(render("x", ""), ["x", "────", "a  b"]);
        assert_eq!(render("", "y"), ["y", "────", "a  b"]);
    }
}
