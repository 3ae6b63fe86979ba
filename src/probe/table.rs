//! The report for people.

use std::fmt;

use super::{Feature, Kind, Need, Readiness, Report};
use crate::measure::host::{Known, Limit};
use crate::table::{self, Row, left};

impl Kind {
    const fn heading(self) -> &'static str {
        match self {
            Self::SetupFlag => "io_uring_setup flags",
            Self::RingFeature => "io_uring features",
            Self::Operation => "io_uring operations",
            Self::Registration => "io_uring registrations",
            Self::Variant => "io_uring variants, tried",
            Self::Epoll => "epoll",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Linux {} {}", self.kernel.release, self.kernel.arch)?;
        writeln!(f, "serve epoll: {}", self.servers.epoll)?;
        writeln!(f, "serve uring: {}\n", self.servers.uring)?;
        let settings = table::render(&[left("", ""); 2], &self.settings());
        let features = table::render(&[left("", ""); 5], &self.rows());
        settings.iter().chain(&features).try_for_each(|line| writeln!(f, "{line}"))?;
        write!(
            f,
            "\n* needed at default settings, + by an option. '?' could not be found out; --json says why."
        )
    }
}

impl Report {
    fn settings(&self) -> Vec<Row> {
        let rows = [
            ("io_uring", ring(&self.io_uring)),
            ("kernel.io_uring_disabled", self.io_uring_disabled.to_string()),
            ("seccomp mode", self.seccomp_mode.to_string()),
            ("io_uring operations", self.operations_count.to_string()),
            ("open descriptors", limit(&self.limits.nofile)),
            ("locked memory, bytes", limit(&self.limits.memlock_bytes)),
        ];
        rows.map(|(name, value)| Row::Cells(vec![name.to_owned(), value])).into()
    }

    /// The features under a heading for each kind, all in the same columns.
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            if index == 0 || self.features[index - 1].kind != feature.kind {
                let heading = ["", feature.kind.heading(), "since", "here", "used for"];
                rows.extend([Row::Blank, Row::Cells(heading.map(str::to_owned).into())]);
            }
            rows.push(feature.row());
        }
        rows
    }
}

impl Feature {
    fn row(&self) -> Row {
        let need = match self.need {
            Need::Default => "*",
            Need::Option => "+",
            Need::Information => "",
        };
        let here = match &self.available {
            Known::Value(true) => "yes",
            Known::Value(false) => "no",
            Known::Unavailable(_) => "?",
        };
        let cells = [need, &self.name, &self.since.to_string(), here, &self.purpose];
        Row::Cells(cells.map(str::to_owned).into())
    }
}

fn ring(ring: &Readiness) -> String {
    match ring {
        Readiness::Ready => "available".to_owned(),
        Readiness::NotPossible(refusal) => format!("refused: {}", refusal.error),
    }
}

fn limit(limit: &Known<Limit>) -> String {
    let bound = |bound: Option<u64>| bound.map_or_else(|| "unlimited".to_owned(), |bound| bound.to_string());
    match limit {
        Known::Value(limit) => format!("{}, may be raised to {}", bound(limit.soft), bound(limit.hard)),
        Known::Unavailable(why) => format!("unavailable ({})", why.unavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Servers;
    use super::*;
    use crate::kernel_version::KernelVersion;
    use crate::measure::host::{Kernel, Limits};

    fn feature(kind: Kind, name: &str, available: Known<bool>, need: Need) -> Feature {
        let since = KernelVersion::new(6, 1);
        Feature { kind, name: name.to_owned(), since, available, need, purpose: "something".to_owned() }
    }

    fn report() -> Report {
        let known = |text: &str| Known::Value(text.to_owned());
        Report {
            kernel: Kernel {
                release: known("6.1.0"),
                version: known("#1 SMP"),
                arch: known("x86_64"),
                cmdline: known("quiet"),
            },
            io_uring: Readiness::Ready,
            io_uring_disabled: Known::unavailable("/proc/sys/kernel/io_uring_disabled: not found"),
            seccomp_mode: Known::Value(0),
            limits: Limits {
                nofile: Known::Value(Limit { soft: Some(1024), hard: Some(524_288) }),
                memlock_bytes: Known::Value(Limit { soft: Some(8 << 20), hard: None }),
            },
            servers: Servers { epoll: Readiness::Ready, uring: Readiness::Ready },
            operations_count: Known::Value(49),
            features: vec![
                feature(Kind::SetupFlag, "IORING_SETUP_A", Known::Value(true), Need::Default),
                feature(Kind::SetupFlag, "IORING_SETUP_B", Known::Value(false), Need::Option),
                feature(Kind::Epoll, "EPOLLC", Known::unavailable("no socket"), Need::Information),
            ],
        }
    }

    #[test]
    fn the_verdict_stands_before_the_details() {
        let text = report().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["Linux 6.1.0 x86_64", "serve epoll: ready", "serve uring: ready"]);
        assert!(
            text.contains("1024, may be raised to 524288") && text.contains("may be raised to unlimited")
        );
        assert!(text.contains("unavailable (/proc/sys/kernel/io_uring_disabled"));
    }

    #[test]
    fn each_kind_has_one_heading_and_each_feature_one_row() {
        let text = report().to_string();
        assert_eq!(text.matches(Kind::SetupFlag.heading()).count(), 1);
        assert_eq!(text.matches("\n   epoll ").count(), 1);
        let row = |name: &str| {
            let line = text.lines().find(|line| line.contains(name)).unwrap();
            line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row("IORING_SETUP_A"), ["*", "IORING_SETUP_A", "6.1", "yes", "something"]);
        assert_eq!(row("IORING_SETUP_B"), ["+", "IORING_SETUP_B", "6.1", "no", "something"]);
        assert_eq!(row("EPOLLC"), ["EPOLLC", "6.1", "?", "something"]);
    }

    #[test]
    fn columns_are_aligned_and_fit_a_terminal() {
        let text = Report::capture().to_string();
        let rows = text.lines().skip_while(|line| !line.contains("used for"));
        for line in rows.filter(|line| !line.is_empty()) {
            assert!(line.chars().count() <= 120, "{line}");
        }
        let at = |line: &str, word: &str| line.find(word);
        let heading = text.lines().find(|line| line.contains("used for")).unwrap();
        let first = text.lines().find(|line| line.contains("IORING_SETUP_CQSIZE")).unwrap();
        assert_eq!(at(heading, "since"), at(first, "5.5"));
        for heading in text.lines().filter(|line| line.ends_with("used for")) {
            assert_eq!(at(heading, "used for"), at(first, "a completion queue"), "{heading}");
        }
    }
}
