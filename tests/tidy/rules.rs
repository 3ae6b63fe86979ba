//! The rules: each takes a file and says where it is broken.

use crate::scan::{code_of, functions, modules_named, words};

/// A file of the repository.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Lines of a file, as far as one still reads it as a whole.
pub(crate) const FILE_LINES_MAX: usize = 500;

/// Lines of a function, as far as one still sees it on a screen.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;

/// Modules of the library from top to bottom. One may name those below it and those beside it, but for
/// [`APART`].
pub(crate) const LAYERS: [&[&str]; 4] = [
    &["cli"],
    &["client", "probe", "server"],
    &["measure", "record", "refusal"],
    &["cpu_list", "hash", "kernel_version", "random", "slab", "sys", "table", "token", "units", "words"],
];

/// Modules that share a layer and must not know of each other.
const APART: [(&str, &str); 2] = [("server", "client"), ("client", "server")];

/// Files that decide and do no I/O.
pub(crate) const PURE: [&str; 5] = [
    "src/server/core/budget.rs",
    "src/server/core/connection.rs",
    "src/server/core/queue.rs",
    "src/client/load/schedule.rs",
    "src/client/load/arrivals.rs",
];

/// What each of the twins defines, in the order in which a byte travels, so that a side-by-side diff shows where they differ.
pub(crate) const TWINS_DEFINE: [&str; 14] = [
    "run",
    "iterate",
    "may_accept",
    "on_accept",
    "accept",
    "pause_accepting",
    "reap",
    "on_recv",
    "on_starved",
    "on_send",
    "advance",
    "on_fault",
    "rearm",
    "close",
];

/// The same for how they stop, in a file of its own.
const TWINS_STOP: [&str; 4] = ["on_signal", "on_tick", "for_each_peer", "is_finished"];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Imports point down the layers, server and client are apart, and what is pure calls no system.
pub(crate) fn imports_point_down(file: &File) -> Vec<String> {
    let Some(own) = module_of(&file.path) else { return Vec::new() };
    let mut broken = Vec::new();
    let Some(own_layer) = layer_of(own) else {
        return vec![format!("{}: module {own} has no layer in tests/tidy/rules.rs", file.path)];
    };
    for (line, named) in modules_named(&code_of(&file.text)) {
        let says = |what: &str| format!("{}:{line}: {own} {what} {named}", file.path);
        match layer_of(&named) {
            None => broken.push(says("names an unknown module")),
            Some(layer) if layer < own_layer => broken.push(says("is below")),
            Some(_) if APART.contains(&(own, named.as_str())) => broken.push(says("must not know of")),
            Some(_) if PURE.contains(&file.path.as_str()) && named == "sys" => {
                broken.push(says("is pure and names"));
            }
            Some(_) => {}
        }
    }
    broken
}

/// Top-level module of the library that `path` belongs to.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let top = inside.split('/').next()?;
    (!matches!(top, "lib" | "main")).then_some(top)
}

/// `unsafe` stays in src/sys.
pub(crate) fn unsafe_is_in_sys(file: &File) -> Vec<String> {
    if file.path.starts_with("src/sys/") {
        return Vec::new();
    }
    lines_where(file, |line| words(line).any(|word| word == "unsafe"), "unsafe outside of src/sys")
}

/// No file is too long.
pub(crate) fn files_are_short(file: &File) -> Vec<String> {
    let count = file.text.lines().count();
    let broken = (count > FILE_LINES_MAX).then(|| format!("{}: {count} lines", file.path));
    broken.into_iter().collect()
}

/// No function is too long.
pub(crate) fn functions_are_short(file: &File) -> Vec<String> {
    let long = |lines: usize| lines > FUNCTION_LINES_MAX;
    functions(&code_of(&file.text))
        .into_iter()
        .filter(|function| long(function.lines.len()))
        .map(|f| format!("{}:{}: {} has {} lines", file.path, f.lines.start, f.name, f.lines.len()))
        .collect()
}

/// Nothing is left for later, and no debugging aid is left behind.
pub(crate) fn nothing_is_unfinished(file: &File) -> Vec<String> {
    let macros = ["todo", "unimplemented", "dbg"];
    let in_code = lines_where(
        file,
        |line| words(line).any(|word| macros.contains(&word)) && line.contains('!'),
        "unfinished",
    );
    // Put together here, so that this file does not contain them.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|halves| halves.concat());
    let in_text = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| words(line).any(|word| marks.iter().any(|mark| mark == word)));
    let in_text = in_text.map(|(index, _)| format!("{}:{}: left for later", file.path, index + 1));
    in_code.into_iter().chain(in_text).collect()
}

/// No path of somebody's machine is written down.
pub(crate) fn no_machine_is_named(file: &File) -> Vec<String> {
    let homes = ["root", "home", "work", "Users"].map(|name| format!("/{name}/"));
    let names_home = |line: &str| {
        homes.iter().any(|home| {
            line.match_indices(home.as_str()).any(|(at, _)| !line[..at].ends_with(|c: char| is_path(c)))
        })
    };
    let named = file.text.lines().enumerate().filter(|(_, line)| names_home(line));
    named.map(|(index, _)| format!("{}:{}: a path of one machine", file.path, index + 1)).collect()
}

/// A character before which a slash does not begin an absolute path.
fn is_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | '*')
}

/// Tests are named in sentences.
pub(crate) fn tests_are_sentences(file: &File) -> Vec<String> {
    let code = code_of(&file.text);
    let lines: Vec<&str> = code.lines().collect();
    let is_test = |start: usize| {
        let before = lines[..start - 1].iter().rev();
        before.take_while(|line| line.trim_start().starts_with("#[")).any(|line| line.trim() == "#[test]")
    };
    functions(&code)
        .into_iter()
        .filter(|function| is_test(function.lines.start) && function.name.matches('_').count() < 2)
        .map(|f| format!("{}:{}: test {} is not named in a sentence", file.path, f.lines.start, f.name))
        .collect()
}

/// The twin `file` defines what both define, in their common order.
pub(crate) fn twin_keeps_the_order(file: &File) -> Vec<String> {
    let defined = functions(&code_of(&file.text)).into_iter().map(|function| function.name);
    let order: &[&str] = if file.path.ends_with("/stop.rs") { &TWINS_STOP } else { &TWINS_DEFINE };
    let shared: Vec<String> = defined.filter(|name| order.contains(&name.as_str())).collect();
    if shared == order {
        return Vec::new();
    }
    vec![format!("{}: defines {shared:?}, its order is {order:?}", file.path)]
}

/// Every package comes from a registry, which `cargo deny` holds to be the public one.
pub(crate) fn sources_are_public(file: &File) -> Vec<String> {
    let sources = file.text.lines().filter_map(|line| line.strip_prefix("source = "));
    let foreign = sources.filter(|source| !source.starts_with("\"registry+"));
    foreign.map(|source| format!("{}: a package from {source}", file.path)).collect()
}

/// A package takes the lints of the workspace.
pub(crate) fn lints_are_inherited(file: &File) -> Vec<String> {
    let is_package = file.text.contains("[package]\n");
    let inherits = file.text.contains("\n[lints]\nworkspace = true\n");
    if inherits || !is_package {
        Vec::new()
    } else {
        vec![format!("{}: no `lints.workspace = true`", file.path)]
    }
}

fn lines_where(file: &File, broken: impl Fn(&str) -> bool, what: &str) -> Vec<String> {
    let code = code_of(&file.text);
    let found = code.lines().enumerate().filter(|(_, line)| broken(line));
    found.map(|(index, _)| format!("{}:{}: {what}", file.path, index + 1)).collect()
}
