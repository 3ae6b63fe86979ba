//! The figure: a bar for each server in each cell, stacked from what its classes cost. Cells have scales of their own.

use super::classes::Class;
use super::measure::{Cell, Profile};
use super::svg::{Anchor, Area, Svg};
use crate::report::format;

const PANEL: f64 = 230.0;
const LEFT: f64 = 20.0;
const LEGEND: f64 = 220.0;
const HEIGHT: f64 = 620.0;
const BASE: f64 = 570.0;
/// Of the highest bar of a cell.
const BAR_HEIGHT: f64 = 490.0;
/// Lower than this, a segment has no room for its value.
const LEAST_LABELLED: f64 = 13.0;
const INK: &str = "#222";

/// The figure of `cells`.
pub fn svg(cells: &[Cell]) -> String {
    let width = LEFT + PANEL * cells.len() as f64 + LEGEND;
    let mut svg = Svg::new(width, HEIGHT);
    svg.text((LEFT, 22.0), 15.0, Anchor::Start, INK, "Where the server's core spends a message's time, ns");
    for (index, cell) in cells.iter().enumerate() {
        panel(&mut svg, LEFT + PANEL * index as f64, cell);
    }
    legend(&mut svg, LEFT + PANEL * cells.len() as f64, cells);
    svg.finish()
}

fn panel(svg: &mut Svg, left: f64, cell: &Cell) {
    let highest = cell.profiles.iter().map(Profile::sum_ns).fold(f64::MIN_POSITIVE, f64::max);
    let step = (PANEL - 30.0) / cell.profiles.len() as f64;
    for (index, profile) in cell.profiles.iter().enumerate() {
        let place = Area { x: left + step * index as f64, y: BASE, width: step - 14.0, height: BAR_HEIGHT };
        bar(svg, place, profile, highest);
    }
    let middle = left + (PANEL - 44.0) / 2.0;
    svg.text((middle, HEIGHT - 14.0), 12.0, Anchor::Middle, INK, &cell.factors.to_string());
}

/// The bar of `profile`, which stands on `place.y` and would be `place.height` high if it were the `highest`.
fn bar(svg: &mut Svg, place: Area, profile: &Profile, highest: f64) {
    let middle = place.x + place.width / 2.0;
    let mut top = place.y;
    for class in Class::costs() {
        let ns = profile.per_message(profile.tally.of(class).ns);
        let height = ns / highest * place.height;
        if height <= 0.0 {
            continue;
        }
        top -= height;
        let title = format!("{}, {class}: {} ns", profile.server, format::three_digits(ns));
        svg.rect(Area { y: top, height, ..place }, fill(class), &title);
        if height >= LEAST_LABELLED {
            let text = format::three_digits(ns);
            svg.text((middle, top + height / 2.0 + 4.0), 11.0, Anchor::Middle, ink(class), &text);
        }
    }
    svg.text((middle, top - 6.0), 12.0, Anchor::Middle, INK, &format::three_digits(profile.sum_ns()));
    svg.text((middle, place.y + 16.0), 12.0, Anchor::Middle, INK, &profile.server);
}

/// The classes that occur, in the order in which they are stacked, from the top down.
fn legend(svg: &mut Svg, left: f64, cells: &[Cell]) {
    let profiles = || cells.iter().flat_map(|cell| &cell.profiles);
    let seen = |class: &Class| profiles().any(|profile| profile.tally.of(*class).samples > 0);
    let mut classes: Vec<Class> = Class::costs().filter(seen).collect();
    classes.reverse();
    for (index, class) in classes.into_iter().enumerate() {
        let y = BASE - BAR_HEIGHT + 22.0 * index as f64;
        svg.rect(Area { x: left, y, width: 14.0, height: 14.0 }, fill(class), class.name());
        svg.text((left + 22.0, y + 12.0), 12.0, Anchor::Start, INK, class.name());
    }
}

/// Kin have hues that are near: the ring in red and yellow, the network in blue and green.
const fn fill(class: Class) -> &'static str {
    match class {
        Class::Copy => "#1f4e79",
        Class::TcpSend => "#2e86c1",
        Class::TcpReceive => "#7fb3d5",
        Class::IpAndDevice => "#148f77",
        Class::SkbAndMemory => "#73c6b6",
        Class::Locks => "#6c3483",
        Class::SocketLayer => "#bb8fce",
        Class::SyscallEntry => "#7b7d7d",
        Class::Epoll => "#e67e22",
        Class::UringSubmit => "#922b21",
        Class::UringComplete => "#cd6155",
        Class::UringBuffers => "#e6b0aa",
        Class::UringTaskWork => "#f1948a",
        Class::WakeupsAndScheduling => "#b7950b",
        Class::SoftirqEntry => "#f4d03f",
        Class::InterruptsAndTimers => "#f9e79f",
        Class::UserCode => "#58d68d",
        Class::OtherProcesses => "#d5d8dc",
        Class::Unclassified | Class::Idle => "#17202a",
    }
}

/// What can be read on it.
const fn ink(class: Class) -> &'static str {
    match class {
        Class::Copy
        | Class::TcpSend
        | Class::IpAndDevice
        | Class::Locks
        | Class::SyscallEntry
        | Class::UringSubmit
        | Class::UringComplete
        | Class::Unclassified
        | Class::Idle => "#fff",
        _ => INK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::testing::cell;

    #[test]
    fn a_bar_is_stacked_from_its_classes_and_the_dearest_server_has_the_highest() {
        let drawn = svg(&[cell()]);
        let segment = |title: &str| drawn.lines().find(|line| line.contains(title)).unwrap();
        // 110 of 210 ns, 490 pixels high.
        assert!(segment("uring, copy: 110 ns").contains("y=\"313.33\" width=\"86.00\" height=\"256.67\""));
        assert!(segment("uring, unclassified: 100 ns").contains("y=\"80.00\""));
        assert!(
            !drawn.contains("epoll, unclassified") && !drawn.contains("idle"),
            "what took nothing has no place"
        );
        assert!(drawn.contains(">req-res 256 B x 8</text>"));
    }
}
