//! Files that break the rules, and others that come close.

use crate::imports;
use crate::rules::{self, File};

fn breaks(rule: fn(&File) -> Vec<String>, path: &str, text: &str) -> bool {
    !rule(&File { path: path.into(), text: text.into() }).is_empty()
}

#[test]
fn an_import_that_points_up_is_noticed() {
    let rule = rules::imports_point_down;
    assert!(breaks(rule, "src/sys/socket.rs", "use crate::server::epoll;"));
    assert!(breaks(rule, "src/server/epoll/mod.rs", "use crate::{slab::Slab, client};"));
    assert!(breaks(
        rule,
        "src/client/load/flow.rs",
        "let x = crate::server::shell::stats::StatsFile::default();"
    ));
    assert!(breaks(rule, "src/server/core/connection.rs", "use crate::sys::Errno;"));
    assert!(breaks(rule, "src/newcomer.rs", "use crate::sys::Errno;"));
    assert!(!breaks(
        rule,
        "src/server/epoll/mod.rs",
        "use crate::sys::{socket, Errno}; // not crate::client"
    ));
    assert!(!breaks(rule, "src/main.rs", "use crate::server::epoll;"));
}

/// The circles in a crate of `files`, each its name below `a/src/` and its text.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let planted =
        files.iter().map(|(name, text)| File { path: format!("a/src/{name}"), text: (*text).to_owned() });
    imports::circles(&planted.collect::<Vec<_>>())
}

#[test]
fn a_circle_of_imports_is_noticed() {
    let lib = ("lib.rs", "mod b; mod c; mod d;");
    let found = circles(&[
        lib,
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "fn f() { super::d::g() }"),
        ("d.rs", "use super::b;"),
    ]);
    assert_eq!(found, ["a/src/b.rs -> a/src/c.rs -> a/src/d.rs -> a/src/b.rs"]);
    assert!(
        circles(&[
            lib,
            ("b.rs", "use crate::{c::C, d};"),
            ("c.rs", "use super::d::{self, E};"),
            ("d.rs", "")
        ])
        .is_empty()
    );
}

#[test]
fn a_name_that_a_folder_hands_on_counts_for_the_file_that_defines_it() {
    let lib = ("lib.rs", "mod b;");
    let folder = ("b/mod.rs", "mod c; mod d; pub use c::C; pub(crate) use d::D;");
    let found = circles(&[lib, folder, ("b/c.rs", "use super::D;"), ("b/d.rs", "use crate::b::C as Other;")]);
    assert_eq!(found, ["a/src/b/c.rs -> a/src/b/d.rs -> a/src/b/c.rs"]);
    assert!(circles(&[lib, folder, ("b/c.rs", "use super::D;"), ("b/d.rs", "")]).is_empty());
}

#[test]
fn what_is_no_circle_of_imports_is_let_pass() {
    let lib = ("lib.rs", "mod b; mod c;");
    let part_of_it = ("b/mod.rs", "mod d; struct B; fn f() { d::g() }");
    assert!(circles(&[("lib.rs", "mod b;"), part_of_it, ("b/d.rs", "use super::B;")]).is_empty());
    let of_tests = ("c.rs", "#[cfg(test)]\nmod tests { use crate::b::B; }\n// use crate::b;");
    assert!(circles(&[lib, ("b.rs", "use crate::c::C;"), of_tests]).is_empty());
    let tests = ("c/tests.rs", "use crate::b::B;");
    assert!(
        circles(&[lib, ("b.rs", "use crate::c::C;"), ("c.rs", "#[cfg(test)] mod tests;"), tests]).is_empty()
    );
}

#[test]
fn unsafe_in_the_wrong_place_is_noticed() {
    // In two parts, so that a plain search for unsafe code finds none outside src/sys.
    let text = concat!("fn f() { unsafe", " { g() } }");
    assert!(breaks(rules::unsafe_is_in_sys, "src/server/uring/mod.rs", text));
    assert!(!breaks(rules::unsafe_is_in_sys, "src/sys/ring.rs", text));
    assert!(!breaks(
        rules::unsafe_is_in_sys,
        "src/lib.rs",
        "//! unsafe\n#![deny(unsafe_code)] const A: &str = \"unsafe\";"
    ));
}

#[test]
fn a_file_of_one_line_too_many_is_noticed() {
    assert!(breaks(rules::files_are_short, "a.rs", &"\n".repeat(rules::FILE_LINES_MAX + 1)));
    assert!(!breaks(rules::files_are_short, "a.rs", &"\n".repeat(rules::FILE_LINES_MAX)));
}

#[test]
fn a_function_of_one_line_too_many_is_noticed() {
    let of_lines = |count: usize| format!("fn f() {{{}}}", "\n".repeat(count - 1));
    assert!(breaks(rules::functions_are_short, "a.rs", &of_lines(rules::FUNCTION_LINES_MAX + 1)));
    assert!(!breaks(rules::functions_are_short, "a.rs", &of_lines(rules::FUNCTION_LINES_MAX)));
}

#[test]
fn what_is_unfinished_is_noticed() {
    let rule = rules::nothing_is_unfinished;
    assert!(breaks(rule, "a.rs", &format!("fn f() {{ {}!() }}", "todo")));
    assert!(breaks(rule, "a.rs", &format!("// {}{}: later", "TO", "DO")));
    assert!(!breaks(rule, "a.rs", "// nothing to do\nlet todo = 1;"));
}

#[test]
fn twins_out_of_step_are_noticed() {
    let text = |names: &[&str]| names.iter().map(|name| format!("fn {name}() {{}}\n")).collect::<String>();
    let mut names = rules::TWINS_DEFINE;
    assert!(!breaks(rules::twin_keeps_the_order, "a.rs", &text(&names)));
    names.swap(3, 4);
    assert!(breaks(rules::twin_keeps_the_order, "a.rs", &text(&names)));
    assert!(breaks(rules::twin_keeps_the_order, "a.rs", &text(&rules::TWINS_DEFINE[1..])));
    assert!(breaks(rules::twin_keeps_the_order, "a/stop.rs", &text(&["on_tick", "on_signal"])));
}

#[test]
fn a_path_of_one_machine_is_noticed() {
    let rule = rules::no_machine_is_named;
    for home in ["root", "home", "work"] {
        assert!(breaks(rule, "docs/a.md", &format!("cd /{home}/somebody/echo")));
        assert!(!breaks(rule, "docs/a.md", &format!("cd ./{home}/somebody; https://example.org/{home}/x")));
    }
}

#[test]
fn a_test_named_in_a_word_is_noticed() {
    let rule = rules::tests_are_sentences;
    assert!(breaks(rule, "a.rs", "#[test]\nfn works() {}"));
    assert!(breaks(rule, "a.rs", "#[test]\n#[should_panic(expected = \"x\")]\nfn test_1() {}"));
    assert!(!breaks(rule, "a.rs", "#[test]\nfn one_byte_comes_back() {}\nfn helper() {}"));
}

#[test]
fn a_package_from_elsewhere_is_noticed() {
    let rule = rules::sources_are_public;
    assert!(breaks(rule, "Cargo.lock", "source = \"git+https://example.org/x\""));
    assert!(!breaks(rule, "Cargo.lock", "source = \"registry+https://example.org/index\""));
}

#[test]
fn a_package_without_lints_is_noticed() {
    assert!(breaks(rules::lints_are_inherited, "Cargo.toml", "[package]\n[dependencies]\n"));
    assert!(!breaks(rules::lints_are_inherited, "Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n"));
    assert!(!breaks(rules::lints_are_inherited, "Cargo.toml", "[workspace]\nmembers = []\n"));
}
