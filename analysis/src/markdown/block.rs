//! The place of a table that is made, in a document that is written.

use anyhow::{Context, bail};

/// A table that a document shows between two comments that bear its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Its name, which is also that of the command that prints it.
    pub(crate) name: &'static str,
}

impl Block {
    /// Stands before the table.
    pub(crate) fn begin(self) -> String {
        format!("<!-- {} -->", self.name)
    }

    /// Stands behind it.
    pub(crate) fn end(self) -> String {
        format!("<!-- /{} -->", self.name)
    }

    /// Holds what stands between the comments of `document` to `table`. Blank lines around it do not matter.
    ///
    /// # Errors
    /// When a comment is missing or stands twice, and when the two differ: in which line, and what to do.
    pub(crate) fn check(self, document: &str, table: &str) -> anyhow::Result<()> {
        let (shown, made) = (self.between(document)?.trim(), table.trim());
        if shown == made {
            return Ok(());
        }
        let ends =
            |text: &str| text.lines().map(str::to_owned).chain(["(the end)".to_owned()]).collect::<Vec<_>>();
        let (shown, made) = (ends(shown), ends(made));
        let mut pairs = shown.iter().zip(&made).enumerate();
        let (index, (shown, made)) =
            pairs.find(|(_, (shown, made))| shown != made).context("both are the same")?;
        bail!(
            "the table between {} and {} is not what the recordings give; put there what `analysis {}` prints\nline {} \
             is   {shown}\nand should be {made}",
            self.begin(),
            self.end(),
            self.name,
            index + 1
        )
    }

    fn between(self, document: &str) -> anyhow::Result<&str> {
        let (begin, end) = (self.begin(), self.end());
        for marker in [&begin, &end] {
            match document.matches(marker.as_str()).count() {
                1 => {}
                0 => {
                    bail!("there is no {marker}; put {begin} before and {end} behind the place of the table")
                }
                count => bail!("{marker} stands there {count} times; leave one"),
            }
        }
        let behind = document.split_once(&begin).and_then(|(_, behind)| behind.split_once(&end));
        Ok(behind.with_context(|| format!("{end} stands before {begin}; exchange them"))?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block = Block { name: "headline" };

    fn document(table: &str) -> String {
        format!("# Title\n\n{}\n\n{table}\n{}\n\nMore.\n", BLOCK.begin(), BLOCK.end())
    }

    fn message(document: &str) -> String {
        BLOCK.check(document, "| a |\n| b |\n").unwrap_err().to_string()
    }

    #[test]
    fn the_same_table_passes_whatever_blank_lines_are_around_it() {
        BLOCK.check(&document("| a |\n| b |\n"), "| a |\n| b |\n").unwrap();
        BLOCK.check(&document("| a |\n| b |"), "| a |\n| b |\n\n").unwrap();
    }

    #[test]
    fn another_table_is_refused_with_the_line_that_differs() {
        let other = message(&document("| a |\n| c |"));
        assert!(other.contains("line 2 is   | c |\nand should be | b |"), "{other}");
        assert!(other.contains("`analysis headline`"), "{other}");
        let short = message(&document("| a |"));
        assert!(short.contains("line 2 is   (the end)\nand should be | b |"), "{short}");
        assert!(message(&document("| a |\n| b |\n| c |")).contains("should be (the end)"));
    }

    #[test]
    fn a_document_without_a_place_for_the_table_is_refused() {
        assert!(message("# Title\n").contains("there is no <!-- headline -->"));
        assert!(message(&BLOCK.begin()).contains("there is no <!-- /headline -->"));
        assert!(message(&format!("{}\n{}", BLOCK.end(), BLOCK.begin())).contains("exchange them"));
        assert!(message(&document(&BLOCK.begin())).contains("stands there 2 times"));
    }
}
