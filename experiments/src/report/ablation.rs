//! What each variant changes against what it is a variant of, a table for each workload.

use uring_echo::table::{self, Column, Row, left, right};

use super::columns::{heading, or_dash, sign};
use super::format::three_digits;
use super::grid::{Comparison, Grid, Samples};
use super::metric::Metric;
use crate::recording::manifest::{LeftOut, Manifest};
use crate::spec::factors::Factors;
use crate::spec::workload::Workload;
use crate::verdict::Mean;
use crate::verdict::statistics::geometric_mean;

const COLUMNS: [Column; 10] = [
    left("engine", ""),
    left("against", ""),
    left("CPU per message", "change (95 %)"),
    right("cells", "least..most"),
    right("pairs", "valid"),
    right("CPU", "ns/msg"),
    right("syscalls", "1/msg"),
    right("Jain", "median"),
    right("Jain", "worst"),
    right("memory", "MiB"),
];

/// The tables, and which variants are in none.
pub(super) fn section(grid: &Grid, manifest: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    for workload in grid.workloads() {
        lines.extend([String::new(), heading(workload)]);
        lines.extend(table::render(&COLUMNS, &rows(grid, workload)));
    }
    lines.extend([
        String::new(),
        "Change: of CPU per message against the engine named, geometric mean of the cells, from pairs of runs made right after \
         each other;"
            .into(),
        "<, >: less or more, by the interval and by the A/A control; ≈: no difference; no sign: nothing may be claimed. CPU is \
         the geometric"
            .into(),
        "mean of the cells' medians, system calls their mean; Jain the least median and the least run, memory the largest median \
         of a cell."
            .into(),
    ]);
    lines.extend(left_out(&manifest.left_out));
    lines
}

fn rows(grid: &Grid, workload: Workload) -> Vec<Row> {
    let mut rows = Vec::new();
    for engine in &grid.engines {
        let compared = grid.comparisons.iter().filter(|comparison| comparison.of == *engine);
        let mut changes: Vec<[String; 4]> =
            compared.filter_map(|comparison| change(grid, workload, comparison)).collect();
        if changes.is_empty() {
            changes.push(["–"; 4].map(str::to_owned));
        }
        for change in changes {
            let row = [vec![engine.clone()], change.into(), measured(grid, workload, engine).into()];
            rows.push(Row::Cells(row.concat()));
        }
    }
    rows
}

/// Against what, the mean change, its ends over the cells, and on how many pairs it stands.
fn change(grid: &Grid, workload: Workload, comparison: &Comparison) -> Option<[String; 4]> {
    let mean = grid.mean(workload, comparison, Metric::CpuPerMessage)?;
    let cells = grid.cells_of(workload);
    let pairs = cells.filter_map(|cell| grid.ratio(cell, comparison, Metric::CpuPerMessage));
    let pairs: usize = pairs.map(|ratio| ratio.estimate.n).sum();
    let ends = mean.least.zip(mean.most);
    let ends =
        ends.map_or_else(|| "–".into(), |(least, most)| format!("{}..{}", percent(least), percent(most)));
    Some([comparison.to.clone(), in_percent(&mean), ends, pairs.to_string()])
}

/// A mean ratio as a change: `+3.1 % (+1.0..+5.2) >`.
fn in_percent(mean: &Mean) -> String {
    let interval = mean.low.zip(mean.high);
    let interval =
        interval.map_or_else(String::new, |(low, high)| format!(" ({}..{})", percent(low), percent(high)));
    or_dash(mean.mean, |ratio| format!("{} %", percent(ratio))) + &interval + sign(mean.verdict)
}

fn percent(ratio: f64) -> String {
    format!("{:+.1}", (ratio - 1.0) * 100.0)
}

/// What `engine` measured over the cells of `workload`: CPU, system calls, Jain's index twice, memory.
fn measured(grid: &Grid, workload: Workload, engine: &str) -> [String; 5] {
    let samples: Vec<&Samples> =
        grid.cells_of(workload).filter_map(|cell: &Factors| grid.samples(cell, engine)).collect();
    let each = |value: &dyn Fn(&Samples) -> Option<f64>| -> Vec<f64> {
        samples.iter().filter_map(|samples| value(samples)).collect()
    };
    let costs = each(&|of| of.median(|point| point.summary.cpu_ns_per_message));
    let calls = each(&|of| of.syscalls_per_message());
    let mean = (!calls.is_empty()).then(|| calls.iter().sum::<f64>() / calls.len() as f64);
    let least = |values: Vec<f64>| values.into_iter().min_by(f64::total_cmp);
    let fair = least(each(&|of| of.median(|point| point.summary.jain)));
    let memory = each(&|of| of.median(|point| point.rss_max_bytes.map(|bytes| bytes as f64)));
    let memory = memory.into_iter().max_by(f64::total_cmp);
    [
        or_dash(geometric_mean(&costs), |ns| format!("{ns:.0}")),
        or_dash(mean, |count| format!("{count:.3}")),
        or_dash(fair, |jain| format!("{jain:.3}")),
        or_dash(least(each(&Samples::worst_jain)), |jain| format!("{jain:.3}")),
        or_dash(memory, |bytes| three_digits(bytes / f64::from(1 << 20))),
    ]
}

/// The variants that this machine does not have, each with why.
pub(super) fn left_out(left_out: &[LeftOut]) -> Vec<String> {
    let told = left_out.iter().map(|LeftOut { engine, reason }| format!("  {engine}: {reason}"));
    let heading = (!left_out.is_empty()).then(|| "Left out, since this machine does not have it:".to_owned());
    heading.into_iter().chain(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::control::Controls;
    use crate::report::golden::{entry, recording, summary_of};
    use crate::spec::Size;
    use crate::verdict::{Control, Judge, Silence};
    use uring_echo::record::Mode;

    #[test]
    fn a_change_is_told_in_percent_with_its_interval_and_its_word() {
        let judge = Judge::new(Size::Full, Some(&Control::of(&[0.97, 1.0, 1.02])));
        let mean = |ratio: f64, judge: &Judge| in_percent(&Mean::of(&[vec![ratio; 5]], judge));
        assert_eq!(mean(1.2, &judge), "+20.0 % (+20.0..+20.0) >");
        assert_eq!(mean(0.9, &judge), "-10.0 % (-10.0..-10.0) <");
        assert_eq!(mean(1.01, &judge), "+1.0 % (+1.0..+1.0) ≈");
        assert_eq!(mean(1.2, &Judge::silent(Silence::Quick)), "+20.0 % (+20.0..+20.0)  ");
        assert_eq!(in_percent(&Mean::of(&[], &judge)), "–  ");
    }

    #[test]
    fn a_variant_is_held_against_the_run_beside_it_and_not_against_all_of_its_engine() {
        let (mut manifest, _) = recording();
        // Beside uring-x, uring costs 100 and 200; beside uring-y, 1000. The medians of uring would be 200 and 200.
        let runs = [(1, "uring", 100.0), (1, "uring-x", 110.0), (2, "uring", 1000.0), (2, "uring-y", 1000.0)];
        let more = [(3, "uring", 200.0), (3, "uring-x", 220.0)];
        let runs = || runs.iter().chain(&more);
        let of = |&(repetition, engine, _): &_| entry(1, repetition, engine, Mode::Stream);
        manifest.runs = runs().map(of).collect();
        manifest.ratios = ["uring-x/uring", "uring-y/uring"].map(str::to_owned).into();
        let mut grid = Grid::of(&manifest, &Controls::default());
        for (run, (.., cost)) in manifest.runs.iter().zip(runs()) {
            grid.add(run, summary_of(1.0, *cost).into(), None);
        }
        let workload = Workload::of(Mode::Stream);
        let told = grid.comparisons.iter().map(|of| change(&grid, workload, of).unwrap());
        let told: Vec<_> = told.map(|[to, change, _, pairs]| (to, change.trim().to_owned(), pairs)).collect();
        let expected = |change: &str, pairs: &str| ("uring".to_owned(), change.to_owned(), pairs.to_owned());
        assert_eq!(told, [expected("+10.0 % (+10.0..+10.0)", "2"), expected("+0.0 %", "1")]);
        assert_eq!(measured(&grid, workload, "uring")[0], "200");
    }

    #[test]
    fn what_was_left_out_is_told_with_its_reason_and_nothing_where_there_is_nothing() {
        assert!(left_out(&[]).is_empty());
        let gone = LeftOut { engine: "uring-later".into(), reason: "needs Linux 9.9".into() };
        assert_eq!(left_out(&[gone])[1], "  uring-later: needs Linux 9.9");
    }
}
