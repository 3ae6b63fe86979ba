//! Variants, each beside what it is a variant of: what one thing different changes comes out, by workload.

mod support;

use std::fs;

use analysis::figure::study::{Origin, chapters};
use analysis::output;
use analysis::study::Study;
use experiments::spec::Size;
use polars::prelude::DataFrame;
use polars_io::SerReader;
use polars_io::prelude::CsvReader;
use support::{DEEP_RATIO, RATIO, write_part};

/// Both engines and a variant of each: all of them take a minute.
const FEW: &str = "engine=uring,engine=epoll,engine=uring-coop,engine=epoll-level";

/// The value in `column` of the row of `engine` in `workload`.
fn number(table: &DataFrame, workload: &str, engine: &str, column: &str) -> Option<f64> {
    let texts = |name: &str| table.column(name).unwrap().str().unwrap().clone();
    let (workloads, engines, against) = (texts("workload"), texts("engine"), texts("against"));
    let is = |row: &usize| {
        let is_own = workloads.get(*row) == Some(workload) && engines.get(*row) == Some(engine);
        is_own && (engine != "uring" || against.get(*row) == Some("epoll"))
    };
    let row = (0..table.height()).find(is).unwrap_or_else(|| panic!("no {engine} in {workload}: {table}"));
    table.column(column).unwrap().f64().unwrap().get(row)
}

#[test]
fn what_one_thing_different_changes_is_a_row_for_each_workload() {
    let (results, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let study = Study::read(&[write_part("ablation", Size::Quick, FEW, results.path())]).unwrap();
    output::write(&study, out.path()).unwrap();
    let path = out.path().join("tables/ablation_changes.csv");
    let table = CsvReader::new(fs::File::open(path).unwrap()).finish().unwrap();
    let comparisons = study.values.experiments["ablation"].grid.ratios.len();
    assert_eq!(table.height(), 3 * comparisons);
    // What is made up of io_uring holds of the engine itself: its variants cost what epoll costs. All drift from pair to pair.
    let changes = [
        ("stream", "uring", RATIO - 1.0),
        ("stream", "uring-coop", 1.0 / RATIO - 1.0),
        ("stream/inflight-unbounded", "uring", DEEP_RATIO - 1.0),
        ("stream/inflight-unbounded", "uring-coop", 1.0 / DEEP_RATIO - 1.0),
        ("req-res", "uring-coop", 1.0 / RATIO - 1.0),
        ("req-res", "epoll-level", 0.0),
    ];
    for (workload, engine, change) in changes {
        for column in ["cpu_change_share", "cpu_change_share_low", "cpu_change_share_high"] {
            let got = number(&table, workload, engine, column).unwrap();
            assert!((got - change).abs() < 1e-9, "{workload} {engine} {column}: {got} and not {change}");
        }
        assert_eq!(number(&table, workload, engine, "smallest_effect_share"), Some(0.0));
    }
    // 512 connections and the server, the largest cell.
    assert_eq!(
        number(&table, "req-res", "uring-coop", "server_rss_max_bytes"),
        Some(1_000_000.0 + 512.0 * 300.0)
    );
}

#[test]
fn variants_are_one_forest_with_the_noise_drawn_in_and_a_table_beside_it() {
    let (results, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let study = Study::read(&[write_part("ablation", Size::Quick, FEW, results.path())]).unwrap();
    let chapter = chapters(&study, &Origin::default()).unwrap().remove(0);
    let stems: Vec<&str> = chapter.figures.iter().map(|drawn| drawn.figure.stem.as_str()).collect();
    assert_eq!(stems, ["ablation-cpu"]);
    let svg = chapter.figures[0].figure.svg();
    let titles = ["Streaming", "Streaming, unbounded in flight", "Request-response"];
    for part in titles.iter().chain(&["against io_uring", "against epoll", "io_uring-coop"]) {
        assert!(svg.contains(&format!(">{part}<")), "{part} is not in the figure");
    }
    assert!(svg.contains("the same server, measured twice") && svg.contains("claims nothing"));
    output::write(&study, out.path()).unwrap();
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    assert!(page.contains("Request-response: what one thing different changes.") && page.contains("+25.0 %"));
}
