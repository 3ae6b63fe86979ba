//! Many servers beside one: forest plots of CPU time per message, in which who serves unevenly is marked.

use experiments::report::format as number;
use experiments::spec::workload::Workload;

use super::ablation::costs_around_1;
use super::cells;
use crate::chart::{Estimate, Panel, Role, Row, RowMark, Sheet, Start};
use crate::figure::input::{About, reader_name, title};
use crate::metric;
use crate::side_by_side::{Beside, comparisons, rows};
use crate::values::{ExperimentValues, JAIN_MIN};

/// A panel for each workload, a row for each server; `None` where there are not many.
pub(super) fn figure(values: &ExperimentValues, about: &About) -> Option<Sheet> {
    let grid = &values.grid;
    let comparisons = comparisons(grid);
    let base = reader_name(&comparisons.first()?.to);
    let of_workloads: Vec<(Workload, Vec<Beside<'_>>)> =
        grid.workloads().into_iter().map(|of| (of, rows(grid, &comparisons, of))).collect();
    let panels = of_workloads.iter().map(|(of, rows)| panel(*of, rows, &base, values));
    let told = of_workloads.iter().flat_map(|(_, rows)| rows).map(describe).collect::<Vec<String>>();
    let title = format!("Server CPU time per message, divided by that of {base}");
    let description = format!("{title}: geometric means over cells. {}.", told.join("; "));
    Some(Sheet {
        subtitle: "Each marker is a geometric mean over cells, each line its 95 % interval.".to_owned(),
        stamp: about.quick.then(|| "Quick recording: claims nothing".to_owned()),
        notes: vec![format!(
            "Behind each ratio: the least of Jain's indices over the cells. Below {JAIN_MIN} the server is marked: \
             it lets connections wait."
        )],
        columns: 1,
        one_scale: true,
        ..about.sheet(title, description, panels.collect())
    })
}

fn panel(workload: Workload, rows: &[Beside<'_>], base: &str, values: &ExperimentValues) -> Panel {
    let control = values.control(workload.in_flight, metric::CPU);
    let effect = control.and_then(|control| control.smallest_effect);
    let rows = rows.iter().enumerate().map(|(index, beside)| row(beside, index, base));
    Panel { title: title(workload), body: costs_around_1(effect, rows.collect()) }
}

fn row(beside: &Beside<'_>, index: usize, base: &str) -> Row {
    let jain = beside.least_jain.and_then(|least| least.median);
    let (name, role) = match jain {
        Some(jain) if jain < JAIN_MIN => ("lets connections wait", Role::Series(3)),
        _ => ("serves evenly", Role::Series(2)),
    };
    let start = if index == 0 { Start::Under(format!("against {base}")) } else { Start::Within };
    let marks = vec![RowMark { name: name.to_owned(), role, value: estimate(beside) }];
    Row { label: reader_name(&beside.comparison.of), start, marks, verdict: in_numbers(beside) }
}

fn estimate(beside: &Beside<'_>) -> Option<Estimate> {
    let cpu = beside.cpu;
    Estimate::new(cpu.mean?, cpu.low.zip(cpu.high), cells::count(cpu.cells))
}

fn in_numbers(beside: &Beside<'_>) -> String {
    let ratio = beside.cpu.mean.map_or_else(|| "none".to_owned(), number::ratio);
    let jain = beside.least_jain.and_then(|least| least.median);
    jain.map_or_else(|| ratio.clone(), |jain| format!("{ratio}, Jain {jain:.3}"))
}

fn describe(beside: &Beside<'_>) -> String {
    format!("{}, {}: {}", title(beside.workload), reader_name(&beside.comparison.of), in_numbers(beside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Comparison;
    use crate::statistics::{Judge, Mean, Silence};
    use crate::values::LeastJain;
    use uring_echo::record::Mode;

    #[test]
    fn a_server_that_lets_connections_wait_is_marked_and_its_index_told() {
        let comparison = Comparison::parse("a/epoll").unwrap();
        let mean = Mean::of(&[vec![0.5, 0.5]], &Judge::silent(Silence::Quick));
        let said = |jain: Option<f64>| {
            let least = LeastJain { run: jain, median: jain, cell: None };
            let workload = Workload::of(Mode::Stream);
            let beside = Beside { comparison: &comparison, workload, cpu: &mean, least_jain: Some(&least) };
            let row = row(&beside, 0, "epoll");
            (row.marks[0].name.clone(), row.verdict)
        };
        assert_eq!(said(Some(0.949)), ("lets connections wait".into(), "0.50, Jain 0.949".into()));
        assert_eq!(said(Some(0.95)), ("serves evenly".into(), "0.50, Jain 0.950".into()));
        assert_eq!(said(None), ("serves evenly".into(), "0.50".into()));
    }
}
