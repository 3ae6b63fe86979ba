//! Numbers as a reader sees them. None of these depends on a locale.

/// A coordinate with at most two decimals: enough for a pixel, and the same bytes everywhere.
#[must_use]
pub fn coordinate(value: f64) -> String {
    trimmed(format!("{value:.2}"))
}

fn trimmed(text: String) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `value` with `digits` significant digits, without an exponent.
#[must_use]
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = decade(value);
    let factor = 10_f64.powi(magnitude - digits + 1);
    let rounded = (value / factor).round() * factor;
    // Rounding may have carried into the next decade: 9.99 becomes 10.
    let decimals = (digits - 1 - decade(rounded)).max(0);
    let decimals = usize::try_from(decimals).unwrap_or(0);
    // A minus sign and not a hyphen, which is narrower and easily missed.
    trimmed(format!("{rounded:.decimals$}")).replace('-', "−")
}

/// Exponent of the power of ten at or below the size of `value`.
fn decade(value: f64) -> i32 {
    let exponent = (value.abs().log10() + 1e-12).floor();
    exponent as i32
}

/// `value` by thousands: `394 k`, `1.05 M`.
#[must_use]
pub fn thousands(value: f64) -> String {
    let steps = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    scaled(value, &steps, "")
}

/// Nanoseconds in the unit that suits them: `850 ns`, `1.2 ms`.
#[must_use]
pub fn nanoseconds(value: f64) -> String {
    scaled(value, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs")], " ns")
}

/// Measured bytes by thousands, so that the ticks of an axis come out round: `850 B`, `1.2 kB`.
#[must_use]
pub fn memory(value: f64) -> String {
    scaled(value, &[(1e9, " GB"), (1e6, " MB"), (1e3, " kB")], " B")
}

fn scaled(value: f64, steps: &[(f64, &str)], below: &str) -> String {
    // Half a unit of the third digit early, so that 999.9 is 1 k and not 1000.
    let fits = |step: f64| value.abs() >= step * 0.9995;
    match steps.iter().find(|(step, _)| fits(*step)) {
        Some((step, unit)) => format!("{}{unit}", significant(value / step, 3)),
        None => format!("{}{below}", significant(value, 3)),
    }
}

/// Bytes in binary units where they come out whole: `256 B`, `4 KiB`, `100000 B`. The space does not break.
#[must_use]
pub fn bytes(value: u64) -> String {
    const KIB: u64 = 1024;
    match value {
        0 => "0\u{a0}B".to_owned(),
        v if v % (KIB * KIB) == 0 => format!("{}\u{a0}MiB", v / (KIB * KIB)),
        v if v % KIB == 0 => format!("{}\u{a0}KiB", v / KIB),
        v => format!("{v}\u{a0}B"),
    }
}

/// A ratio with two decimals: `0.98`, `1.00`, `12.40`.
#[must_use]
pub fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// A share as a percentage with as many nines as it has: `50 %`, `99.9 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", percentile(share))
}

/// A share as a percentile, without the sign: `50`, `99.9`.
#[must_use]
pub fn percentile(share: f64) -> String {
    trimmed(format!("{:.5}", share * 100.0))
}

/// A count with thin gaps between thousands: `393 584`.
#[must_use]
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
