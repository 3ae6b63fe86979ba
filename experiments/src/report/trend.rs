//! Counts of instructions on several kernels side by side: the trend, and what changed from one kernel to the next.

use std::collections::BTreeSet;

use anyhow::Context;
use guest::record::Step;
use guest::steps;
use serde::Deserialize;
use uring_echo::kernel_version::KernelVersion;
use uring_echo::table::{self, Column, Row, left, right};
use uring_echo::words::plural;

use super::counts::{Count, Counts};
use super::format::grouped;
use crate::recording::Recording;
use crate::spec::factors::Factors;
use crate::verdict::Comparison;
use crate::vm::qemu::CONFORMANCE;
use crate::vm::verdict::tests_passed;

/// The same counts on several kernels, the oldest first.
#[derive(Debug)]
pub struct Trend {
    /// The kernels.
    pub kernels: Vec<Kernel>,
    /// What was counted on some of them.
    pub cells: BTreeSet<Factors>,
    /// The servers, in the order of the recordings.
    pub servers: Vec<String>,
    /// What is divided by what.
    pub comparisons: Vec<Comparison>,
}

/// What was counted on a kernel.
#[derive(Debug)]
pub struct Kernel {
    /// Name of the recording.
    pub recording: String,
    /// Its release.
    pub version: KernelVersion,
    /// Tests of the conformance suite that passed, if it ran.
    pub passed: Option<usize>,
    counts: Counts,
}

impl Kernel {
    fn of(recording: &Recording) -> anyhow::Result<Self> {
        let counts = Counts::of(recording)?;
        let version = counts.kernel.parse().context("a recording names no kernel")?;
        let is_kept = recording.manifest().files.iter().any(|file| file.path == CONFORMANCE);
        let passed = is_kept.then(|| passed(&recording.file(CONFORMANCE)?)).transpose()?;
        Ok(Self { recording: recording.manifest().recording.clone(), version, passed, counts })
    }

    /// Instructions a message of `server` in `cell`.
    pub fn instructions(&self, cell: &Factors, server: &str) -> Option<f64> {
        Some(self.count(&cell.key(), server)?.instructions)
    }

    /// Those of one server divided by those of the other.
    pub fn ratio(&self, cell: &Factors, of: &Comparison) -> Option<f64> {
        Some(self.instructions(cell, &of.of)? / self.instructions(cell, &of.to)?)
    }

    fn count(&self, cell: &str, server: &str) -> Option<&Count> {
        self.counts.count.iter().find(|count| (count.cell.as_str(), count.server.as_str()) == (cell, server))
    }
}

/// How many tests passed, by the report on a boot.
fn passed(report: &str) -> anyhow::Result<usize> {
    #[derive(Deserialize)]
    struct Report {
        steps: Vec<Step>,
    }
    let report: Report = serde_json::from_str(report).with_context(|| format!("{CONFORMANCE} is damaged"))?;
    let suite = report.steps.iter().filter(|step| step.name == steps::CONFORMANCE);
    Ok(suite.map(|step| tests_passed(&step.output)).sum())
}

impl Trend {
    /// That of `recordings`.
    ///
    /// # Errors
    /// When one has no counts, or cannot be read.
    pub fn of(recordings: &[Recording]) -> anyhow::Result<Self> {
        let mut kernels = recordings.iter().map(Kernel::of).collect::<anyhow::Result<Vec<_>>>()?;
        kernels.sort_by_key(|kernel| kernel.version);
        let ratios = recordings.iter().flat_map(|recording| &recording.manifest().ratios);
        let mut comparisons: Vec<_> = ratios.filter_map(|ratio| Comparison::parse(ratio)).collect();
        comparisons.sort_by_key(|of| (of.of.clone(), of.to.clone()));
        comparisons.dedup();
        let runs = recordings.iter().flat_map(|recording| &recording.manifest().runs);
        let mut servers: Vec<String> = Vec::new();
        for engine in recordings.iter().flat_map(|recording| &recording.manifest().engines) {
            if !servers.contains(&engine.name) {
                servers.push(engine.name.clone());
            }
        }
        Ok(Self { kernels, cells: runs.map(|run| run.factors.clone()).collect(), servers, comparisons })
    }

    /// The table, the changes, and what the kernels were.
    pub fn lines(&self) -> Vec<String> {
        let columns: Vec<Column> = [left("", ""), left("", "")]
            .into_iter()
            .chain(self.kernels.iter().map(|_| right("", "")))
            .collect();
        let mut lines =
            vec!["Instructions of a message by kernel, client, server and kernel together".to_owned()];
        lines.extend(table::render(&columns, &self.rows()));
        lines.push(String::new());
        lines.extend(self.changes());
        lines.push(String::new());
        lines.extend(
            self.kernels.iter().map(|kernel| format!("{}: {}", kernel.version, kernel.counts.kernel)),
        );
        lines
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = vec![self.row("", "", |kernel| Some(kernel.version.to_string())), Row::Rule];
        for cell in &self.cells {
            let mut shown = cell.to_string();
            for server in &self.servers {
                let count = |kernel: &Kernel| Some(grouped(kernel.instructions(cell, server)?));
                rows.push(self.row(&std::mem::take(&mut shown), server, count));
            }
            rows.extend(self.comparisons.iter().map(|of| {
                let ratio = |kernel: &Kernel| Some(format!("{:.3}", kernel.ratio(cell, of)?));
                self.row("", &format!("{} ÷ {}", of.of, of.to), ratio)
            }));
        }
        if self.kernels.iter().any(|kernel| kernel.passed.is_some()) {
            rows.push(Row::Rule);
            rows.push(self.row("conformance", "passed", |kernel| Some(kernel.passed?.to_string())));
        }
        rows
    }

    fn row(&self, cell: &str, server: &str, value: impl Fn(&Kernel) -> Option<String>) -> Row {
        let values = self.kernels.iter().map(|kernel| value(kernel).unwrap_or_else(|| "–".into()));
        Row::Cells([cell.to_owned(), server.to_owned()].into_iter().chain(values).collect())
    }

    /// What changed from a kernel to the next by more than repetitions differ, the largest first.
    fn changes(&self) -> Vec<String> {
        let mut changes = Vec::new();
        for pair in self.kernels.windows(2) {
            let [before, after] = pair else { continue };
            for count in &after.counts.count {
                changes.extend(change(before, after, count));
            }
        }
        changes.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let heading = match changes.len() {
            0 => "No count changed from a kernel to the next by more than it may between boots.".to_owned(),
            made => format!(
                "{} from a kernel to the next by more than counts of one kernel may differ, the largest first:",
                plural(made, "change")
            ),
        };
        [heading].into_iter().chain(changes.into_iter().map(|(_, line)| line)).collect()
    }
}

/// How far `count`, one of those of `after`, is from that of `before`, and the words for it; `None` where that is nothing.
fn change(before: &Kernel, after: &Kernel, count: &Count) -> Option<(f64, String)> {
    let was = before.count(&count.cell, &count.server)?;
    let percent = (count.instructions / was.instructions - 1.0) * 100.0;
    let line = format!(
        "  {} to {}: {} {}: {} to {}, {percent:+.1} %",
        before.version,
        after.version,
        count.cell,
        count.server,
        grouped(was.instructions),
        grouped(count.instructions)
    );
    (percent.abs() > was.limit_percent.max(count.limit_percent)).then_some((percent.abs(), line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::record::Mode;

    fn kernel(release: &str, counted: [(&str, f64); 2]) -> Kernel {
        let count = |(server, instructions): (&str, f64)| Count {
            cell: "stream/256B/c8".into(),
            server: server.into(),
            instructions,
            limit_percent: 0.25,
        };
        let counts = Counts { kernel: release.into(), count: counted.map(count).to_vec() };
        Kernel { recording: release.into(), version: release.parse().unwrap(), counts, passed: Some(71) }
    }

    fn trend() -> Trend {
        let kernels = vec![
            kernel("6.1.0-56-cloud-amd64", [("epoll", 1000.0), ("uring", 1100.0)]),
            kernel("6.12.117", [("epoll", 1002.0), ("uring", 1050.0)]),
        ];
        Trend {
            kernels,
            cells: [Factors::new(Mode::Stream, 256, 8)].into(),
            servers: ["epoll", "uring"].map(str::to_owned).to_vec(),
            comparisons: vec![Comparison::parse("uring/epoll").unwrap()],
        }
    }

    #[test]
    fn kernels_lie_side_by_side_with_the_ratio_and_what_passed() {
        let text = trend().lines().join("\n");
        for line in [
            "                  uring          1\u{202f}100  1\u{202f}050",
            "                  uring ÷ epoll  1.100  1.048",
            "conformance       passed            71     71",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_change_is_told_only_beyond_what_a_count_may_differ_by() {
        let text = trend().changes().join("\n");
        assert!(text.starts_with("1 change from a kernel"), "{text}");
        assert!(
            text.contains("6.1 to 6.12: stream/256B/c8 uring: 1\u{202f}100 to 1\u{202f}050, -4.5 %"),
            "{text}"
        );
        assert!(!text.contains("epoll"), "{text}");
    }
}
