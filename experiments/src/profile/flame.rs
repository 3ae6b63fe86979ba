//! Stacks as lines of text, which other tools read, and as a flame graph: a function stands on the one that called it, as wide as its
//! part of the samples.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::svg::{Anchor, Area, Svg};

/// One line a stack: its functions, the outermost first, and its samples.
pub fn folded(stacks: &BTreeMap<String, u64>) -> String {
    stacks.iter().fold(String::new(), |mut text, (stack, count)| {
        let _ = writeln!(text, "{stack} {count}");
        text
    })
}

/// A function in the stacks that begin alike, and what it called there.
#[derive(Debug, Default)]
struct Frame {
    samples: u64,
    called: BTreeMap<String, Frame>,
}

const WIDTH: f64 = 1600.0;
const ROW: f64 = 16.0;
const TOP: f64 = 40.0;
/// Narrower than this, a frame and all above it are left out.
const LEAST_WIDTH: f64 = 0.4;
const TEXT: f64 = 11.0;
/// Of a letter, in parts of the size of the text.
const LETTER: f64 = 0.58;

/// The flame graph of `stacks` under `title`.
pub fn svg(title: &str, stacks: &BTreeMap<String, u64>) -> String {
    let root = tree(stacks);
    let per_sample = WIDTH / root.samples.max(1) as f64;
    let rows = depth(&root, per_sample);
    let height = TOP + ROW * rows as f64 + 10.0;
    let mut svg = Svg::new(WIDTH, height);
    svg.text((WIDTH / 2.0, 24.0), 15.0, Anchor::Middle, "#111", title);
    draw(&mut svg, "all", &root, (0.0, height - 10.0 - ROW), (per_sample, root.samples));
    svg.finish()
}

fn tree(stacks: &BTreeMap<String, u64>) -> Frame {
    let mut root = Frame::default();
    for (stack, count) in stacks {
        root.samples += count;
        let mut frame = &mut root;
        for name in stack.split(';') {
            frame = frame.called.entry(name.to_owned()).or_default();
            frame.samples += count;
        }
    }
    root
}

/// Rows that are wide enough to be drawn.
fn depth(frame: &Frame, per_sample: f64) -> usize {
    let wide = frame.called.values().filter(|called| called.samples as f64 * per_sample >= LEAST_WIDTH);
    1 + wide.map(|called| depth(called, per_sample)).max().unwrap_or(0)
}

fn draw(svg: &mut Svg, name: &str, frame: &Frame, (x, y): (f64, f64), scale: (f64, u64)) {
    let (per_sample, all) = scale;
    let width = frame.samples as f64 * per_sample;
    if width < LEAST_WIDTH {
        return;
    }
    let share = 100.0 * frame.samples as f64 / all.max(1) as f64;
    let title = format!("{name}: {} samples, {share:.2} %", frame.samples);
    svg.rect(Area { x, y, width, height: ROW }, colour(name), &title);
    let letters = (width / (TEXT * LETTER)) as usize;
    if letters > 2 {
        let text: String = name.chars().take(letters - 1).collect();
        svg.text((x + 3.0, y + 12.0), TEXT, Anchor::Start, "#111", &text);
    }
    let mut at = x;
    for (name, called) in &frame.called {
        draw(svg, name, called, (at, y - ROW), scale);
        at += called.samples as f64 * per_sample;
    }
}

/// The kernel's functions in one hue, the program's in another; neighbours differ in shade.
fn colour(name: &str) -> &'static str {
    const KERNEL: [&str; 4] = ["#f5a65b", "#f2b366", "#eb9648", "#f7bd7c"];
    const PROGRAM: [&str; 4] = ["#8fbf88", "#9dcb95", "#82b57a", "#abd4a4"];
    let shade = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 4;
    if name.ends_with("_[k]") { KERNEL[shade] } else { PROGRAM[shade] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacks() -> BTreeMap<String, u64> {
        [("server;main;send_[k]", 3), ("server;main;recv_[k]", 1), ("idle;do_idle_[k]", 4)]
            .map(|(stack, count)| (stack.to_owned(), count))
            .into()
    }

    #[test]
    fn a_stack_is_a_line_with_its_samples_at_the_end() {
        assert_eq!(folded(&stacks()), "idle;do_idle_[k] 4\nserver;main;recv_[k] 1\nserver;main;send_[k] 3\n");
    }

    #[test]
    fn stacks_that_begin_alike_share_their_frames() {
        let root = tree(&stacks());
        let main = &root.called["server"].called["main"];
        assert_eq!((root.samples, main.samples, main.called["send_[k]"].samples), (8, 4, 3));
        assert_eq!(depth(&root, 1.0), 4);
    }

    #[test]
    fn a_frame_is_as_wide_as_its_part_of_the_samples() {
        let drawn = svg("a title", &stacks());
        assert!(drawn.contains("a title"));
        let half = drawn.lines().find(|line| line.contains("main: 4 samples, 50.00 %")).unwrap();
        assert!(half.contains("width=\"800.00\""), "{half}");
    }
}
