//! How wide a text is, roughly: the fonts are the reader's, so this errs on the wide side.

/// Width of `text` at `size`, in the units of `size`.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(ems).sum::<f64>() * size
}

/// Width of a character in a wide sans-serif, in ems.
fn ems(c: char) -> f64 {
    match c {
        ' ' | '\u{a0}' | '\u{202f}' | '.' | ',' | ':' | ';' | '\'' | '|' | 'i' | 'j' | 'l' | 'I' => 0.31,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 0.92,
        '=' | '+' | '<' | '>' | '≈' | '×' | '÷' | '±' | '−' => 0.8,
        c if c.is_uppercase() => 0.72,
        _ => 0.64,
    }
}

/// `text` in lines no wider than `limit`, broken at spaces. A single word may be wider.
pub(crate) fn lines(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(word, size) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
