//! Quantities for people, in the unit that suits them.

use crate::units::Nanos;

/// A span with three digits or so, in the unit that suits it.
pub(crate) fn span(span: Nanos) -> String {
    match span.0 {
        ns @ 0..1000 => format!("{ns} ns"),
        ns @ 1000..1_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        ns @ 1_000_000..1_000_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        ns @ 1_000_000_000.. => format!("{:.2} s", ns as f64 / 1e9),
    }
}

/// A rate in the decimal unit that suits it, up to MB/s, in which rates are compared.
pub(crate) fn rate(bytes_per_s: f64) -> String {
    if bytes_per_s < 1e3 {
        format!("{bytes_per_s:.0} B/s")
    } else if bytes_per_s < 1e6 {
        format!("{:.1} kB/s", bytes_per_s / 1e3)
    } else {
        format!("{:.1} MB/s", bytes_per_s / 1e6)
    }
}

/// A size in the decimal unit that suits it.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000_000_000.. => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_given_in_the_unit_that_suits_them() {
        assert_eq!(span(Nanos(999)), "999 ns");
        assert_eq!(span(Nanos(12_345)), "12.3 us");
        assert_eq!(span(Nanos(12_345_678)), "12.35 ms");
        assert_eq!(span(Nanos::from_secs(2)), "2.00 s");
    }

    #[test]
    fn sizes_are_given_in_the_unit_that_suits_them() {
        assert_eq!([size(999), size(1500), size(2_340_000)], ["999 B", "1.5 kB", "2.3 MB"]);
        assert_eq!(size(7_000_000_000), "7.00 GB");
    }

    #[test]
    fn a_rate_of_small_messages_is_not_rounded_to_nothing() {
        assert_eq!([rate(0.0), rate(999.0), rate(40_000.0)], ["0 B/s", "999 B/s", "40.0 kB/s"]);
        assert_eq!([rate(1_234_567.0), rate(2.5e9)], ["1.2 MB/s", "2500.0 MB/s"]);
    }
}
