//! What each variant changes, in a table for each workload.

use experiments::report::format as number;

use crate::changes::{Change, changes};
use crate::figure::input::{distinct, reader_name, title};
use crate::figure::study::ablation::in_percent;
use crate::report::model::Table;
use crate::values::ExperimentValues;

/// The tables of `values`.
pub(super) fn tables(values: &ExperimentValues) -> Vec<Table> {
    let changes = changes(values);
    let table = |workload| {
        let own = changes.iter().filter(|change| change.workload == workload);
        let heads = [
            "Engine",
            "Against",
            "CPU time per message",
            "95 % interval",
            "Verdict",
            "System calls per message",
            "Jain, least median",
            "Jain, least run",
            "Memory",
        ];
        Table {
            caption: format!("{}: what one thing different changes.", title(workload)),
            heads: heads.map(str::to_owned).to_vec(),
            names: 2,
            rows: own.map(row).collect(),
        }
    };
    distinct(&changes, |change| change.workload).into_iter().map(table).collect()
}

fn row(change: &Change) -> Vec<String> {
    let cpu = &change.cpu;
    let interval = cpu.low.zip(cpu.high).map(|(low, high)| [low, high].map(|end| in_percent(Some(end))));
    let or_dash = |value: Option<f64>, say: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), say);
    let three = |value: f64| format!("{value:.3}");
    vec![
        reader_name(&change.comparison.of),
        reader_name(&change.comparison.to),
        in_percent(cpu.mean),
        interval.map_or_else(|| "–".to_owned(), |ends| ends.join(" to ")),
        cpu.verdict.to_string(),
        or_dash(change.syscalls_per_message, three),
        or_dash(change.jain, three),
        or_dash(change.jain_of_run, three),
        or_dash(change.server_rss_max_bytes, number::memory),
    ]
}
