//! Tables in Markdown, and documents that show them.

mod block;

pub(crate) use block::Block;

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    text: String,
    of_numbers: bool,
}

impl Head {
    /// Of a column of words, which stand to the left.
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), of_numbers: false }
    }

    /// Of a column of numbers, which stand to the right.
    pub(crate) fn numbers(text: impl Into<String>) -> Self {
        Self { text: text.into(), of_numbers: true }
    }

    fn cell(&self, text: &str, width: usize) -> String {
        if self.of_numbers { format!(" {text:>width$} |") } else { format!(" {text:<width$} |") }
    }

    fn rule(&self, width: usize) -> String {
        let dashes = "-".repeat(width);
        if self.of_numbers { format!(" {dashes}:|") } else { format!(" {dashes} |") }
    }
}

/// The table of `rows`, which have a cell for each head, with its columns lined up.
pub(crate) fn table(heads: &[Head], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            let cells = rows.iter().map(|row| &row[column]).chain([&head.text]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &String>| {
        let cells = heads.iter().zip(&widths).zip(cells).map(|((head, width), cell)| head.cell(cell, *width));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule: String = heads.iter().zip(&widths).map(|(head, width)| head.rule(*width)).collect();
    let body: String = rows.iter().map(|row| line(&mut row.iter())).collect();
    line(&mut heads.iter().map(|head| &head.text)) + &format!("|{rule}\n") + &body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_to_the_right() {
        let heads = [Head::words("name"), Head::numbers("value")];
        let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
        let text = table(&heads, &[row("a", "1.00 (0.90–1.10)"), row("a longer name ÷", "2")]);
        let lines: Vec<&str> = text.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width), "{text}");
        assert!(lines[1].starts_with("| ---") && lines[1].ends_with("-:|"), "{text}");
        assert!(lines[2].starts_with("| a  ") && lines[3].ends_with("  2 |"), "{text}");
    }
}
