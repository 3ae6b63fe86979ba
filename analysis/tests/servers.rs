//! `analysis servers` and its figure: many servers beside one.

mod support;

use std::process::Command;

use analysis::figure::study::{Origin, chapters};
use analysis::study::Study;
use experiments::spec::Size;
use support::{MadeUp, write_part};

fn printed(results: &std::path::Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis"));
    let output = command.args(["servers", "--results"]).arg(results).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn many_servers_have_a_row_and_a_figure_and_no_bars_that_nobody_could_tell_apart() {
    let results = tempfile::tempdir().unwrap();
    let folder = write_part("runtimes", Size::Quick, "payload_bytes=256", results.path());
    let table = printed(results.path());
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let heads = ["CPU per message ÷ epoll", "stream", "stream, unbounded in flight", "req-res", "least Jain"];
    assert_eq!(rows[0], heads);
    assert_eq!(rows.len(), 2 + 16, "{table}");
    assert_eq!((rows[2][0], rows[17][0]), ("io_uring", "glommio-tuned"));
    let chapters = chapters(&Study::read(&[folder]).unwrap(), &Origin::default()).unwrap();
    let stems: Vec<&str> = chapters[0].figures.iter().map(|drawn| drawn.figure.stem.as_str()).collect();
    let expected = ["side-by-side", "ratios-cpu", "ratios-throughput", "beside-2023"];
    assert_eq!(stems, expected.map(|what| format!("runtimes-{what}")), "and no bars in 17 colours");
}

#[test]
fn two_servers_are_not_many() {
    let results = tempfile::tempdir().unwrap();
    MadeUp::small("made-up").write(results.path());
    assert!(printed(results.path()).starts_with("No recording puts many servers"));
}
