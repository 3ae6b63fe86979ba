//! Which files of a crate import which, and the circles among them.
//!
//! What only tests see is left out, and so is what a file takes from the module that it is a part of: a folder's `mod.rs` may
//! hold what its files share. A name counts for the file that defines it, not for the `mod.rs` that hands it on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::rules::File;
use crate::scan::{code_of, words};

/// A module or an item below the root of its crate: `["server", "epoll"]`.
type Place = Vec<String>;

/// A name that a file takes from elsewhere.
struct Import {
    place: Place,
    /// What the file calls it.
    name: String,
    /// Whether others may take it from here.
    handed_on: bool,
}

/// A file of a crate.
struct Module {
    file: String,
    imports: Vec<Import>,
    /// Places that are named in the code itself.
    named: Vec<Place>,
}

/// The modules of a crate by their place.
type Crate = BTreeMap<Place, Module>;

/// Every circle of imports among the sources of each crate, as the files along it.
pub(crate) fn circles(files: &[File]) -> Vec<String> {
    let mut roots: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        if let Some(root) = root_of(&file.path) {
            roots.entry(root).or_default().push(file);
        }
    }
    roots.into_iter().flat_map(|(root, files)| circles_in(root, &files)).collect()
}

/// The folder `src` that the library file `path` is in.
fn root_of(path: &str) -> Option<&str> {
    let end = if path.starts_with("src/") { 4 } else { path.find("/src/")? + 5 };
    (path.ends_with(".rs") && !path.ends_with("src/main.rs")).then_some(&path[..end])
}

fn circles_in(root: &str, files: &[&File]) -> Vec<String> {
    let modules = crate_of(root, files);
    let graph: BTreeMap<&Place, BTreeSet<&Place>> =
        modules.keys().map(|place| (place, imported(&modules, place))).collect();
    let mut known: BTreeSet<&Place> = BTreeSet::new();
    let mut told = Vec::new();
    for &start in graph.keys() {
        if let Some(circle) = circle_through(&graph, start).filter(|_| !known.contains(start)) {
            told.push(
                circle.iter().map(|place| modules[*place].file.as_str()).collect::<Vec<_>>().join(" -> "),
            );
            known.extend(circle);
        }
    }
    told
}

/// The shortest circle through `start`, which is its first and its last file.
fn circle_through<'a>(
    graph: &BTreeMap<&'a Place, BTreeSet<&'a Place>>,
    start: &'a Place,
) -> Option<Vec<&'a Place>> {
    let mut paths = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop_front() {
        for &next in &graph[path[path.len() - 1]] {
            let further = [&path[..], &[next]].concat();
            if next == start {
                return Some(further);
            }
            if seen.insert(next) {
                paths.push_back(further);
            }
        }
    }
    None
}

/// Modules that the one at `place` imports, less those it is a part of.
fn imported<'a>(modules: &'a Crate, place: &Place) -> BTreeSet<&'a Place> {
    let own = &modules[place];
    let taken = own.imports.iter().filter(|import| !(import.handed_on && import.place.starts_with(place)));
    let all = taken.map(|import| &import.place).chain(&own.named);
    all.filter_map(|of| definer(modules, of, 0)).filter(|definer| !place.starts_with(definer)).collect()
}

/// The module that defines what is at `place`, behind every `mod.rs` that hands it on.
fn definer<'a>(modules: &'a Crate, place: &[String], depth: usize) -> Option<&'a Place> {
    // Names may be handed on in a circle; that is not what is looked for here.
    const DEPTH_MAX: usize = 16;
    let inside = (0..=place.len()).rev().find(|&end| modules.contains_key(&place[..end]))?;
    let (found, module) = modules.get_key_value(&place[..inside])?;
    let handed = place.get(inside).and_then(|name| module.imports.iter().find(|import| import.name == *name));
    match handed {
        Some(import) if depth < DEPTH_MAX => {
            definer(modules, &[&import.place, &place[inside + 1..]].concat(), depth + 1)
        }
        _ => Some(found),
    }
}

/// The modules in `files`, those left out that only tests have.
fn crate_of(root: &str, files: &[&File]) -> Crate {
    let code: BTreeMap<Place, (&File, String)> = files
        .iter()
        .map(|file| (place_of(root, &file.path), (*file, without_tests(&code_of(&file.text)))))
        .collect();
    let is_declared = |place: &Place| match place.split_last() {
        None => true,
        Some((name, parent)) => code.get(parent).is_some_and(|(_, text)| declares(text, name)),
    };
    let shipped = code.iter().filter(|(place, _)| is_declared(place));
    shipped.map(|(place, (file, text))| (place.clone(), module(place, &file.path, text))).collect()
}

fn place_of(root: &str, path: &str) -> Place {
    let inside = path[root.len()..].trim_end_matches(".rs");
    let mut place: Place = inside.split('/').map(str::to_owned).collect();
    if matches!(place.last().map(String::as_str), Some("mod" | "lib")) {
        place.pop();
    }
    place
}

fn declares(code: &str, name: &str) -> bool {
    code.match_indices("mod ").any(|(at, word)| {
        code[at + word.len()..]
            .trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().starts_with(';'))
    })
}

/// `code` less each item under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[item_len(rest)..];
    }
    kept + rest
}

/// Length of the item at the beginning of `code`: up to its semicolon or its last brace.
fn item_len(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, ';' | '}') {
            return at + 1;
        }
    }
    code.len()
}

fn module(place: &Place, file: &str, code: &str) -> Module {
    let (mut imports, mut body, mut rest) = (Vec::new(), String::new(), code);
    while let Some(at) = find_use(rest) {
        let end = rest[at..].find(';').map_or(rest.len(), |len| at + len);
        let before = rest[..at].trim_end();
        let handed_on = before.ends_with("pub") || before.ends_with(')');
        for (path, name) in paths(rest[at + "use ".len()..end].trim()) {
            imports.extend(absolute(place, code, &path).map(|place| Import { place, name, handed_on }));
        }
        body.push_str(&rest[..at]);
        rest = &rest[end..];
    }
    body.push_str(rest);
    let named = mentions(&body).into_iter().filter_map(|path| absolute(place, code, &path)).collect();
    Module { file: file.to_owned(), imports, named }
}

fn find_use(code: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("use ").map(|(at, _)| at).find(|&at| !code[..at].ends_with(is_word))
}

/// Each path of the use tree `tree`, with the name that it gets.
fn paths(tree: &str) -> Vec<(Place, String)> {
    let Some((prefix, group)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path: Place = path.split("::").map(|word| word.trim().to_owned()).collect();
        path.retain(|word| !matches!(word.as_str(), "" | "*"));
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name =
            if name.is_empty() { path.last().cloned().unwrap_or_default() } else { name.trim().to_owned() };
        return vec![(path, name)];
    };
    let group = group.rsplit_once('}').map_or(group, |(inside, _)| inside);
    let branches = split_at_commas(group).into_iter().filter(|branch| !branch.trim().is_empty());
    branches.flat_map(|branch| paths(&format!("{}{}", prefix.trim(), branch.trim()))).collect()
}

fn split_at_commas(group: &str) -> Vec<String> {
    let (mut depth, mut branches) = (0, vec![String::new()]);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            branches.push(String::new());
        } else if let Some(branch) = branches.last_mut() {
            branch.push(c);
        }
    }
    branches
}

/// Every path of more than one word in `code`.
fn mentions(code: &str) -> Vec<Place> {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let found = code.split(|c| !is_path(c)).filter(|text| text.contains("::") && !text.starts_with(':'));
    found.map(|text| words(text).map(str::to_owned).collect()).collect()
}

/// Where `path`, written in the module at `place`, begins from the root; `None` if it leads to another crate.
fn absolute(place: &Place, code: &str, path: &[String]) -> Option<Place> {
    let ups = path.iter().take_while(|word| *word == "super").count();
    match path.first().map(String::as_str)? {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([place, &path[1..]].concat()),
        "super" => Some([&place[..place.len().checked_sub(ups)?], &path[ups..]].concat()),
        child if declares(code, child) => Some([place, path].concat()),
        _ => None,
    }
}
