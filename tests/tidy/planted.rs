//! Files that break the rules, and others that come close.

use crate::rules::{self, File};

fn breaks(rule: fn(&File) -> Vec<String>, path: &str, text: &str) -> bool {
    !rule(&File { path: path.into(), text: text.into() }).is_empty()
}

#[test]
fn an_import_that_points_up_is_noticed() {
    let rule = rules::imports_point_down;
    assert!(breaks(rule, "src/sys/socket.rs", "use crate::server::epoll;"));
    assert!(breaks(rule, "src/server/epoll.rs", "use crate::{slab::Slab, client};"));
    assert!(breaks(rule, "src/client/load/flow.rs", "let x = crate::server::stats::StatsFile::default();"));
    assert!(breaks(rule, "src/server/connection.rs", "use crate::sys::Errno;"));
    assert!(breaks(rule, "src/newcomer.rs", "use crate::sys::Errno;"));
    assert!(!breaks(rule, "src/server/epoll.rs", "use crate::sys::{socket, Errno}; // not crate::client"));
    assert!(!breaks(rule, "src/main.rs", "use crate::server::epoll;"));
}

#[test]
fn unsafe_in_the_wrong_place_is_noticed() {
    // In two parts, so that a plain search for unsafe code finds none outside src/sys.
    let text = concat!("fn f() { unsafe", " { g() } }");
    assert!(breaks(rules::unsafe_is_in_sys, "src/server/uring.rs", text));
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
}
