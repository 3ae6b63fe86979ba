//! Made-up recordings drawn: which figures there are, and what they say of gaps.

mod support;

use std::fs;

use analysis::figure::study::{Chapter, Origin, answer, chapters};
use analysis::output;
use analysis::study::Study;
use experiments::recording::manifest::Status;
use experiments::spec::factors::Factors;
use support::MadeUp;
use uring_echo::record::{HogKind, Mode};

fn drawn(study: &Study) -> Vec<Chapter> {
    chapters(study, &Origin::default()).unwrap()
}

fn stems(chapter: &Chapter) -> Vec<&str> {
    chapter.figures.iter().map(|drawn| drawn.figure.stem.as_str()).collect()
}

#[test]
fn a_recording_gives_its_figures_and_the_published_ones() {
    let results = tempfile::tempdir().unwrap();
    let study = Study::read(&[MadeUp::small("made-up").write(results.path())]).unwrap();
    let chapters = drawn(&study);
    let own = stems(&chapters[0]);
    for stem in
        ["made-up-ratios-cpu", "made-up-stream-throughput", "made-up-req-res-cpu", "made-up-req-res-latency"]
    {
        assert!(own.contains(&stem), "{stem} is not among {own:?}");
    }
    let published = stems(&chapters[1]);
    assert_eq!(published.len(), 8, "six charts and two heat maps: {published:?}");
    let runs = &chapters[0].figures[0].figure.source.run_ids;
    assert!(!runs.is_empty(), "a figure names its runs");
}

#[test]
fn a_study_leaves_pictures_and_a_page() {
    let (results, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let study = Study::read(&[MadeUp::small("made-up").write(results.path())]).unwrap();
    output::write(&study, out.path()).unwrap();
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    assert!(page.find("id=\"fig-answer\"").unwrap() < page.find("class=\"verdict\"").unwrap(), "{page}");
    assert!(page.contains("id=\"fig-made-up-ratios-cpu\"") && page.contains("published-stream"));
    let picture = fs::read_to_string(out.path().join("figures/published-stream-256.svg")).unwrap();
    assert!(picture.contains("io_uring, 8: 4.1"), "{picture}");
    for entry in fs::read_dir(out.path().join("figures")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("NaN"));
    }
}

/// Cells of both workloads, on so many numbers of connections.
fn grid(numbers: usize) -> Vec<(Factors, u32)> {
    let modes = [Mode::Stream, Mode::ReqRes].into_iter();
    modes.flat_map(|mode| (1..=numbers).map(move |number| (Factors::new(mode, 256, number), 3))).collect()
}

#[test]
fn the_experiment_that_was_made_for_it_answers_and_else_the_largest() {
    let answered_by = |experiments: &[(&'static str, usize)]| {
        let results = tempfile::tempdir().unwrap();
        let write = |&(experiment, numbers): &(&'static str, usize)| {
            MadeUp { cells: grid(numbers), ..MadeUp::small(experiment) }.write(results.path())
        };
        let folders: Vec<_> = experiments.iter().map(write).collect();
        answer(&Study::read(&folders).unwrap(), &Origin::default())
            .map(|drawn| drawn.figure.source.experiment)
    };
    assert_eq!(answered_by(&[("parity", 1), ("stream", 3)]).as_deref(), Some("parity"));
    assert_eq!(answered_by(&[("pairs", 1), ("stream", 3), ("quick", 2)]).as_deref(), Some("stream"));
    assert_eq!(answered_by(&[("latency", 1), ("scale", 3)]), None, "they ask something else");
}

/// Cells of every kind that payload and connections do not tell apart, and the stem of the figure that each has to give.
fn kinds() -> Vec<(&'static str, Vec<Factors>)> {
    let plain = || Factors::new(Mode::ReqRes, 256, 8);
    let loads = [0.1, 0.5, 0.9].map(|load| Factors { load: Some(load.into()), ..plain() });
    let hogs = Factors { hogs: 4, hog_kind: Some(HogKind::Greedy), ..plain() };
    let idle = [100, 1000].map(|idle| Factors { idle, ..plain() });
    let many = Factors::new(Mode::ReqRes, 256, 1000);
    vec![
        ("load-req-res-256-8", loads.to_vec()),
        ("tails-req-res-256-8", loads.to_vec()),
        ("victims-req-res-256-8", vec![plain(), hogs]),
        ("idle-req-res-256-8", idle.to_vec()),
        ("active-req-res-256", [vec![plain(), many], idle.to_vec()].concat()),
    ]
}

fn made_up(cells: &[Factors]) -> MadeUp {
    let cells = cells.iter().map(|factors| (factors.clone(), 3)).collect();
    MadeUp { cells, ..MadeUp::small("made-up") }
}

/// The figure of `study` called `what`, as SVG.
fn picture(study: &Study, what: &str) -> String {
    let chapters = drawn(study);
    let stem = format!("made-up-{what}");
    let found = chapters[0].figures.iter().find(|drawn| drawn.figure.stem == stem);
    found.unwrap_or_else(|| panic!("no {stem} among {:?}", stems(&chapters[0]))).figure.svg()
}

#[test]
fn every_kind_of_cell_gives_its_figure() {
    for (what, cells) in kinds() {
        let results = tempfile::tempdir().unwrap();
        let svg = picture(&Study::read(&[made_up(&cells).write(results.path())]).unwrap(), what);
        assert!(svg.contains("Quick recording"), "{what}: {svg}");
        assert!(!svg.contains("NaN") && !svg.contains("no valid run"), "{what}: {svg}");
    }
}

#[test]
fn a_cell_without_a_run_that_counts_is_a_gap_in_its_figure() {
    for (what, cells) in kinds() {
        let results = tempfile::tempdir().unwrap();
        let folder = made_up(&cells).write(results.path());
        let last = if what.starts_with("active") { cells[1].key() } else { cells.last().unwrap().key() };
        support::change_manifest(&folder, |manifest| {
            for run in manifest.runs.iter_mut().filter(|run| run.cell == last) {
                run.attempt.status = Status::Failed;
            }
        });
        let svg = picture(&Study::read(&[folder]).unwrap(), what);
        assert!(svg.contains("no valid run") || svg.contains("no data"), "{what}: {svg}");
        assert!(!svg.contains("NaN"), "{what}: {svg}");
    }
}

#[test]
fn loads_are_drawn_with_the_capacity_that_they_are_shares_of() {
    let (what, cells) = kinds().remove(0);
    let results = tempfile::tempdir().unwrap();
    let svg = picture(&Study::read(&[made_up(&cells).write(results.path())]).unwrap(), what);
    assert!(
        svg.contains(">capacity<") && svg.contains("what the slower engine did in a closed loop"),
        "{svg}"
    );
    for percentile in ["p50 latency (log)", "p99 latency (log)"] {
        assert!(svg.contains(percentile), "{percentile} is missing: {svg}");
    }
}

#[test]
fn several_comparisons_give_a_forest_and_one_gives_none() {
    let results = tempfile::tempdir().unwrap();
    let folder = MadeUp::small("made-up").write(results.path());
    let one = drawn(&Study::read(std::slice::from_ref(&folder)).unwrap());
    assert!(!stems(&one[0]).iter().any(|stem| stem.contains("effects")), "{:?}", stems(&one[0]));
    support::change_manifest(&folder, |manifest| manifest.ratios.push("epoll/uring".into()));
    let svg = picture(&Study::read(&[folder]).unwrap(), "effects-cpu");
    assert!(svg.contains("0.80 [0.80, 0.80]") && svg.contains("1.25 [1.25, 1.25]"), "{svg}");
    assert!(svg.contains("The same server measured twice differs by up to"), "{svg}");
}
