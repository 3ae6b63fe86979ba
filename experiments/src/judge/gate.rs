//! Limits that a run is held against after it was made: noise from outside, and which end was saturated.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the value of a field is taken relative to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Nothing.
    #[default]
    Value,
    /// The length of the window: for a time in nanoseconds.
    Window,
    /// A second of the window: for a count.
    Second,
}

/// Most noise a run may have seen in one field of its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseLimit {
    /// Path of the field, its parts joined by dots.
    pub field: String,
    /// Most of it.
    pub max: f64,
    /// Of it, or of it relative to the window.
    pub per: Per,
}

impl fmt::Display for NoiseLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, max, per } = self;
        match per {
            Per::Value => write!(f, "{field} <= {max}"),
            Per::Window => write!(f, "{field} / window <= {max}"),
            Per::Second => write!(f, "{field} per second <= {max}"),
        }
    }
}

/// The limits of a specification that sets none. Those of stall and of switches are about twice the worst that 273 runs
/// saw on a machine with two cores and nothing else to do: 0.17 of the window, 215 a second.
pub fn default_limits() -> Vec<NoiseLimit> {
    let limit = |field: &str, max, per| NoiseLimit { field: field.into(), max, per };
    vec![
        limit("cpu.server_core.steal_ns", 0.02, Per::Window),
        limit("summary.server_core_foreign_share", 0.05, Per::Value),
        limit("noise.psi_cpu_some_ns", 0.35, Per::Window),
        limit("noise.server_involuntary_switches", 400.0, Per::Second),
    ]
}

/// The limits that `record`, a run's record as JSON, exceeds: `field 0.031 > 0.02`.
pub fn exceeded(limits: &[NoiseLimit], record: &Value) -> Vec<String> {
    limits.iter().filter_map(|limit| excess(limit, record)).collect()
}

fn excess(limit: &NoiseLimit, record: &Value) -> Option<String> {
    let value = number(record, &limit.field)?;
    let relative = match limit.per {
        Per::Value => value,
        Per::Window => value / window_ns(record)?,
        Per::Second => value / (window_ns(record)? / 1e9),
    };
    (relative > limit.max).then(|| format!("{}: {relative:.3} > {}", limit.field, limit.max))
}

fn window_ns(record: &Value) -> Option<f64> {
    let length = number(record, "timeline.window_end_ns")? - number(record, "timeline.window_start_ns")?;
    (length > 0.0).then_some(length)
}

/// The number at `path`; `None` when it is missing or null.
fn number(record: &Value, path: &str) -> Option<f64> {
    path.split('.').try_fold(record, |value, key| value.get(key))?.as_f64()
}

/// Whether `record` can have a field at `path`: it has one, or what it would be in is null.
pub fn is_known(record: &Value, path: &str) -> bool {
    let mut value = record;
    for key in path.split('.') {
        match value.get(key) {
            Some(inner) => value = inner,
            None => return value.is_null(),
        }
    }
    true
}

/// When throughput says something about the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SaturationLimits {
    /// From this share of its core's time on, the server is saturated.
    pub server_busy_share_min: f64,
    /// From this share of its core's time on, the client may be what limits.
    pub client_busy_share_max: f64,
}

impl Default for SaturationLimits {
    fn default() -> Self {
        Self { server_busy_share_min: 0.95, client_busy_share_max: 0.90 }
    }
}

/// Which end a run's throughput is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saturation {
    /// The server was busy and the client was not.
    Server,
    /// The client was busy: throughput says nothing about the server.
    ClientLimited,
    /// Neither was: latency or the offered load was the limit.
    Unsaturated,
}

impl SaturationLimits {
    /// The verdict on `record`; `None` when its window never ended.
    pub fn verdict(self, record: &Value) -> Option<Saturation> {
        let client = number(record, "summary.client_busy_share")?;
        let server = number(record, "summary.server_busy_share").unwrap_or(0.0);
        Some(if client >= self.client_busy_share_max {
            Saturation::ClientLimited
        } else if server >= self.server_busy_share_min {
            Saturation::Server
        } else {
            Saturation::Unsaturated
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(steal_ns: u64) -> Value {
        json!({
            "timeline": { "window_start_ns": 1_000_000_000_u64, "window_end_ns": 3_000_000_000_u64 },
            "noise": { "steal_ns": steal_ns, "psi_cpu_some_ns": null, "switches": 30 },
        })
    }

    fn limit(field: &str, max: f64, per: Per) -> NoiseLimit {
        NoiseLimit { field: field.into(), max, per }
    }

    #[test]
    fn a_time_is_held_against_the_length_of_the_window() {
        let limits = [limit("noise.steal_ns", 0.02, Per::Window)];
        assert_eq!(exceeded(&limits, &record(40_000_000)), Vec::<String>::new());
        assert_eq!(exceeded(&limits, &record(62_000_000)), ["noise.steal_ns: 0.031 > 0.02"]);
    }

    #[test]
    fn a_count_is_held_against_the_seconds_of_the_window() {
        assert!(exceeded(&[limit("noise.switches", 15.0, Per::Second)], &record(0)).is_empty());
        let flags = exceeded(&[limit("noise.switches", 14.0, Per::Second)], &record(0));
        assert_eq!(flags, ["noise.switches: 15.000 > 14"]);
    }

    #[test]
    fn what_the_machine_cannot_tell_passes() {
        let limits = [limit("noise.psi_cpu_some_ns", 0.0, Per::Value), limit("no.such", 0.0, Per::Value)];
        assert!(exceeded(&limits, &record(0)).is_empty());
    }

    #[test]
    fn a_field_that_no_record_has_is_told_from_one_that_is_null() {
        assert!(
            is_known(&record(0), "noise.psi_cpu_some_ns") && is_known(&record(0), "noise.psi_cpu_some_ns.x")
        );
        assert!(!is_known(&record(0), "noise.steel_ns") && !is_known(&record(0), "nose.steal_ns"));
    }

    #[test]
    fn throughput_is_the_servers_only_when_it_was_busy_and_the_client_was_not() {
        let verdict = |server: Option<f64>, client: f64| {
            let summary = json!({ "summary": { "server_busy_share": server, "client_busy_share": client } });
            SaturationLimits::default().verdict(&summary)
        };
        assert_eq!(verdict(Some(0.95), 0.89), Some(Saturation::Server));
        assert_eq!(verdict(Some(0.99), 0.90), Some(Saturation::ClientLimited));
        assert_eq!(verdict(Some(0.94), 0.10), Some(Saturation::Unsaturated));
        assert_eq!(verdict(None, 0.10), Some(Saturation::Unsaturated));
        assert_eq!(SaturationLimits::default().verdict(&json!({ "summary": null })), None);
    }
}
