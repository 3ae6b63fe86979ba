//! The place of the table in a document.

use anyhow::{Context, bail};

/// Stands before the table.
pub const BEGIN: &str = "<!-- headline -->";
/// Stands behind it.
pub const END: &str = "<!-- /headline -->";

/// Holds what stands between the markers of `document` to `table`. Blank lines around it do not matter.
///
/// # Errors
/// When a marker is missing or stands twice, and when the two differ: in which line, and what to do.
pub fn check(document: &str, table: &str) -> anyhow::Result<()> {
    let (shown, made) = (between(document)?.trim(), table.trim());
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
        "the table between {BEGIN} and {END} is not what the recordings give; put there what `analysis headline` \
         prints\nline {} is   {shown}\nand should be {made}",
        index + 1
    )
}

fn between(document: &str) -> anyhow::Result<&str> {
    for marker in [BEGIN, END] {
        match document.matches(marker).count() {
            1 => {}
            0 => bail!("there is no {marker}; put {BEGIN} before and {END} behind the place of the table"),
            count => bail!("{marker} stands there {count} times; leave one"),
        }
    }
    let behind = document.split_once(BEGIN).and_then(|(_, behind)| behind.split_once(END));
    Ok(behind.with_context(|| format!("{END} stands before {BEGIN}; exchange them"))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(table: &str) -> String {
        format!("# Title\n\n{BEGIN}\n\n{table}\n{END}\n\nMore.\n")
    }

    fn message(document: &str) -> String {
        check(document, "| a |\n| b |\n").unwrap_err().to_string()
    }

    #[test]
    fn the_same_table_passes_whatever_blank_lines_are_around_it() {
        check(&document("| a |\n| b |\n"), "| a |\n| b |\n").unwrap();
        check(&document("| a |\n| b |"), "| a |\n| b |\n\n").unwrap();
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
        assert!(message(BEGIN).contains("there is no <!-- /headline -->"));
        assert!(message(&format!("{END}\n{BEGIN}")).contains("exchange them"));
        assert!(message(&document(BEGIN)).contains("stands there 2 times"));
    }
}
