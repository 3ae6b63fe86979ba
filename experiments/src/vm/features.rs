//! What a kernel should offer, by its release, held against what the probe found in the guest.
//!
//! The expectation is data of its own, `features.toml`, and not the probe's catalogue: a mistake in either shows.

use std::collections::BTreeMap;

use guest::record::{Ended, Step};
use serde::Deserialize;
use uring_echo::kernel_version::KernelVersion;
use uring_echo::probe::{Readiness, Report};

const EXPECTED: &str = include_str!("features.toml");

/// The feature that the step `refusal` asks for.
const REFUSED: &str = "IORING_SETUP_NO_SQARRAY";

/// First release of each feature, by the name that the probe gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    since: BTreeMap<String, KernelVersion>,
}

fn expected() -> Result<Expected, String> {
    toml::from_str(EXPECTED).map_err(|error| format!("features.toml: {error}"))
}

fn version(release: &str) -> Result<KernelVersion, String> {
    release.parse().map_err(|error| format!("{error}"))
}

/// Judges the probe's JSON from a guest that runs `release`.
///
/// # Errors
/// One line that names every feature that is there or missing against expectation, or why there is nothing to judge.
pub(crate) fn judge(release: &str, json: &str) -> Result<(), String> {
    let report: Report =
        serde_json::from_str(json).map_err(|error| format!("the probe's report cannot be read: {error}"))?;
    let (release, expected) = (version(release)?, expected()?);
    let mut complaints = Vec::new();
    for (server, readiness) in [("epoll", &report.servers.epoll), ("uring", &report.servers.uring)] {
        if *readiness != Readiness::Ready {
            complaints.push(format!("serve {server} is {readiness}"));
        }
    }
    for (name, since) in &expected.since {
        let found = report.features.iter().find(|feature| feature.name == *name);
        let found = found.map(|feature| feature.available.value().copied());
        complaints.extend(complaint(name, *since <= release, found));
    }
    if complaints.is_empty() { Ok(()) } else { Err(format!("on Linux {release} {}", complaints.join("; "))) }
}

/// What is wrong with a feature that was `found` so: not in the report, in it and unknown, or known.
fn complaint(name: &str, wanted: bool, found: Option<Option<bool>>) -> Option<String> {
    match found {
        Some(Some(there)) if there == wanted => None,
        Some(Some(true)) => Some(format!("{name} is there and should not be")),
        Some(Some(false)) => Some(format!("{name} is missing")),
        Some(None) => Some(format!("{name} could not be tried")),
        None => Some(format!("the probe does not report {name}")),
    }
}

/// How many features are expected of `release`, and how many are known to be newer.
pub(crate) fn count(release: &str) -> Option<(usize, usize)> {
    let (release, expected) = (version(release).ok()?, expected().ok()?);
    let there = expected.since.values().filter(|since| **since <= release).count();
    Some((there, expected.since.len() - there))
}

/// Judges a server that was asked for [`REFUSED`]: an older kernel has to refuse in one line that names the release to
/// get, and a newer one has to serve until it is killed.
///
/// # Errors
/// What it did instead.
pub(crate) fn judge_refusal(release: &str, step: &Step) -> Result<(), String> {
    let since = *expected()?.since.get(REFUSED).ok_or_else(|| format!("features.toml lacks {REFUSED}"))?;
    if version(release)? >= since {
        let serves = matches!(step.ended, Ended::TimedOut(_)) && step.output.contains("listening on ");
        return if serves { Ok(()) } else { Err(format!("Linux {release} has {REFUSED}: {}", step.ended)) };
    }
    let lines: Vec<&str> = step.output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match (&step.ended, lines.as_slice()) {
        (Ended::Exit(code), [line]) if *code != 0 && line.contains(&format!("it came with {since}")) => {
            Ok(())
        }
        (ended, lines) => Err(format!(
            "a refusal is one line that says that {REFUSED} came with {since}; this is {} lines, {ended}",
            lines.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::units::Nanos;

    /// The report of this process, as a kernel of `release` would make it.
    fn report(release: &str, mut change: impl FnMut(&str) -> Option<bool>) -> String {
        let release: KernelVersion = release.parse().unwrap();
        let mut report = serde_json::to_value(Report::capture()).unwrap();
        for server in ["epoll", "uring"] {
            report["servers"][server] = serde_json::json!({"state": "ready"});
        }
        for feature in report["features"].as_array_mut().unwrap() {
            let name = feature["name"].as_str().unwrap();
            let since = expected().unwrap().since.get(name).copied();
            let there = change(name).unwrap_or(since.is_some_and(|since| since <= release));
            feature["available"] = there.into();
        }
        report.to_string()
    }

    fn refusal(ended: Ended, output: &str) -> Step {
        let (name, output) = ("refusal".into(), output.into());
        Step { name, ended, elapsed_ns: Nanos::from_millis(1), strays: 0, output }
    }

    #[test]
    fn every_kernel_that_is_as_expected_passes() {
        for release in ["6.1.0-56-cloud-amd64", "6.6.1", "6.12.117+deb12-cloud-amd64", "6.18.3"] {
            assert_eq!(judge(release, &report(release, |_| None)), Ok(()), "{release}");
        }
    }

    #[test]
    fn a_feature_that_is_missing_is_named() {
        let json = report("6.12.1", |name| (name == "receive bundle").then_some(false));
        assert_eq!(judge("6.12.1", &json), Err("on Linux 6.12 receive bundle is missing".into()));
    }

    #[test]
    fn a_feature_that_is_too_early_is_named() {
        let json = report("6.1.0", |name| (name == "receive bundle").then_some(true));
        assert_eq!(
            judge("6.1.0", &json),
            Err("on Linux 6.1 receive bundle is there and should not be".into())
        );
    }

    #[test]
    fn a_feature_that_the_probe_does_not_know_is_named() {
        let json = report("6.1.0", |_| None).replace("provided buffer ring", "provided ring");
        assert!(judge("6.1.0", &json).unwrap_err().contains("does not report provided buffer ring"));
    }

    #[test]
    fn what_is_no_report_is_said_so() {
        assert!(judge("6.1.0", "Linux 6.1").unwrap_err().contains("cannot be read"));
        assert!(judge("unknown", &report("6.1.0", |_| None)).unwrap_err().contains("unknown"));
    }

    #[test]
    fn an_old_kernel_refuses_in_one_line_with_the_release_to_get() {
        let line = "error: cannot have NO_SQARRAY: Linux 6.1 is too old, it came with 6.6 (x); upgrade\n";
        let judge = |ended, output: &str| judge_refusal("6.1.0-56", &refusal(ended, output));
        assert_eq!(judge(Ended::Exit(1), line), Ok(()));
        assert!(judge(Ended::Exit(0), line).is_err());
        assert!(judge(Ended::Exit(1), &line.repeat(2)).unwrap_err().contains("2 lines"));
        assert!(judge(Ended::Exit(1), "error: Invalid argument\n").is_err());
        assert!(judge(Ended::TimedOut(10), "listening on 127.0.0.1:9\n").is_err());
    }

    #[test]
    fn a_new_kernel_serves_until_it_is_killed() {
        let judge = |ended, output: &str| judge_refusal("6.12.1", &refusal(ended, output));
        assert_eq!(judge(Ended::TimedOut(10), "listening on 127.0.0.1:9\n"), Ok(()));
        assert!(judge(Ended::TimedOut(10), "").is_err());
        assert!(judge(Ended::Exit(1), "error: it came with 6.6\n").is_err());
    }

    #[test]
    fn the_pinned_kernels_differ_in_what_is_expected() {
        let counts: Vec<_> = ["6.1", "6.6", "6.12", "6.18"].map(|release| count(release).unwrap()).to_vec();
        let all = expected().unwrap().since.len();
        assert!(counts.windows(2).all(|pair| pair[0].0 < pair[1].0), "{counts:?}");
        assert!(counts.iter().all(|(there, newer)| there + newer == all));
        assert_eq!(counts[3].1, 0, "nothing newer than the newest pinned kernel is known");
    }
}
