//! Rust source as far as the rules need it: text without comments and literals, words, paths, functions.

use std::ops::Range;

/// `source` with comments and the insides of literals blanked out. Line breaks stay, so that lines keep their numbers.
pub(crate) fn code_of(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = chars.clone();
    let mut at = 0;
    while at < chars.len() {
        let end = span_to_blank(&chars, at).map_or(at, |end| end.min(chars.len()));
        for place in &mut code[at..end] {
            if *place != '\n' {
                *place = ' ';
            }
        }
        at = end.max(at + 1);
    }
    code.into_iter().collect()
}

/// Where the comment or literal that begins at `at` ends; `None` if none begins there.
fn span_to_blank(chars: &[char], at: usize) -> Option<usize> {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => Some(at + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => Some(at + block_comment_len(rest)),
        ['"', ..] => Some(at + 1 + quoted_len(&rest[1..], '"')),
        ['r', '"' | '#', ..] if !follows_word(chars, at) => {
            raw_string_len(&rest[1..]).map(|len| at + 1 + len)
        }
        // A lifetime has no closing quote two or more characters on.
        ['\'', '\\', ..] => Some(at + 1 + quoted_len(&rest[1..], '\'')),
        ['\'', _, '\'', ..] => Some(at + 3),
        _ => None,
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    // In br"…" the b is part of the literal, not of a word before it.
    at > 0 && is_word(chars[at - 1]) && !(chars[at - 1] == 'b' && (at < 2 || !is_word(chars[at - 2])))
}

fn block_comment_len(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Characters up to and with the closing `quote`, backslashes honoured.
fn quoted_len(rest: &[char], quote: char) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// Characters of a raw string from its first `#` or quote; `None` if it is a raw identifier.
fn raw_string_len(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|&&c| c == '#').count();
    if rest.get(hashes) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = &rest[hashes + 1..];
    let end = body.windows(closing.len()).position(|window| window == closing).unwrap_or(body.len());
    Some(hashes + 1 + end + closing.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words of a line of code, in order.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

/// Every top-level module of its own crate that `code` names, with the line that does: `crate::a::b`, `crate::{a, b}`.
pub(crate) fn modules_named(code: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (position, _) in code.match_indices("crate::") {
        let line = 1 + code[..position].matches('\n').count();
        let rest = &code[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            named.extend(group_heads(group).into_iter().map(|module| (line, module)));
        } else if let Some(module) = words(rest.split(|c| !is_word(c)).next().unwrap_or("")).next() {
            named.push((line, module.to_owned()));
        }
    }
    named
}

/// The first word of each path in a use group, given what follows its opening brace.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut head) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(std::mem::take(&mut head)),
            _ if depth == 0 => head.push(c),
            _ => {}
        }
    }
    heads.push(head);
    heads.iter().filter_map(|path| words(path).next().map(str::to_owned)).collect()
}

/// A function and its lines, signature included, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: Range<usize>,
}

/// Every function with a body in `code`.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let starts = code.match_indices("fn ").map(|(at, _)| at);
    starts
        .filter(|&at| at == 0 || !code[..at].ends_with(is_word))
        .filter_map(|at| function_at(code, at))
        .collect()
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let rest = &code[at..];
    let after = &rest["fn ".len()..];
    // In a macro the name may still be a parameter.
    let name = words(after).next().filter(|name| after.starts_with(name))?.to_owned();
    // A semicolon before the body ends a declaration; one inside brackets is part of an array type.
    let mut brackets = 0;
    let open = rest.char_indices().find_map(|(index, c)| {
        match c {
            '[' | '(' => brackets += 1,
            ']' | ')' => brackets -= 1,
            ';' if brackets == 0 => return Some(None),
            '{' if brackets == 0 => return Some(Some(index)),
            _ => {}
        }
        None
    })??;
    let mut depth = 0;
    let close = rest[open..].char_indices().find_map(|(index, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(open + index)
    })?;
    let first = 1 + code[..at].matches('\n').count();
    let last = first + rest[..close].matches('\n').count();
    Some(Function { name, lines: first..last + 1 })
}

#[cfg(test)]
mod tests {
    use super::{Function, code_of, functions, modules_named};

    #[test]
    fn comments_and_literals_are_blanked_and_lines_kept() {
        let source = "a // unsafe\nb /* x /* y\n */ z */ c\n\"q\\\"{\" d r#\"}\"\"# e '{' '\\'' f b\"{\" br\"}\" &'g h\n";
        let code = code_of(source);
        assert_eq!(code.matches('\n').count(), source.matches('\n').count());
        let left: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(left, ["a", "b", "c", "d", "e", "f", "b", "b", "&'g", "h"]);
    }

    #[test]
    fn the_modules_of_single_and_grouped_paths_are_found() {
        let code = "use crate::sys::socket;\nuse crate::{slab::{Slab, Slot}, token};\nlet x = crate::units::Nanos(1);";
        let named: Vec<(usize, String)> = [(1, "sys"), (2, "slab"), (2, "token"), (3, "units")]
            .map(|(line, name)| (line, name.into()))
            .into();
        assert_eq!(modules_named(code), named);
    }

    #[test]
    fn a_function_spans_its_signature_and_body() {
        let code = "fn $name() {} trait T { fn declared(&self) -> [u8; 2]; }\nfn short() {}\nfn long(\n    x: [u8; 2],\n) {\n    if x {\n    }\n}\n";
        let found = [("short", 2..3), ("long", 3..9)];
        let found = found.map(|(name, lines)| Function { name: name.into(), lines });
        assert_eq!(functions(code), found);
    }
}
