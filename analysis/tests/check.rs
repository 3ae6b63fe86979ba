//! `analysis check` ends as the data says.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::MadeUp;

/// Runs `analysis check` on a made-up recording with one claim about its ratio, 0.8, in recordings of `size`.
fn check(size: &str, range: &str) -> Output {
    let scratch = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(&scratch.path().join("results"));
    let claims = scratch.path().join("claims.toml");
    let claim = format!(
        "[[claim]]\nid = \"ratio\"\nsentence = \"It is cheaper.\"\ncommand = \"none\"\ntime = \"none\"\ndisk = \"none\"\n\
         value = [\"experiments\", \"made-up\", \"means\", \"stream\", \"uring/epoll\", \"cpu_ns_per_message\", \"mean\"]\n\
         size = \"{size}\"\nrange = {range}\n"
    );
    fs::write(&claims, claim).unwrap();
    analysis(scratch.path(), &["check", "--claims", claims.to_str().unwrap()])
}

fn analysis(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_analysis")).args(arguments).current_dir(directory).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn claims_that_hold_end_in_success() {
    let output = check("quick", "[0.79, 0.81]");
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("holds         ratio: 0.8000"), "{}", printed(&output));
}

#[test]
fn a_contradicted_claim_ends_in_failure_and_is_named() {
    let output = check("quick", "[0.5, 0.6]");
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("CONTRADICTED  ratio: 0.8000"), "{}", printed(&output));
}

#[test]
fn a_claim_about_the_other_size_is_not_checked() {
    let output = check("full", "[0.5, 0.6]");
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("not checked   ratio: recorded as quick"), "{}", printed(&output));
    assert!(printed(&output).contains("0 of 1 claims contradicted"), "{}", printed(&output));
}

#[test]
fn the_claims_about_the_published_results_hold() {
    let scratch = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(&scratch.path().join("results"));
    let output = analysis(scratch.path(), &["check"]);
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("holds         published-stream"), "{}", printed(&output));
}

#[test]
fn an_analysis_says_what_counts_and_where_it_wrote() {
    let scratch = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(&scratch.path().join("results"));
    let output = analysis(scratch.path(), &["--out", "out"]);
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("made-up 20260101T000000Z-000001: 12 of 12 runs count (0 flagged)"));
    assert!(printed(&output).contains("wrote out/values.json"), "{}", printed(&output));
    assert!(scratch.path().join("out/values.json").is_file());
}

#[test]
fn a_users_mistake_is_told_in_one_line_however_much_rust_is_asked_to_trace() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis"));
    command.args(["--results", "."]).current_dir(empty.path());
    let output = command.env("RUST_BACKTRACE", "1").env("RUST_LIB_BACKTRACE", "1").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("analysis: ") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn help_that_cannot_be_written_is_an_error_and_a_reader_that_left_is_none() {
    let help = |argument: &str, stdout: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_analysis"));
        let output = command.arg(argument).stdout(stdout).output().unwrap();
        (output.status.code(), printed(&output))
    };
    for argument in ["--help", "--version"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, said) = help(argument, full.into());
        assert!(code == Some(1) && said.starts_with("analysis: cannot write the help: "), "{said}");
        assert_eq!(help(argument, std::io::pipe().unwrap().1.into()), (Some(0), String::new()));
    }
    assert_eq!(help("--no-such", Stdio::null()).0, Some(2));
}
