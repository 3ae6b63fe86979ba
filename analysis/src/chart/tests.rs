use experiments::report::format::significant;

use super::mark::{Area, gap};
use super::paint::{Paint, diverging};
use super::scale::Scale;
use super::sheet::{NARROW, WIDE};
use super::svg::{Svg, Tag, escape};
use super::*;
use crate::statistics::Word;

fn bars(values: Vec<Option<Estimate>>) -> Sheet {
    let categories = (0..values.len()).map(|index| index.to_string()).collect();
    let series = vec![GroupSeries { name: "epoll".to_owned(), role: Role::BASE, values }];
    let groups = Groups {
        x_label: "connections".to_owned(),
        categories,
        y: Axis::new("responses per second", Extent::FromZero, Format::Thousands),
        mark: MarkKind::Bar,
        series,
    };
    sheet(Body::Groups(groups))
}

fn dots(values: Vec<Option<Estimate>>) -> Sheet {
    let mut sheet = bars(values);
    let Body::Groups(groups) = &mut sheet.panels[0].body else { panic!("bars are groups") };
    groups.mark = MarkKind::Dot;
    groups.y.extent = Extent::Log;
    sheet
}

fn heat(cells: Vec<Cell>) -> Sheet {
    let heat = Heat {
        x_label: "connections".to_owned(),
        columns: (0..cells.len()).map(|index| index.to_string()).collect(),
        y_label: "payload".to_owned(),
        rows: vec!["256 B".to_owned()],
        cells: vec![cells],
        better: Better::Higher,
        compared: "io_uring".to_owned(),
        base: "epoll".to_owned(),
    };
    sheet(Body::Heat(heat))
}

fn sheet(body: Body) -> Sheet {
    Sheet {
        title: "A title".to_owned(),
        subtitle: "A subtitle".to_owned(),
        quick: false,
        stamp: None,
        description: "What it shows".to_owned(),
        notes: Vec::new(),
        columns: 1,
        one_scale: false,
        panels: vec![Panel { title: String::new(), body }],
    }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn escapes_leave_no_markup_in_a_text() {
    assert_eq!(escape("a<b & \"c\" > 'd'\u{1b}"), "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39; ");
    let mut sheet = bars(vec![Estimate::single(1.0)]);
    sheet.title = "<script>&".to_owned();
    let svg = sheet.svg(WIDE);
    assert!(!svg.contains("<script"), "{svg}");
    assert_eq!(count(&svg, "&lt;script&gt;&amp;"), 3, "as the name, as the title and as a text");
}

#[test]
fn ticks_are_round_and_inside_their_scale() {
    assert_eq!(Scale::linear(0.0, 410_000.0).ticks(5), [0.0, 100_000.0, 200_000.0, 300_000.0, 400_000.0]);
    assert_eq!(Scale::Log(90.0, 1100.0).ticks(5), [100.0, 200.0, 500.0, 1000.0]);
    assert_eq!(Scale::Log(0.5, 2e6).ticks(4), [1.0, 100.0, 10_000.0, 1e6]);
    let near =
        |low, high, wanted| Scale::Log(low, high).ticks(wanted).iter().map(|v| significant(*v, 3)).collect();
    let (around_one, within_a_factor): (Vec<String>, Vec<String>) = (near(0.55, 1.8, 4), near(2.1, 2.9, 4));
    let wide_around_one: Vec<String> = near(0.75, 1.35, 9);
    assert_eq!(wide_around_one, ["0.8", "0.9", "1", "1.1", "1.2", "1.3"], "on both sides of 1");
    assert_eq!(around_one, ["0.6", "0.8", "1", "1.5"]);
    assert_eq!(within_a_factor, ["2.2", "2.4", "2.6", "2.8"]);
    assert_eq!(Scale::tail(0.9995).ticks(9), [0.0, 0.5, 0.9, 0.99, 0.999]);
    assert_eq!(Scale::linear(3.0, 3.0).place(3.0), Some(0.5));
}

#[test]
fn each_further_nine_takes_the_same_room() {
    let scale = Scale::tail(0.9999);
    let places = [0.9, 0.99, 0.999, 0.9999].map(|share| scale.place(share).unwrap());
    for (place, expected) in places.into_iter().zip([0.25, 0.5, 0.75, 1.0]) {
        assert!((place - expected).abs() < 1e-9, "{places:?}");
    }
}

#[test]
fn what_is_no_number_never_becomes_a_value() {
    assert_eq!(Estimate::new(f64::NAN, None, 3), None);
    assert_eq!(Estimate::new(f64::INFINITY, None, 3), None);
    assert_eq!(Estimate::new(1.0, None, 0), None);
    assert_eq!(Estimate::single(0.0).and_then(|zero| Ratio::new(zero, "")), None);
    let damaged = Estimate::new(1.0, Some((f64::NAN, 2.0)), 3).unwrap();
    assert_eq!(damaged.interval(), None);
}

#[test]
fn a_mark_without_a_place_is_not_drawn() {
    let mut svg = Svg::default();
    svg.leaf(&Tag::new("rect").number("x", f64::NAN));
    svg.stroke((0.0, 0.0), (f64::INFINITY, 1.0), Paint::Ink, 1.0);
    assert_eq!(svg.into_text(), "");
}

#[test]
fn a_missing_value_is_a_marked_gap() {
    let svg = bars(vec![Estimate::new(10.0, Some((9.0, 11.0)), 5), None]).svg(WIDE);
    assert_eq!(count(&svg, "epoll, 1: no valid run"), 1);
    assert_eq!(count(&svg, "epoll, 0: 10 (9 to 11, 5 runs)"), 1);
    assert!(svg.contains("Hatched: no valid run."));
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let whole = bars(vec![Estimate::new(10.0, Some((9.0, 11.0)), 5)]).svg(WIDE);
    assert!(!whole.contains("Hatched"), "nothing is missing");
}

#[test]
fn a_figure_without_any_value_is_still_a_figure() {
    let svg = bars(vec![None, None]).svg(WIDE);
    assert_eq!(count(&svg, "no valid run</title>"), 2);
    let svg = heat(vec![None]).svg(WIDE);
    assert!(svg.contains("no pair of valid runs") && !svg.contains("NaN"), "{svg}");
}

#[test]
fn a_value_that_the_axis_cannot_show_is_a_gap() {
    let svg = dots(vec![Estimate::single(0.0), Estimate::single(10.0)]).svg(WIDE);
    assert_eq!(count(&svg, "not on this axis"), 1);
}

#[test]
fn a_single_run_has_no_interval_and_says_so() {
    let claimed = Estimate::new(10.0, Some((9.0, 11.0)), 1).unwrap();
    assert_eq!(claimed.interval(), None, "one run has no spread, whoever says so");
    let svg = bars(vec![Some(claimed)]).svg(WIDE);
    assert!(svg.contains("epoll, 0: 10 (one run)") && svg.contains("◇: one run, no interval."), "{svg}");
    assert_eq!(count(&svg, "<polygon"), 1, "the diamond");
    let svg = dots(vec![Some(claimed)]).svg(WIDE);
    assert!(svg.contains("Hollow marker: no interval."));
}

#[test]
fn a_cell_shows_on_which_side_of_one_it_is_or_that_nobody_knows() {
    let ratio =
        |value, interval, verdict| Some(Ratio::new(Estimate::new(value, interval, 5)?, "")?.saying(verdict));
    let cells = vec![
        ratio(0.5, Some((0.4, 0.6)), Word::Less),
        ratio(1.02, Some((0.9, 1.1)), Word::NoDifference),
        ratio(1.3, None, Word::NoClaim),
        // The interval leaves 1 out, and the recording claims nothing.
        ratio(0.7, Some((0.6, 0.8)), Word::NoClaim),
    ];
    let svg = heat(cells).svg(WIDE);
    assert!(
        svg.contains("font-weight=\"bold\" fill=\"#ffffff\">0.50<"),
        "a losing cell stays visible: {svg}"
    );
    assert!(svg.contains(">1.02 ≈<"), "{svg}");
    assert!(svg.contains(">1.30<") && svg.contains("font-weight=\"normal\""), "{svg}");
    assert_eq!(count(&svg, "font-weight=\"bold\" fill=\"#ffffff\">0.70<"), 0, "{svg}");
    for sentence in ["Bold: ", "≈: ", "Plain: no interval.", "Neither bold nor ≈:"] {
        assert!(svg.contains(sentence), "{sentence} is not explained");
    }
}

#[test]
fn colours_are_centred_on_one() {
    assert_eq!(diverging(0.0), "#f7f7f7");
    assert_eq!([diverging(-1.0), diverging(1.0)], ["#0072b2", "#d55e00"]);
    assert_eq!(diverging(-7.0), diverging(-1.0), "what is stronger than the strongest looks like it");
}

#[test]
fn a_lower_ratio_is_a_win_where_less_is_better() {
    let cell = || vec![Ratio::new(Estimate::single(0.5).unwrap(), "")];
    let higher = heat(cell()).svg(WIDE);
    let mut sheet = heat(cell());
    let Body::Heat(heat) = &mut sheet.panels[0].body else { panic!("it is a heat map") };
    heat.better = Better::Lower;
    let fill = |svg: &str, colour| svg.contains(&format!("rx=\"2\" fill=\"{colour}\""));
    assert!(fill(&higher, "#0072b2") && fill(&sheet.svg(WIDE), "#d55e00"));
}

#[test]
fn bars_begin_at_zero_whatever_is_asked_for() {
    let mut sheet = bars(vec![Estimate::single(100.0), Estimate::single(101.0)]);
    let Body::Groups(groups) = &mut sheet.panels[0].body else { panic!("bars are groups") };
    groups.y.extent = Extent::Around;
    assert!(sheet.svg(WIDE).contains(">0</text>"));
}

#[test]
fn a_quick_recording_is_called_quick() {
    let mut sheet = bars(vec![Estimate::single(1.0)]);
    assert!(!sheet.svg(WIDE).contains("Quick"));
    sheet.quick = true;
    assert!(sheet.svg(WIDE).contains("Quick recording, not for claims."));
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let make =
        || bars(vec![Estimate::new(1.0 / 3.0, Some((0.1, 0.7)), 5), None, Estimate::single(2.0 / 3.0)]);
    assert_eq!(make().svg(WIDE), make().svg(WIDE));
    assert_ne!(make().svg(WIDE), make().svg(NARROW));
}

#[test]
fn a_curve_breaks_off_where_a_value_is_missing() {
    let point = |x: f64, y: Option<f64>| (x, y.and_then(Estimate::single));
    let line = Line {
        name: "epoll".to_owned(),
        role: Role::BASE,
        dash: Dash::Solid,
        markers: false,
        steps: false,
        points: vec![point(1.0, Some(1.0)), point(2.0, Some(2.0)), point(3.0, None), point(4.0, Some(2.0))],
    };
    let axis = || Axis::new("x", Extent::FromZero, Format::Plain);
    let svg =
        sheet(Body::Lines(Lines { x: axis(), y: axis(), lines: vec![line], verticals: vec![] })).svg(WIDE);
    let path = svg.lines().find(|line| line.contains("<path")).unwrap();
    assert_eq!(count(path, "M"), 2, "{path}");
    assert!(svg.contains("A curve breaks off where there is no valid run."));
}

#[test]
fn hatching_stays_inside_its_area() {
    let mut svg = Svg::default();
    gap(&mut svg, Area { x: 10.0, y: 20.0, width: 30.0, height: 12.0 }, "nothing");
    let text = svg.into_text();
    let path = text.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let points = path.split(['M', 'L']).filter(|point| !point.is_empty());
    let mut seen = 0;
    for point in points {
        let (x, y) = point.split_once(' ').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        assert!((10.0..=40.0).contains(&x) && (20.0..=32.0).contains(&y), "{point}");
        seen += 1;
    }
    assert!(seen > 4, "{path}");
}

#[test]
fn long_texts_are_broken_at_the_width_of_the_figure() {
    let lines = wrap::lines("one two three four five six", 10.0, 80.0);
    assert!(lines.len() > 1 && lines.iter().all(|line| wrap::width(line, 10.0) <= 80.0), "{lines:?}");
    assert_eq!(lines.join(" "), "one two three four five six");
}
