//! What this kernel offers to the two servers, and why not where it does not.
//!
//! Asking is not enough: the kernel lists its operations but not their variants, a version number says nothing of
//! what a distribution carried back or a container took away. So what cannot be asked is tried.

mod catalogue;
pub mod costs;
mod table;
mod trials;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel_version::KernelVersion;
use crate::measure::host::{Host, Kernel, Known, Limits};
use crate::refusal::{Refusal, Request, Situation};
use crate::server::shell::fit;
use crate::sys::Errno;
use crate::sys::epoll::Epoll;
use crate::sys::uring_probe::{self, Trial};

use catalogue::{Check, ROWS, Row};
use trials::Miss;

/// What was found. Displayed as a table, serialised as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The kernel.
    pub kernel: Kernel,
    /// Whether this process may have a ring at all.
    pub io_uring: Readiness,
    /// `kernel.io_uring_disabled`: 0 allowed, 1 for the privileged or a group, 2 for nobody. Since Linux 6.6.
    pub io_uring_disabled: Known<String>,
    /// System call filter on this process: 0 none, 1 strict, 2 a filter.
    pub seccomp_mode: Known<u8>,
    /// Resource limits of this process.
    pub limits: Limits,
    /// Whether the servers can run at their default settings.
    pub servers: Servers,
    /// How many io_uring operations the kernel knows, a count.
    pub operations_count: Known<usize>,
    /// Feature by feature.
    pub features: Vec<Feature>,
}

/// The two servers at their default settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Servers {
    /// `serve epoll`.
    pub epoll: Readiness,
    /// `serve uring`.
    pub uring: Readiness,
}

/// Whether something can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Readiness {
    /// It can.
    Ready,
    /// It cannot, with the reason and the cure.
    NotPossible(Refusal),
}

impl Readiness {
    /// Ready when both are; the first obstacle otherwise.
    fn and(self, other: Self) -> Self {
        if self == Self::Ready { other } else { self }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::NotPossible(refusal) => write!(f, "not possible: {refusal}"),
        }
    }
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// What sort of thing it is.
    pub kind: Kind,
    /// The kernel's name for it, or a description where it has none.
    pub name: String,
    /// The first release of Linux that has it.
    pub since: KernelVersion,
    /// Whether it is here.
    pub available: Known<bool>,
    /// Who needs it.
    pub need: Need,
    /// What the servers gain by it.
    pub purpose: String,
}

/// Where a feature belongs, and how it was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A flag of io_uring_setup(2), tried.
    SetupFlag,
    /// An IORING_FEAT_ bit, reported by the kernel.
    RingFeature,
    /// An operation, listed by the kernel.
    Operation,
    /// Something registered with a ring, tried.
    Registration,
    /// A variant of an operation, tried on a connection over loopback.
    Variant,
    /// A part of epoll, tried.
    Epoll,
}

/// Who needs a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A server at its default settings.
    Default,
    /// A server with an option set.
    Option,
    /// Nobody here; it is told because it bears on the comparison.
    Information,
}

impl Report {
    /// Looks at this machine. Takes some milliseconds, and a few connections over loopback.
    pub fn capture() -> Self {
        let host = Host::capture();
        let situation = Situation::from(&host);
        let rings = Rings::open();
        let features: Vec<Feature> = ROWS.iter().map(|row| row.find(&rings)).collect();
        Self {
            io_uring: rings.readiness(&situation),
            io_uring_disabled: host.sysctls["kernel.io_uring_disabled"].clone(),
            seccomp_mode: host.virtualisation.seccomp_mode,
            servers: Servers {
                epoll: enough_descriptors(&host.limits).and(epoll(&situation)),
                uring: enough_descriptors(&host.limits).and(uring(&rings, &features, &situation)),
            },
            operations_count: rings.operations.as_ref().map_or_else(open, |all| Known::Value(all.len())),
            limits: host.limits,
            kernel: host.kernel,
            features,
        }
    }
}

/// What a plain ring tells without being used.
struct Rings {
    /// IORING_FEAT_ bits, or why there is no ring.
    reported: Result<u32, Errno>,
    operations: Result<Vec<u8>, Errno>,
}

impl Rings {
    fn open() -> Self {
        Self {
            reported: uring_probe::try_setup(0),
            operations: Trial::new().and_then(|trial| trial.operations()),
        }
    }

    fn readiness(&self, situation: &Situation) -> Readiness {
        match self.reported {
            Ok(_) => Readiness::Ready,
            Err(errno) => Readiness::NotPossible(Refusal::explain(errno, Request::AnyRing, situation)),
        }
    }
}

impl Row {
    fn find(&self, rings: &Rings) -> Feature {
        Feature {
            kind: self.check.kind(),
            name: self.name.to_owned(),
            since: self.since,
            available: self.available(rings),
            need: self.need,
            purpose: self.purpose.to_owned(),
        }
    }

    fn available(&self, rings: &Rings) -> Known<bool> {
        match (self.check, rings.reported) {
            (Check::Epoll(attempt), _) => known(attempt()),
            (_, Err(errno)) => Known::unavailable(format!("there is no io_uring to try it on: {errno}")),
            (Check::Setup { flag, with }, Ok(_)) => {
                known(uring_probe::try_setup(flag | with).map(drop).map_err(Miss::from))
            }
            (Check::Reported(bit), Ok(reported)) => Known::Value(reported & bit != 0),
            (Check::Operation(number), Ok(_)) => match &rings.operations {
                Ok(operations) => Known::Value(operations.contains(&number)),
                Err(errno) => open(errno),
            },
            (Check::Registration(attempt) | Check::Variant(attempt), Ok(_)) => known(attempt()),
        }
    }
}

fn known(outcome: Result<(), Miss>) -> Known<bool> {
    match outcome {
        Ok(()) => Known::Value(true),
        Err(Miss::Absent) => Known::Value(false),
        Err(Miss::Open(reason)) => Known::unavailable(reason),
    }
}

fn open<T>(errno: &Errno) -> Known<T> {
    Known::unavailable(errno.to_string())
}

/// Whether the descriptor limit leaves a server any connections. One that leaves fewer than the default is no obstacle:
/// the server then serves as many.
fn enough_descriptors(limits: &Limits) -> Readiness {
    let needed = fit::descriptors_needed(1);
    match limits.nofile.value().and_then(|limit| limit.hard) {
        Some(hard) if hard < needed => Readiness::NotPossible(Refusal {
            request: format!("{needed} descriptors"),
            cause: format!("RLIMIT_NOFILE can be raised to {hard} only"),
            error: Errno(libc::EMFILE).to_string(),
            remedy: "raise the hard limit (ulimit -Hn)".to_owned(),
        }),
        _ => Readiness::Ready,
    }
}

fn epoll(situation: &Situation) -> Readiness {
    const EPOLL: Request = Request::Feature { name: "an epoll instance", since: KernelVersion::new(2, 6) };
    match Epoll::new() {
        Ok(_) => Readiness::Ready,
        Err(errno) => Readiness::NotPossible(Refusal::explain(errno, EPOLL, situation)),
    }
}

/// Asks for a ring as the server does, then for what the server needs beyond its ring.
fn uring(rings: &Rings, features: &[Feature], situation: &Situation) -> Readiness {
    if let not_possible @ Readiness::NotPossible(_) = rings.readiness(situation) {
        return not_possible;
    }
    if let Err(errno) = uring_probe::try_setup(catalogue::default_setup()) {
        return Readiness::NotPossible(Refusal::explain(errno, Request::Ring, situation));
    }
    let needed = ROWS.iter().zip(features).filter(|(row, _)| row.need == Need::Default);
    needed
        .filter(|(_, feature)| feature.kind != Kind::Epoll)
        .find_map(|(row, feature)| row.obstacle(&feature.available, situation))
        .map_or(Readiness::Ready, Readiness::NotPossible)
}

/// Why nobody can count on the feature that [`Report`] calls `name`; `None` when it is here. Tries that feature alone.
///
/// # Panics
/// On a name that no feature has.
pub fn obstacle(name: &str) -> Option<Refusal> {
    let row =
        ROWS.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no feature is called {name}"));
    let rings = Rings::open();
    let situation = Situation::from(&Host::capture());
    match rings.readiness(&situation) {
        Readiness::Ready => row.obstacle(&row.available(&rings), &situation),
        Readiness::NotPossible(refusal) => Some(refusal),
    }
}

impl Row {
    /// Why nobody can count on this feature; `None` when it is here.
    fn obstacle(&self, available: &Known<bool>, situation: &Situation) -> Option<Refusal> {
        let request = Request::Feature { name: self.name, since: self.since };
        match available {
            Known::Value(true) => None,
            Known::Value(false) => Some(Refusal::explain(Errno(libc::EINVAL), request, situation)),
            Known::Unavailable(why) => Some(Refusal {
                request: request.to_string(),
                cause: "it could not be tried".to_owned(),
                error: why.unavailable.clone(),
                remedy: "remove what is in the way and probe again".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::host::Limit;

    fn old_kernel() -> Situation {
        Situation { release: Some(KernelVersion::new(5, 15)), ..Situation::default() }
    }

    fn report() -> Report {
        Report::capture()
    }

    #[test]
    fn a_report_survives_json() {
        let report = report();
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }

    #[test]
    fn every_feature_is_answered_for() {
        let report = report();
        assert_eq!(report.features.len(), ROWS.len());
        for feature in &report.features {
            if let Known::Unavailable(why) = &feature.available {
                assert!(!why.unavailable.is_empty(), "{}", feature.name);
            }
        }
    }

    #[test]
    fn a_kernel_does_what_its_release_promises() {
        let report = report();
        if report.io_uring != Readiness::Ready {
            return;
        }
        let release: KernelVersion = report.kernel.release.value().unwrap().parse().unwrap();
        for feature in report.features.iter().filter(|feature| feature.since <= release) {
            // Only a submitting kernel thread may be refused to a process without privileges.
            let privileged = feature.name == "IORING_SETUP_SQPOLL";
            assert!(privileged || feature.available == Known::Value(true), "{feature:?}");
        }
    }

    #[test]
    fn a_missing_default_feature_is_an_obstacle_with_its_release() {
        let row = ROWS.iter().find(|row| row.name == "provided buffer ring").unwrap();
        let refusal = row.obstacle(&Known::Value(false), &old_kernel()).unwrap();
        assert!(refusal.to_string().contains("Linux 5.15 is too old, it came with 5.19"), "{refusal}");
        assert_eq!(row.obstacle(&Known::Value(true), &old_kernel()), None);
    }

    #[test]
    fn a_default_feature_that_could_not_be_tried_is_an_obstacle_with_its_reason() {
        let refusal = ROWS[0].obstacle(&Known::unavailable("no loopback"), &old_kernel()).unwrap();
        assert!(refusal.to_string().contains("could not be tried (no loopback)"), "{refusal}");
    }

    #[test]
    fn without_a_ring_the_uring_server_is_not_possible_and_nothing_is_guessed() {
        let rings = Rings { reported: Err(Errno(libc::EPERM)), operations: Err(Errno(libc::EPERM)) };
        let situation = Situation { disabled: Some(2), ..old_kernel() };
        let features: Vec<Feature> = ROWS.iter().map(|row| row.find(&rings)).collect();
        let of_the_ring = features.iter().filter(|feature| feature.kind != Kind::Epoll);
        for feature in of_the_ring {
            assert_eq!(feature.available.value(), None, "{}", feature.name);
        }
        let Readiness::NotPossible(refusal) = uring(&rings, &features, &situation) else {
            panic!("a server without a ring")
        };
        assert!(refusal.cause.contains("io_uring_disabled=2"), "{refusal}");
    }

    #[test]
    fn a_limit_that_leaves_no_connection_stops_both_servers() {
        let limits = |hard| Limits {
            nofile: Known::Value(Limit { soft: Some(256), hard }),
            memlock_bytes: Known::unavailable("not asked"),
        };
        let Readiness::NotPossible(refusal) = enough_descriptors(&limits(Some(16))).and(Readiness::Ready)
        else {
            panic!("16 descriptors for a connection and all else")
        };
        assert!(refusal.cause.contains("16") && refusal.remedy.contains("ulimit -Hn"), "{refusal}");
        assert_eq!(enough_descriptors(&limits(Some(64))), Readiness::Ready);
        assert_eq!(enough_descriptors(&limits(None)), Readiness::Ready);
    }

    #[test]
    fn a_state_is_a_word_in_json() {
        assert_eq!(serde_json::to_string(&Readiness::Ready).unwrap(), r#"{"state":"ready"}"#);
        let refusal = ROWS[0].obstacle(&Known::Value(false), &old_kernel()).unwrap();
        let json = serde_json::to_value(Readiness::NotPossible(refusal)).unwrap();
        assert_eq!(json["state"], "not_possible");
        assert!(json["remedy"].is_string());
    }
}
