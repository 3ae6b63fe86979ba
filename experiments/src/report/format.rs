//! Quantities for people: a few significant digits and a unit. None of these depends on a locale.
//!
//! Tables of the runner keep trailing zeros, so that columns align. Axes and labels of figures are as short as they can be.

use std::time::Duration;

/// Decimal prefixes from the largest down, with the unit that they make.
type Steps = [(f64, &'static str)];

const COUNTS: &Steps = &[(1e9, " G"), (1e6, " M"), (1e3, " k")];
const TIMES: &Steps = &[(1e9, " s"), (1e6, " ms"), (1e3, " µs")];
const MEMORY: &Steps = &[(1e9, " GB"), (1e6, " MB"), (1e3, " kB")];

/// `value` in the largest step that leaves at least 1, or in `unit`, its digits as `digits` writes them.
fn scaled(value: f64, steps: &Steps, unit: &str, digits: fn(f64) -> String) -> String {
    // Half a unit of the third digit early: 999.9 is 1 k and not 1000.
    match steps.iter().find(|(step, _)| value.abs() >= step * 0.9995) {
        Some((step, unit)) => format!("{}{unit}", digits(value / step)),
        None => format!("{}{unit}", digits(value)),
    }
}

/// `812`, `81.2`, `8.12`: three digits, or all that stand before the point. For columns, whose points then align.
pub fn three_digits(value: f64) -> String {
    match value.abs() {
        magnitude if magnitude >= 99.95 => format!("{value:.0}"),
        magnitude if magnitude >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A rate or a count with a decimal prefix, for columns: `950`, `81.2 k`, `3.17 M`.
pub fn decimal(value: f64) -> String {
    scaled(value, COUNTS, "", three_digits)
}

/// A span of `ns` nanoseconds, for columns: `950 ns`, `81.2 µs`, `3.17 ms`.
pub fn span(ns: f64) -> String {
    if ns < 999.5 { format!("{ns:.0} ns") } else { scaled(ns, TIMES, " ns", three_digits) }
}

/// `value` with at most `places` decimals, and no zeros at their end.
pub fn at_most(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `value` with `digits` significant digits, without an exponent.
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let factor = 10_f64.powi(decade(value) - digits + 1);
    let rounded = (value / factor).round() * factor;
    // Rounding may have carried into the next decade: 9.99 becomes 10.
    let decimals = usize::try_from(digits - 1 - decade(rounded)).unwrap_or(0);
    // A minus sign and not a hyphen, which is narrower and easily missed.
    at_most(rounded, decimals).replace('-', "−")
}

/// Exponent of the power of ten at or below the size of `value`.
fn decade(value: f64) -> i32 {
    (value.abs().log10() + 1e-12).floor() as i32
}

fn shortest(value: f64) -> String {
    significant(value, 3)
}

/// `value` by thousands, as short as it can be: `394 k`, `1 M`.
pub fn thousands(value: f64) -> String {
    scaled(value, COUNTS, "", shortest)
}

/// Nanoseconds in the unit that suits them, as short as it can be: `850 ns`, `1.2 ms`.
pub fn nanoseconds(value: f64) -> String {
    scaled(value, TIMES, " ns", shortest)
}

/// Measured bytes by thousands, so that the ticks of an axis come out round: `850 B`, `1.2 kB`.
pub fn memory(value: f64) -> String {
    scaled(value, MEMORY, " B", shortest)
}

/// A ratio with two decimals: `0.98`, `1.00`, `12.40`.
pub fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// A share as a percentage with as many nines as it has: `50 %`, `99.9 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", percentile(share))
}

/// A share as a percentile, without the sign: `50`, `99.9`.
pub fn percentile(share: f64) -> String {
    at_most(share * 100.0, 5)
}

/// A count with narrow spaces between thousands, which do not break: `393 584`.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value <= -0.5 { format!("−{text}") } else { text }
}

/// [`bytes`] with a space that does not break, for the labels of figures.
pub fn label_bytes(bytes: u64) -> String {
    // The sizes of messages fit: a run could not allocate others.
    self::bytes(usize::try_from(bytes).unwrap_or(usize::MAX)).replace(' ', "\u{a0}")
}

/// A size, in KiB or MiB where that is exact: `256 B`, `16 KiB`, `100000 B`.
pub fn bytes(bytes: usize) -> String {
    match bytes {
        0 => "0 B".into(),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} B"),
    }
}

/// Room on disk, rounded: `4 MB`, `1.2 GB`.
pub fn disk(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 999.5e6 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 999.5e3 => format!("{:.0} MB", bytes / 1e6),
        bytes => format!("{:.0} kB", bytes / 1e3),
    }
}

/// A time to wait: `45 s`, `2 min 05 s`, `1 h 10 min`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Prose in lines of at most 110 characters, broken between words.
pub fn wrap(prose: &str) -> Vec<String> {
    const WIDTH: usize = 110;
    let mut lines: Vec<String> = Vec::new();
    for word in prose.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_across_their_thresholds() {
        assert_eq!(
            [0.0, 8.123, 9.996, 81.25, 99.96, 812.4].map(three_digits),
            ["0.00", "8.12", "10.0", "81.2", "100", "812"]
        );
        assert_eq!([950.0, 999.6, 81_234.0, 3_170_000.0].map(decimal), ["950", "1.00 k", "81.2 k", "3.17 M"]);
        assert_eq!([950.0, 81_234.0, 3.17e6, 2e9].map(span), ["950 ns", "81.2 µs", "3.17 ms", "2.00 s"]);
    }

    #[test]
    fn numbers_in_figures_are_as_short_as_they_can_be() {
        assert_eq!([0.0, -0.001, 1.0, 1.005, 12.5].map(|v| at_most(v, 2)), ["0", "0", "1", "1", "12.5"]);
        assert_eq!([0.0, 9.996, 0.012345, 1234.0].map(|v| significant(v, 3)), ["0", "10", "0.0123", "1230"]);
        assert_eq!(significant(-2.5, 3), "−2.5");
        assert_eq!([999.9, 393_584.0, 1.05e6, 0.0].map(thousands), ["1 k", "394 k", "1.05 M", "0"]);
        assert_eq!(
            [850.0, 1_200_000.0, 2e9, 51_700.0].map(nanoseconds),
            ["850 ns", "1.2 ms", "2 s", "51.7 µs"]
        );
        assert_eq!([850.0, 1230.0, 2.5e6].map(memory), ["850 B", "1.23 kB", "2.5 MB"]);
        assert_eq!(
            [0.0, 0.5, 0.99, 0.999, 0.9999].map(percent),
            ["0 %", "50 %", "99 %", "99.9 %", "99.99 %"]
        );
        assert_eq!(grouped(1_234_567.0), "1\u{202f}234\u{202f}567");
        assert_eq!(label_bytes(32_768), "32\u{a0}KiB");
    }

    #[test]
    fn sizes_take_a_binary_prefix_only_where_it_is_exact() {
        assert_eq!([256, 16_384, 100_000, 2 << 20].map(bytes), ["256 B", "16 KiB", "100000 B", "2 MiB"]);
    }

    #[test]
    fn times_are_given_in_the_two_largest_units() {
        assert_eq!(
            [59.4, 125.0, 4200.0].map(|s| duration(Duration::from_secs_f64(s))),
            ["59 s", "2 min 05 s", "1 h 10 min"]
        );
    }

    #[test]
    fn prose_is_broken_between_words() {
        let words = ["a".repeat(60), "b".repeat(49), "c".to_owned()];
        let lines = wrap(&words.join(" "));
        assert_eq!(lines, [format!("{} {}", words[0], words[1]), words[2].clone()]);
    }
}
