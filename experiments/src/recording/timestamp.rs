//! Wall-clock time in UTC, for names and for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01 UTC. 0 when the clock is set before that.
pub fn unix_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// `unix_ms`, before the year 10000, as `20261122T140907Z`: ISO 8601 basic format, which sorts by time and suits a
/// folder's name.
pub fn utc(unix_ms: u64) -> String {
    let extended = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string();
    extended.replace(['-', ':'], "")
}

/// The name of a recording that was begun at `unix_ms` with `seed`.
pub fn name(unix_ms: u64, seed: u64) -> String {
    format!("{}-{:06x}", utc(unix_ms), seed & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_have_their_names() {
        assert_eq!(utc(0), "19700101T000000Z");
        assert_eq!(utc(951_782_399_999), "20000228T235959Z");
        assert_eq!(utc(951_782_400_000), "20000229T000000Z");
        assert_eq!(utc(1_767_225_599_000), "20251231T235959Z");
        assert_eq!(utc(1_795_356_547_000), "20261122T140907Z");
    }
}
