use super::beside::Agreement;
use super::curves::{CellCurves, Curve, Shares, Since, connections};
use super::input::{About, Compared, Measured};
use super::study::answer;
use super::study::effects::{Effect, forest};
use super::study::published::{chart, compared, heat_map, measured};
use super::study::victims::{self, Victims};
use super::*;
use crate::chart::{Band, Body, Estimate, MarkKind, Ratio, Role};
use crate::grid::Grid;
use crate::published::UNECHOED;
use crate::statistics::Word;
use experiments::spec::factors::Factors;
use experiments::spec::workload::Workload;
use uring_echo::record::Mode;

/// The published grid of `runs`: where, by which server, which run, responses per second, bytes that never came back.
fn published(runs: &[(&Factors, &str, u32, f64, f64)]) -> Grid {
    let mut text = format!(
        "mode,payload_bytes,connections,server,run,responses_per_s_from_total,jain,min_max_ratio,{UNECHOED}\n"
    );
    for (at, server, run, rate, unechoed) in runs {
        let Factors { mode, payload_bytes, connections, .. } = at;
        text += &format!("{mode},{payload_bytes},{connections},{server},{run},{rate},1.0,1.0,{unechoed}\n");
    }
    crate::published::grid(&crate::published::read(&text).unwrap()).unwrap()
}

fn figure(value: f64) -> Figure {
    let at = Factors::new(Mode::Stream, 256, 1);
    let measured = vec![Measured { at, engine: "epoll".to_owned(), value: Estimate::single(value) }];
    let sheet =
        grid::by_payload(Workload::of(Mode::Stream), &measured, &grid::Shown::responses(), &About::default());
    let run_ids = vec!["stream-0001".to_owned(), "stream-0002".to_owned()];
    let source = Source { experiment: "stream".to_owned(), run_ids, ..Source::default() };
    Figure { stem: "stream-throughput".to_owned(), sheet, source }
}

#[test]
fn a_sidecar_names_its_runs_and_follows_the_data() {
    let first = figure(10.0).sidecar().unwrap();
    assert!(first.contains("stream-0002"), "{first}");
    assert_eq!(first, figure(10.0).sidecar().unwrap());
    let data = |text: &str| text.lines().find(|line| line.contains("data_sha256")).unwrap().to_owned();
    assert_ne!(
        data(&first),
        data(&figure(10.000_001).sidecar().unwrap()),
        "less than a pixel, and another figure"
    );
}

#[test]
fn a_figure_leaves_a_picture_and_a_sidecar() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("figures");
    figure(10.0).write(&inner).unwrap();
    assert_eq!(std::fs::read_to_string(inner.join("stream-throughput.svg")).unwrap(), figure(10.0).svg());
    let sidecar = std::fs::read_to_string(inner.join("stream-throughput.json")).unwrap();
    assert_eq!(sidecar, figure(10.0).sidecar().unwrap());
}

#[test]
fn a_published_pair_of_runs_is_joined_and_a_single_one_is_marked() {
    let (once, twice) = (Factors::new(Mode::Stream, 4096, 1), Factors::new(Mode::Stream, 4096, 8));
    let runs =
        [(&once, "epoll", 1, 5.0, 0.0), (&twice, "epoll", 1, 10.0, 0.0), (&twice, "epoll", 2, 20.0, 0.0)];
    let sheet = chart(&measured(&published(&runs)).unwrap(), Mode::Stream, 4096);
    let Body::Groups(groups) = &sheet.panels[0].body else { panic!("the study charted bars") };
    assert_eq!(groups.mark, MarkKind::Bar);
    let values = groups.series[0].values.clone();
    assert_eq!(values, [Estimate::single(5.0), Estimate::new(15.0, Some((10.0, 20.0)), 2)]);
}

#[test]
fn published_doubts_are_marked_in_the_grid() {
    let (lost, late) = (Factors::new(Mode::Stream, 256, 1), Factors::new(Mode::ReqRes, 256, 1));
    let ratios = |of_lost, of_late| {
        let epoll = |at| (at, "epoll", 1, 2.0, 0.0);
        let runs = [epoll(&lost), (&lost, "io_uring", 1, 1.0, of_lost), epoll(&late)];
        let late = (&late, "io_uring", 1, 1.0, of_late);
        compared(&published(&[&runs[..], &[late]].concat())).unwrap()
    };
    let marks = |ratios: &[Compared]| -> Vec<String> {
        ratios.iter().map(|c| c.ratio.as_ref().unwrap().mark().to_owned()).collect()
    };
    assert_eq!(marks(&ratios(5e7, 257.0)), ["†", "‡"]);
    assert_eq!(marks(&ratios(2e7, 256.0)), ["", ""]);
    assert!(heat_map(&ratios(2e7, 256.0), Mode::Stream).notes.is_empty(), "nothing to explain");
}

#[test]
fn a_pair_that_was_never_published_is_a_gap() {
    let at = Factors::new(Mode::ReqRes, 256, 1);
    let ratios = compared(&published(&[(&at, "epoll", 1, 1.0, 0.0)])).unwrap();
    assert_eq!(ratios[0].ratio, None);
    assert!(heat_map(&ratios, Mode::ReqRes).svg(WIDE).contains("no pair of valid runs"));
}

#[test]
fn agreement_needs_a_ratio_of_which_less_or_more_may_be_said() {
    let published = Ratio::new(Estimate::single(0.9).unwrap(), "");
    let judged = |value, verdict| {
        let ours = Estimate::new(value, Some((0.7, 1.3)), 5).unwrap();
        let ours = Ratio::new(ours, "").map(|ratio| ratio.saying(verdict));
        Agreement::of(published.as_ref(), ours.as_ref())
    };
    assert_eq!(judged(0.8, Word::Less), Agreement::Same);
    assert_eq!(judged(1.2, Word::More), Agreement::Opposite);
    assert_eq!(judged(0.8, Word::NoDifference), Agreement::Open);
    assert_eq!(judged(0.8, Word::NoClaim), Agreement::Open);
    assert_eq!(Agreement::of(published.as_ref(), None), Agreement::Unpaired);
}

#[test]
fn pairs_are_counted_in_words() {
    let place = Factors::new(Mode::Stream, 256, 1);
    let compared = |value, verdict| {
        let ratio = Estimate::new(value, Some((1.1, 1.3)), 5).unwrap();
        let ratio = Ratio::new(ratio, "").map(|ratio| ratio.saying(verdict));
        vec![Compared { at: place.clone(), ratio }]
    };
    let (theirs, ours) = (compared(0.9, Word::NoClaim), compared(1.2, Word::More));
    let sheet = beside::pairs("responses per second", &theirs, &ours, &About::default());
    assert!(
        sheet
            .subtitle
            .starts_with("1 cells: 0 on the same side of 1, 1 on opposite sides, 0 open, 0 unpaired.")
    );
}

#[test]
fn a_distribution_ends_with_everybody() {
    let shares = Shares { engine: "epoll".to_owned(), received: vec![3.0, 1.0, 2.0], jain: Some(0.857) };
    let sheet = connections("Shares", &[("256 B × 3".to_owned(), vec![shares])], &About::default());
    let Body::Lines(lines) = &sheet.panels[0].body else { panic!("a distribution is a curve") };
    let points: Vec<(f64, f64)> =
        lines.lines[0].points.iter().map(|(x, y)| (*x, y.unwrap().value())).collect();
    assert_eq!(points.first(), Some(&(0.5, 0.0)));
    assert_eq!(points.last(), Some(&(1.5, 1.0)));
    assert!(sheet.panels[0].title.ends_with("; Jain: epoll 0.857"));
}

#[test]
fn connections_that_got_nothing_have_no_distribution() {
    let shares = Shares { engine: "epoll".to_owned(), received: vec![0.0; 4], jain: None };
    let svg = connections("Shares", &[(String::new(), vec![shares])], &About::default()).svg(WIDE);
    assert!(!svg.contains("NaN"), "{svg}");
}

fn effect(of: &str, to: &str, cells: Vec<(String, Option<Estimate>)>) -> Effect {
    let mean = Estimate::new(0.8, Some((0.7, 0.9)), 6);
    Effect { of: of.to_owned(), to: to.to_owned(), cell_count: 2, cells, mean }
}

#[test]
fn a_forest_has_a_row_for_each_variant_and_keeps_cells_without_pairs() {
    let cells = vec![("256 B × 8".to_owned(), None), ("256 B × 512".to_owned(), Estimate::single(1.5))];
    let effects = vec![effect("epoll", "epoll-study", Vec::new()), effect("uring", "uring-study", cells)];
    let what = ("Cost", crate::chart::Better::Lower);
    let panels = [(Workload::of(Mode::Stream), effects)];
    let svg = forest(what, &panels, vec!["No control.".to_owned()], &About::default()).svg(WIDE);
    for part in [
        "epoll ÷ epoll-study",
        "mean of 2 cells",
        "0.80 [0.70, 0.90]",
        "io_uring ÷ io_uring-study",
        "No control.",
    ] {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
    assert!(svg.contains("no pair of valid runs") && svg.contains("256 B × 8: no valid run"), "{svg}");
}

#[test]
fn victims_without_a_run_are_a_gap_in_their_row() {
    let of = |engine: &str, p99_ns| Victims {
        engine: engine.to_owned(),
        hogs: "beside 32 greedy hogs".to_owned(),
        p99_ns,
        replies_per_s: Estimate::single(1000.0),
    };
    let victims = [of("epoll", Estimate::single(5e6)), of("uring-16", None)];
    let svg = victims::sheet(&victims, &About::default()).svg(WIDE);
    assert!(svg.contains("io_uring-16: no valid run") && svg.contains("Hatched: no valid run."), "{svg}");
    assert!(svg.contains(">5 ms<") && svg.contains(">beside 32 greedy hogs<"), "{svg}");
}

#[test]
fn a_server_without_a_curve_is_named_by_its_panel() {
    let curves = |engine: &str, points: Vec<(f64, Option<Estimate>)>| {
        [Since::IntendedStart, Since::ActualSend]
            .map(|since| Curve { since: Some(since), ..Curve::new(engine, points.clone()) })
    };
    let points = vec![curves::point(0.5, 1e5), curves::point(0.9, 1e6)];
    let some = [curves("epoll", points), curves("uring", Vec::new())].concat();
    let none = [curves("epoll", Vec::new()), curves("uring", vec![(0.5, None)])].concat();
    let panels = [("at 50 %", some), ("at 90 %", none)]
        .map(|(title, curves)| CellCurves { title: title.to_owned(), curves });
    let svg = curves::tails("Tails", &panels, &About::default()).svg(WIDE);
    assert!(svg.contains("at 50 %; no data: io_uring<"), "{svg}");
    assert!(svg.contains("at 90 %; no data: epoll, io_uring<") && svg.contains("Hatched"), "{svg}");
    assert!(!svg.contains("NaN"), "{svg}");
}

#[test]
fn ratios_of_variants_are_named_in_the_title() {
    let compared = vec![Compared {
        at: Factors::new(Mode::Stream, 256, 1),
        ratio: Ratio::new(Estimate::single(0.9).unwrap(), ""),
    }];
    let title = |about: &About| {
        (
            grid::ratios("Cost", crate::chart::Better::Lower, &compared, about).title,
            beside::pairs("Cost", &compared, &compared, about).title,
        )
    };
    let pair = Some(("uring-study".to_owned(), "epoll-study".to_owned()));
    let (heat, pairs) = title(&About { pair, ..About::default() });
    assert_eq!(heat, "Streaming: cost, io_uring-study ÷ epoll-study");
    assert!(pairs.starts_with("Cost, io_uring-study ÷ epoll-study: ours"), "{pairs}");
    assert_eq!(title(&About::default()).0, "Streaming: cost, io_uring ÷ epoll");
}

/// A recording whose control cannot tell less than 4 % from noise, and what it says of each cell.
fn answering(verdicts: &[Word]) -> answer::Measured {
    let ratio = Estimate::new(0.9, Some((0.88, 0.93)), 11).unwrap();
    let cells = verdicts.iter().zip(1..);
    answer::Measured {
        workload: Workload::of(Mode::Stream),
        experiment: "parity".to_owned(),
        quick: false,
        smallest_effect: Some(0.04),
        cells: cells
            .map(|(&verdict, place)| {
                (Factors::new(Mode::Stream, 256, place), Some(answer::Said { ratio, verdict }))
            })
            .collect(),
    }
}

#[test]
fn a_cell_is_called_and_coloured_by_its_verdict_alone() {
    let cells = [Word::Less, Word::More, Word::NoDifference, Word::NoClaim];
    let sheet = answer::sheet(&[answering(&cells)]).unwrap();
    let Body::Rows(rows) = &sheet.panels[0].body else { panic!("the answer is in rows") };
    let said: Vec<_> = rows.rows.iter().map(|row| (row.marks[0].name.as_str(), row.marks[0].role)).collect();
    let expected = [
        ("io_uring cheaper", Role::COMPARED),
        ("epoll cheaper", Role::BASE),
        ("no difference", Role::Neither),
        ("nothing claimed", Role::Neither),
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_smallest_effect_is_a_band_in_the_answer() {
    let measured = answering(&[Word::Less]);
    let sheet = answer::sheet(std::slice::from_ref(&measured)).unwrap();
    let Body::Rows(rows) = &sheet.panels[0].body else { panic!("the answer is in rows") };
    let band = rows.reference.as_ref().and_then(|reference| reference.band.clone());
    assert_eq!(
        band,
        Some(Band { reach: 0.04, name: "the same server, measured twice: up to 4.0 %".to_owned() })
    );
    let bands = |sheet: Sheet| sheet.svg(WIDE).matches("class=\"f-band s-muted\"").count();
    assert_eq!(bands(sheet), 2, "in the panel and in the key");
    let uncontrolled = answer::sheet(&[answer::Measured { smallest_effect: None, ..measured }]).unwrap();
    assert!(uncontrolled.caption().contains("Without a control"), "{}", uncontrolled.caption());
    assert_eq!(bands(uncontrolled), 0);
}

#[test]
fn a_quick_recording_is_stamped_in_the_answer() {
    let full = answering(&[Word::NoClaim]);
    let quick = answer::Measured { quick: true, ..full.clone() };
    let svg = |measured| answer::sheet(&[measured]).unwrap().svg(WIDE);
    let stamp = "Quick recording: claims nothing</text>";
    assert!(svg(quick).contains(stamp) && !svg(full).contains(stamp));
}

#[test]
fn what_holds_no_cell_gives_no_answer() {
    assert_eq!(answer::sheet(&[]), None);
    assert_eq!(answer::sheet(&[answering(&[])]), None);
}
