//! The paper compiles from a fixture, to the same bytes each time, and refuses to compile without what it cites.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use paper::compile::{Paper, compile};
use paper::inputs::Inputs;
use paper::text::{FILES, Text};
use paper::values::Values;
use serde_json::Value;
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The made-up values, changed by `change`.
fn values(change: impl FnOnce(&mut Value)) -> Values {
    let text = fs::read(fixtures().join("values.json")).expect("the fixture is there");
    let mut document = serde_json::from_slice(&text).expect("the fixture is JSON");
    change(&mut document);
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("values.json");
    fs::write(&path, document.to_string()).expect("the values are written");
    Values::read(&path).expect("the values are an object")
}

fn inputs(values: Values) -> Inputs {
    Inputs { text: Text::BuiltIn, values, figures: fixtures().join("figures"), without: Vec::new() }
}

fn compiled(inputs: Inputs) -> Paper {
    compile(inputs).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(inputs: Inputs) -> String {
    compile(inputs).expect_err("the paper must not compile").to_string()
}

/// What is said of `text` as the file `values.json`.
fn refusal_of_values(text: &str) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("values.json");
    fs::write(&path, text).expect("the values are written");
    let error = Values::read(&path).expect_err("such values must be refused").to_string();
    assert!(error.contains("values.json"), "{error}");
    error
}

#[test]
fn the_fixture_compiles_without_a_warning() {
    let paper = compiled(inputs(values(|_| {})));
    assert!(paper.pdf.starts_with(b"%PDF-"));
    assert!(paper.pages > 1, "{} pages", paper.pages);
    assert_eq!(paper.warnings, "");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let once = compiled(inputs(values(|_| {})));
    let again = compiled(inputs(values(|_| {})));
    assert!(once.pdf == again.pdf, "{} and {} bytes", once.pdf.len(), again.pdf.len());
    let other = compiled(inputs(values(|document| document["fixture"] = Value::Bool(false))));
    assert!(once.pdf != other.pdf, "values do not reach the document");
}

#[test]
fn a_missing_value_is_named() {
    let error = refusal(inputs(values(|document| {
        let metrics = &mut document["experiments"]["stream"]["means"]["stream"]["uring/epoll"];
        metrics.as_object_mut().expect("an object").remove("cpu_ns_per_message");
    })));
    assert!(error.contains("experiments.stream.means.stream.uring/epoll.cpu_ns_per_message"), "{error}");
    assert!(error.contains("paper/lib/values.typ:"), "no file and line: {error}");
    assert!(error.contains("paper/sections/"), "no place in the text: {error}");
}

#[test]
fn a_null_that_is_cited_is_named() {
    let error = refusal(inputs(values(|document| {
        document["experiments"]["stream"]["repetitions"] = Value::Null;
    })));
    assert!(error.contains("null for experiments.stream.repetitions"), "{error}");
}

#[test]
fn a_missing_figure_is_named() {
    let empty = TempDir::new().expect("a temporary folder");
    for figure in fs::read_dir(fixtures().join("figures")).expect("the fixture has figures").flatten() {
        if figure.file_name() != "stream-ratios-cpu.svg" {
            fs::copy(figure.path(), empty.path().join(figure.file_name())).expect("a figure is copied");
        }
    }
    let error = refusal(Inputs { figures: empty.path().into(), ..inputs(values(|_| {})) });
    assert!(error.contains("figure stream-ratios-cpu.svg is missing"), "{error}");
    assert!(error.contains("--figures"), "no remedy: {error}");
}

#[test]
fn an_experiment_without_a_recording_must_be_left_out_by_name() {
    let without_scale = || {
        values(|document| {
            document["experiments"].as_object_mut().expect("an object").remove("scale");
        })
    };
    let error = refusal(inputs(without_scale()));
    assert!(error.contains("experiments.scale"), "{error}");
    compiled(Inputs { without: vec!["scale".into()], ..inputs(without_scale()) });
}

#[test]
fn values_that_are_not_json_are_refused_with_the_place() {
    let error = refusal_of_values("{\n  \"schema_version\": 1,\n  oops\n}");
    assert!(error.contains("are not JSON") && error.contains("line 3 column 3"), "{error}");
}

#[test]
fn values_that_are_no_object_are_refused() {
    assert!(refusal_of_values("[1, 2]").contains("are a list and not an object"));
}

#[test]
fn missing_values_are_refused_with_the_command_that_makes_them() {
    let error = Values::read(Path::new("no/such/values.json")).expect_err("there are none").to_string();
    assert!(error.contains("no/such/values.json") && error.contains("analysis --out"), "{error}");
}

#[test]
fn every_file_of_the_text_is_built_in() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = text_files(root, root);
    found.sort();
    let mut built_in: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
    built_in.sort_unstable();
    assert_eq!(found, built_in);
}

/// Paths below `root` of the Typst and bibliography files in `folder`.
fn text_files(root: &Path, folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder can be read").flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                return text_files(root, &path);
            }
            let is_text = path.extension().is_some_and(|extension| extension == "typ" || extension == "bib");
            let below = path.strip_prefix(root).expect("it lies below the root");
            is_text.then(|| below.to_string_lossy().into_owned()).into_iter().collect()
        })
        .collect()
}

#[test]
fn help_that_cannot_be_written_is_an_error_and_a_reader_that_left_is_none() {
    let help = |argument: &str, stdout: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paper"));
        let output = command.arg(argument).stdout(stdout).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for argument in ["--help", "--version"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let (code, said) = help(argument, full.into());
        assert!(code == Some(1) && said.starts_with("paper: cannot write the help: "), "{said}");
        let left = std::io::pipe().expect("a pipe").1;
        assert_eq!(help(argument, left.into()), (Some(0), String::new()));
    }
    assert_eq!(help("--no-such", Stdio::null()).0, Some(2));
}
