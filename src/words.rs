//! Words that depend on a number.

use std::fmt::Display;

/// `count` and what is counted: `1 cell`, `2 cells`. For nouns that take an s.
pub fn plural(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0, 1, 2, 21].map(|count| plural(count, "run")), ["0 runs", "1 run", "2 runs", "21 runs"]);
    }
}
