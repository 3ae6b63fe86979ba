//! Made-up recordings drawn: which figures there are, and what they say of gaps.

mod support;

use std::fs;

use analysis::figure::study::{Chapter, Origin, chapters};
use analysis::output;
use analysis::study::Study;
use support::MadeUp;

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
    assert!(page.contains("id=\"fig-made-up-ratios-cpu\"") && page.contains("published-stream"));
    let picture = fs::read_to_string(out.path().join("figures/published-stream-256.svg")).unwrap();
    assert!(picture.contains("io_uring, 8: 4.1"), "{picture}");
    for entry in fs::read_dir(out.path().join("figures")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("NaN"));
    }
}
