//! The page that lists the claims.

use std::fmt::Write;

use super::Claim;

const HEAD: &str = "\
# Claims

Made from `analysis/claims.toml` by `analysis claims`; do not edit. `analysis check` recomputes every number from the recordings
and exits with a failure when one lies outside of its range. A claim without a range is not made yet: what it will say
is fixed, its number waits for a recording. A claim is about recordings of its size alone; beside one of the other size it is
not checked. Time and disk are what `experiments list` announces.
";

/// The page of `claims` as Markdown.
pub fn page(claims: &[Claim]) -> String {
    let mut page = HEAD.to_owned();
    for claim in claims {
        let Claim { id, sentence, command, time, disk, .. } = claim;
        let range =
            claim.range.map_or_else(|| "not set yet".into(), |[low, high]| format!("{low} to {high}"));
        let figure = claim.figure.as_ref().map_or_else(|| "none".into(), |stem| format!("`{stem}`"));
        let size = claim.size.map_or_else(|| "none".into(), |size| size.to_string());
        let value = claim.value.join(" › ");
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {id}\n\n{sentence}\n\n\
             | command | size | time | disk | figure | value | expected |\n|---|---|---|---|---|---|---|\n\
             | `{command}` | {size} | {time} | {disk} | {figure} | {value} | {range} |\n"
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_page_in_the_documents_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CLAIMS.md");
        let kept = std::fs::read_to_string(&path).unwrap();
        let made = page(&crate::claims::built_in().unwrap());
        assert!(kept == made, "docs/CLAIMS.md is out of date; run: analysis claims > docs/CLAIMS.md");
    }
}
