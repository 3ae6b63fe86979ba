//! No number that was measured is typed by hand. The text is parsed; a number in its prose, its strings or its code that is not
//! known as a fact is reported with its file.

use paper::text::FILES;
use typst::syntax::{SyntaxKind, SyntaxNode, parse};

/// What any part may say: kernels, limits and sizes that were chosen, years, percentiles, names.
const EVERYWHERE: &[&str] = &["0", "1", "2", "3", "4", "8", "64", "95", "99", "99th", "99.9", "2023", "256B"];

/// Facts that are not ours to measure, by the file that states them.
const FACTS: &[(&str, &[&str])] = &[
    ("sections/abstract.typ", &["256"]),
    ("sections/introduction.typ", &["862"]),
    ("sections/background.typ", &["5.1", "5.18", "5.19", "6.0", "6.1", "6.8", "6.17"]),
    ("sections/servers.typ", &["1024", "6.1", "128", "512"]),
    ("sections/method.typ", &["6.15", "128", "256", "512"]),
    (
        "sections/results/study.typ",
        &["study-beside-2023-uring-study-epoll-study", "study-beside-2023-uring-epoll"],
    ),
    ("sections/study-2023.typ", &["1024", "1,025th", "i9-11900K"]),
    ("sections/threats.typ", &["10"]),
    ("sections/reproduction.typ", &["6.1"]),
];

/// Numbers of the code: decimals, margins, units of time, and column counts.
const IN_CODE: &[&str] =
    &["0", "1", "2", "3", "4", "5", "6", "7", "12", "60", "100", "60000", "0.0", "0.01", "0.75", "2.0"];

/// Parts of `text` with a digit in them that are neither in `facts` nor, in its code, in `in_code`.
fn unknown_numbers(text: &str, facts: &[&str], in_code: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    visit(&parse(text), &mut |node| {
        let allowed = match node.kind() {
            SyntaxKind::Text | SyntaxKind::Str | SyntaxKind::RawTrimmed => facts,
            SyntaxKind::Int | SyntaxKind::Float => in_code,
            _ => return,
        };
        let unknown = words_with_digits(node.leaf_text()).filter(|word| !allowed.contains(word));
        found.extend(unknown.map(str::to_owned));
    });
    found
}

fn visit(node: &SyntaxNode, see: &mut impl FnMut(&SyntaxNode)) {
    see(node);
    node.children().for_each(|child| visit(child, see));
}

/// Words as prose has them, without the punctuation around them. Names such as `p99_ns` are none.
fn words_with_digits(text: &str) -> impl Iterator<Item = &str> {
    let is_apart = |c: char| c.is_whitespace() || "/():;=×÷–|".contains(c);
    let is_name = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.split(is_apart)
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(move |word| word.contains(|c: char| c.is_ascii_digit()) && !is_name(word))
}

fn facts_of(path: &str) -> Vec<&'static str> {
    let own = FACTS.iter().filter(|(file, _)| *file == path).flat_map(|(_, facts)| facts.iter());
    EVERYWHERE.iter().chain(own).copied().collect()
}

#[test]
fn no_section_has_a_number_that_is_no_known_fact() {
    let sections: Vec<_> = FILES.iter().filter(|(path, _)| path.starts_with("sections/")).collect();
    assert!(sections.len() > 10, "only {} sections were found", sections.len());
    let unknown: Vec<String> = sections
        .iter()
        .flat_map(|(path, text)| {
            let found = unknown_numbers(text, &facts_of(path), IN_CODE);
            found.into_iter().map(move |number| format!("paper/{path}: {number}"))
        })
        .collect();
    assert!(unknown.is_empty(), "numbers that do not come from values.json: {unknown:#?}");
}

#[test]
fn a_fact_that_no_section_states_is_forgotten() {
    for (path, facts) in FACTS {
        let text = FILES.iter().find(|(file, _)| file == path).map(|(_, text)| *text);
        let text = text.unwrap_or_else(|| panic!("{path} is no part of the text"));
        let unknown = unknown_numbers(text, EVERYWHERE, IN_CODE);
        for fact in *facts {
            assert!(unknown.iter().any(|number| number == fact), "{path} does not say {fact}");
        }
    }
}

#[test]
fn a_measured_number_in_prose_is_noticed() {
    let found = |text: &str| unknown_numbers(text, EVERYWHERE, IN_CODE);
    assert_eq!(
        found("It costs 6.4 % less (0.87–0.99), *5612 ns* a message."),
        ["6.4", "0.87", "0.99", "5612"]
    );
    assert_eq!(found("#{ let cost = [costs 17 ns]; cost }"), ["17"]);
    assert_eq!(found("#\"0.94 of epoll\""), ["0.94"]);
    assert_eq!(found("#fixed(0.93, 2)"), ["0.93"]);
    assert_eq!(
        found("In 2023, 64 KiB at the 99.9#(thin)% percentile; #v(\"a\") // 5.5"),
        Vec::<String>::new()
    );
}
