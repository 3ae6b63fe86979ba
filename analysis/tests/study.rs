//! Whole recordings through everything: the numbers put in come out, the same bytes every time, at the study's size.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use analysis::output;
use analysis::recording::newest_of_each_experiment;
use analysis::statistics::Word;
use analysis::study::Study;
use experiments::recording::manifest::Attempt;
use experiments::spec::Size;
use polars::prelude::DataFrame;
use polars_io::SerReader;
use polars_io::prelude::{CsvReader, ParquetReader};
use support::{BYTES_PER_CONNECTION, DEEP_RATIO, MadeUp, RATIO, write_built_in};

/// The files of an analysis of `folders`, by their path below its folder.
fn analysed(folders: &[PathBuf]) -> Vec<(PathBuf, Vec<u8>)> {
    let out = tempfile::tempdir().unwrap();
    let study = Study::read(folders).unwrap();
    let files = output::write(&study, out.path()).unwrap();
    files
        .iter()
        .map(|file| (file.strip_prefix(out.path()).unwrap().into(), fs::read(file).unwrap()))
        .collect()
}

fn parquet(path: &Path) -> DataFrame {
    ParquetReader::new(fs::File::open(path).unwrap()).finish().unwrap()
}

#[test]
fn the_ratio_that_was_put_in_comes_out() {
    let results = tempfile::tempdir().unwrap();
    let study = Study::read(&[MadeUp::small("made-up").write(results.path())]).unwrap();
    let experiment = &study.values.experiments["made-up"];
    for mode in ["stream", "req-res"] {
        let mean = &experiment.grid.means[mode]["uring/epoll"]["cpu_ns_per_message"];
        assert!((mean.mean.unwrap() - RATIO).abs() < 1e-9, "{mean:?}");
        assert_eq!((mean.cells, mean.intervals_below_1, mean.verdict), (1, 1, Word::NoClaim));
    }
    let control = &experiment.control["cpu_ns_per_message"];
    assert_eq!((control.ratio.n, control.contains_1, control.smallest_effect), (4, Some(true), Some(0.0)));
    let latency = experiment.grid.cells["req-res/256B/c2"].engines["uring"].latency.unwrap();
    assert_eq!(latency.count, 300);
    assert!(latency.p50_ns.abs_diff(20_000) <= 20 && latency.max_ns.abs_diff(30_000) <= 30, "{latency:?}");
}

#[test]
fn deep_queues_are_in_no_mean_and_no_control_of_short_ones() {
    let results = tempfile::tempdir().unwrap();
    let of = |made_up: MadeUp| {
        let study = Study::read(&[made_up.write(results.path())]).unwrap();
        study.values.experiments.into_values().next().unwrap()
    };
    let (short, deep) = (of(MadeUp::small("short")), of(MadeUp::with_deep_queues("deep")));
    let mean = |workload: &str| deep.grid.means[workload]["uring/epoll"]["cpu_ns_per_message"].mean.unwrap();
    for (workload, ratio) in
        [("stream", RATIO), ("stream/inflight-unbounded", DEEP_RATIO), ("req-res", RATIO)]
    {
        assert!((mean(workload) - ratio).abs() < 1e-9, "{workload}: {}", mean(workload));
    }
    assert_eq!(deep.grid.least_jain.keys().collect::<Vec<_>>(), deep.grid.means.keys().collect::<Vec<_>>());
    assert_eq!(deep.control, short.control);
    assert_eq!(deep.control_in_flight.keys().collect::<Vec<_>>(), ["unbounded"]);
    assert_eq!(deep.control_in_flight["unbounded"]["cpu_ns_per_message"].ratio.n, 4);
}

#[test]
fn deep_queues_have_figures_and_a_column_of_their_own_and_short_ones_keep_theirs() {
    let results = tempfile::tempdir().unwrap();
    let files = |made_up: MadeUp| {
        let files = analysed(&[made_up.write(results.path())]);
        files.into_iter().map(|(path, content)| (path.display().to_string(), content)).collect::<Vec<_>>()
    };
    let (short, deep) = (files(MadeUp::small("short")), files(MadeUp::with_deep_queues("deep")));
    let text = |files: &[(String, Vec<u8>)], name: &str| {
        let found = files.iter().find(|(path, _)| path == name);
        String::from_utf8(found.unwrap_or_else(|| panic!("no {name}")).1.clone()).unwrap()
    };
    assert!(!text(&short, "tables/short.csv").contains("in_flight_bytes"));
    assert!(
        text(&deep, "tables/deep.csv")
            .starts_with("cell,mode,payload_bytes,connections,in_flight_bytes,engine")
    );
    assert!(
        text(&deep, "tables/deep.csv")
            .contains("stream/4096B/c8/inflight-unbounded,stream,4096,8,unbounded,epoll")
    );
    assert!(!text(&short, "values.json").contains("in_flight"));
    let titles = ["Streaming", "Streaming, unbounded in flight", "Request-response"];
    for (name, experiment) in [("figures/deep-ratios-cpu.svg", ""), ("figures/answer.svg", " (deep)")] {
        let svg = text(&deep, name);
        let missing = titles.iter().find(|title| !svg.contains(&format!(">{title}{experiment}<")));
        assert_eq!(missing, None, "{name}");
    }
    let costs = ["deep-stream-cpu", "deep-stream-cpu-inflight-unbounded"];
    let [short, deep] = costs.map(|stem| text(&deep, &format!("figures/{stem}.svg")));
    assert!(
        short.contains(">Streaming: server CPU")
            && deep.contains(">Streaming, unbounded in flight: server CPU")
    );
}

#[test]
fn what_disturbed_the_runs_that_count_comes_out() {
    let results = tempfile::tempdir().unwrap();
    let study = Study::read(&[MadeUp::small("made-up").write(results.path())]).unwrap();
    let noise = &study.values.experiments["made-up"].noise;
    // Twelve measured runs, each as noisy as its number; the controls after them are louder and do not count.
    let waited = &noise["psi_cpu_some_ns"];
    assert_eq!((waited.median, waited.worst, waited.n), (Some(6.5), Some(12.0), 12));
    let stolen = &noise["steal_ns"];
    assert_eq!((stolen.median, stolen.worst, stolen.n), (None, None, 0));
    assert_eq!(noise["client_involuntary_switches"].worst, Some(2.0));
    assert!(
        noise.contains_key("server_core_foreign_share") && noise.contains_key("server_involuntary_switches")
    );
}

#[test]
fn hogs_and_the_weight_of_a_connection_come_out_where_there_are_any() {
    let results = tempfile::tempdir().unwrap();
    let folders = ["fairness", "scale"].map(|id| write_built_in(id, Size::Quick, results.path()));
    let study = Study::read(&folders).unwrap();
    let engine = |experiment: &str, cell: &str| {
        let grid = &study.values.experiments[experiment].grid;
        let cell =
            grid.cells.get(cell).unwrap_or_else(|| panic!("{cell} is not among {:?}", grid.cell_order));
        cell.engines["uring"].clone()
    };
    let beside = engine("fairness", "req-res/256B/c32/hogs32-greedy");
    let get = beside.metrics["hogs_received_bytes_per_s"].median.unwrap();
    let send = beside.metrics["hogs_sent_bytes_per_s"].median.unwrap();
    // The window that is made up has just above two seconds.
    assert!((get - 998_000.0).abs() < 1000.0 && (send / get - 2.0).abs() < 1e-9, "{get} {send}");
    assert_eq!(engine("fairness", "req-res/256B/c32").metrics["hogs_sent_bytes_per_s"].n, 0);
    let weight = |cell: &str| engine("scale", cell).server_rss_max_bytes_per_connection;
    for cell in ["req-res/512B/c9000", "req-res/512B/c8/idle9000"] {
        assert_eq!(weight(cell), Some(BYTES_PER_CONNECTION as f64), "{cell}");
    }
    assert_eq!((weight("req-res/512B/c1000"), weight("req-res/512B/c8/idle1000")), (None, None));
}

#[test]
fn the_same_recordings_give_the_same_bytes() {
    let results = tempfile::tempdir().unwrap();
    let folders = ["one", "two"].map(|name| MadeUp::small(name).write(results.path()));
    let (once, again) = (analysed(&folders), analysed(&[folders[1].clone(), folders[0].clone()]));
    let names: Vec<&str> = once.iter().map(|file| file.0.to_str().unwrap()).collect();
    let expected = [
        "values.json",
        "tables/published_2023.csv",
        "tables/one.csv",
        "tables/two.csv",
        "runs.parquet",
        "connections.parquet",
        "series.parquet",
    ];
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    for ((name, bytes), (_, other)) in once.iter().zip(&again) {
        assert!(bytes == other, "{} differs", name.display());
    }
}

#[test]
fn tables_and_frames_can_be_read_again() {
    let (results, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let study = Study::read(&[MadeUp::small("made-up").write(results.path())]).unwrap();
    output::write(&study, out.path()).unwrap();
    let table =
        CsvReader::new(fs::File::open(out.path().join("tables/made-up.csv")).unwrap()).finish().unwrap();
    let ratios = table.column("uring/epoll_cpu_ns_per_message").unwrap().f64().unwrap();
    // Rows of a cell are in the order of the servers; a ratio stands in the row of its numerator.
    assert_eq!((table.height(), ratios.get(0)), (4, None));
    assert!((ratios.get(1).unwrap() - RATIO).abs() < 1e-9);
    assert_eq!(parquet(&out.path().join("runs.parquet")).height(), 20);
    assert_eq!(parquet(&out.path().join("series.parquet")).height(), 40);
    // 6 runs and 8 controls with 8 connections, 6 runs with 2.
    assert_eq!(parquet(&out.path().join("connections.parquet")).height(), 14 * 8 + 6 * 2);
}

#[test]
fn a_recording_as_large_as_the_study_is_analysed() {
    let (results, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = MadeUp::as_large_as_the_study().write(results.path());
    let started = Instant::now();
    let study = Study::read(&[folder]).unwrap();
    output::write(&study, out.path()).unwrap();
    println!("178 runs, 394,756 connections: {:.1} s", started.elapsed().as_secs_f64());
    assert_eq!(study.values.experiments["study"].runs.valid, 178);
    assert_eq!(study.values.experiments["study"].grid.cells.len(), 79);
    assert_eq!(parquet(&out.path().join("connections.parquet")).height(), 394_756);
}

#[test]
fn the_newest_recording_of_each_experiment_is_found() {
    let results = tempfile::tempdir().unwrap();
    let none = newest_of_each_experiment(results.path()).unwrap_err().to_string();
    assert!(none.contains("holds no recording") && none.contains("experiments quick"), "{none}");
    let old = MadeUp::small("one").write(results.path());
    let new = old.with_file_name("20270101T000000Z-000001");
    fs::create_dir(&new).unwrap();
    assert_eq!(
        newest_of_each_experiment(results.path()).unwrap(),
        std::slice::from_ref(&old),
        "an empty folder is none"
    );
    fs::copy(old.join("manifest.json"), new.join("manifest.json")).unwrap();
    let other = MadeUp::small("two").write(results.path());
    assert_eq!(newest_of_each_experiment(results.path()).unwrap(), [new.clone(), other.clone()]);
    support::change_manifest(&new, |manifest| {
        manifest.runs.iter_mut().for_each(|run| run.attempt = Attempt::default());
    });
    let found = newest_of_each_experiment(results.path()).unwrap();
    assert_eq!(found, [old, other], "one that no run was made of is not it while there is another");
}

#[test]
fn two_recordings_of_one_experiment_are_refused() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folders = [&first, &second].map(|results| MadeUp::small("made-up").write(results.path()));
    let error = Study::read(&folders).unwrap_err().to_string();
    assert!(error.contains("both recordings of 'made-up'"), "{error}");
}
