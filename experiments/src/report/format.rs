//! Quantities for people: three significant digits and a unit.

use std::time::Duration;

/// `812`, `81.2`, `8.12`: three digits, or all that stand before the point.
pub fn three_digits(value: f64) -> String {
    match value.abs() {
        magnitude if magnitude >= 99.95 => format!("{value:.0}"),
        magnitude if magnitude >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A rate or a count with a decimal prefix: `950`, `81.2 k`, `3.17 M`.
pub fn decimal(value: f64) -> String {
    match value {
        value if value >= 999_500.0 => format!("{} M", three_digits(value / 1e6)),
        value if value >= 999.5 => format!("{} k", three_digits(value / 1e3)),
        _ => three_digits(value),
    }
}

/// A span of `ns` nanoseconds: `950 ns`, `81.2 µs`, `3.17 ms`.
pub fn span(ns: f64) -> String {
    match ns {
        ns if ns >= 999.5e6 => format!("{} s", three_digits(ns / 1e9)),
        ns if ns >= 999.5e3 => format!("{} ms", three_digits(ns / 1e6)),
        ns if ns >= 999.5 => format!("{} µs", three_digits(ns / 1e3)),
        _ => format!("{ns:.0} ns"),
    }
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

/// `1 cell`, `2 cells`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
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
