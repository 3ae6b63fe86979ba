//! The tables: the machines, what io_uring costs to epoll on each, and what it cost there the time before.

use std::collections::BTreeSet;

use experiments::run::programs;
use experiments::spec::workload::Workload;

use super::{Machine, Recorded};
use crate::headline::{Row, rows, with_interval};
use crate::markdown::{self, Head};

/// Digits of a revision that are shown.
const REVISION_DIGITS: usize = 10;

/// The machines, then CPU per message, io_uring to epoll, then the same of what was recorded twice, as Markdown.
pub(crate) fn table(machines: &[Recorded]) -> String {
    let repeated = of_repeats(machines).map_or_else(String::new, |table| format!("\n{table}"));
    format!("{}\n{}{repeated}", of_machines(machines), of_ratios(machines))
}

/// How a machine is called in the tables: A, B, …
fn letter(index: usize) -> String {
    char::from_u32('A' as u32 + index as u32).map_or_else(|| index.to_string(), String::from)
}

fn of_machines(machines: &[Recorded]) -> String {
    let heads = ["machine", "processor", "family/model/stepping", "caches", "idle", "kernel", "revisions"]
        .map(Head::words);
    let rows: Vec<Vec<String>> = machines
        .iter()
        .enumerate()
        .map(|(index, recorded)| {
            let machine = recorded.machine.clone();
            let revisions = revisions(recorded);
            let Machine { processor, signature, caches, idle, kernel } = machine;
            vec![letter(index), processor, signature, caches, idle, kernel, revisions]
        })
        .collect();
    markdown::table(&heads, &rows)
}

fn revisions(recorded: &Recorded) -> String {
    let short = |revision: &str| match revision {
        programs::UNAVAILABLE => "not recorded".to_owned(),
        known => known.chars().take(REVISION_DIGITS).collect(),
    };
    let all = recorded.experiments.iter().chain(&recorded.earlier);
    let distinct: BTreeSet<String> = all.map(|(_, experiment)| short(&experiment.revision)).collect();
    distinct.into_iter().collect::<Vec<_>>().join(", ")
}

fn of_ratios(machines: &[Recorded]) -> String {
    let mut ratios: Vec<([String; 2], Workload, Vec<String>)> = Vec::new();
    for (index, recorded) in machines.iter().enumerate() {
        for row in recorded.experiments.iter().flat_map(|(name, experiment)| rows(name, experiment)) {
            let names = [row.name, row.compared];
            let place = ratios.iter().position(|(other, of, _)| (other, *of) == (&names, row.workload));
            let place = place.unwrap_or_else(|| {
                ratios.push((names, row.workload, vec!["–".to_owned(); machines.len()]));
                ratios.len() - 1
            });
            ratios[place].2[index] = with_interval(row.cpu);
        }
    }
    ratios.sort_by_key(|(names, workload, _)| (names.clone(), *workload));
    let of_machines = (0..machines.len()).map(|index| Head::numbers(letter(index)));
    let heads = ["experiment", "compared", "mode"].map(Head::words);
    let heads: Vec<Head> = heads.into_iter().chain(of_machines).collect();
    let rows: Vec<Vec<String>> = ratios
        .into_iter()
        .map(|([name, compared], workload, cells)| {
            [vec![name, compared, workload.in_words()], cells].concat()
        })
        .collect();
    markdown::table(&heads, &rows)
}

/// What was recorded more than once on a machine; `None` if nothing was.
fn of_repeats(machines: &[Recorded]) -> Option<String> {
    let mut repeats = Vec::new();
    for (index, recorded) in machines.iter().enumerate() {
        for (name, earlier) in &recorded.earlier {
            let newest = recorded.experiments.iter().filter(|(other, _)| other == name);
            let newest: Vec<_> = newest.flat_map(|(name, experiment)| rows(name, experiment)).collect();
            for before in rows(name, earlier) {
                let key = |row: &Row<'_>| (row.compared.clone(), row.workload);
                let again = newest.iter().find(|row| key(row) == key(&before));
                let again = again.map_or_else(|| "–".to_owned(), |row| with_interval(row.cpu));
                let mode = before.workload.in_words();
                repeats.push(vec![
                    letter(index),
                    before.name,
                    before.compared,
                    mode,
                    again,
                    with_interval(before.cpu),
                ]);
            }
        }
    }
    let heads = [
        Head::words("recorded twice on"),
        Head::words("experiment"),
        Head::words("compared"),
        Head::words("mode"),
        Head::numbers("newest"),
        Head::numbers("the one before"),
    ];
    (!repeats.is_empty()).then(|| markdown::table(&heads, &repeats))
}
