//! The tables, one a cell, and what is to be known of them.

use std::collections::BTreeMap;

use uring_echo::table::{Column, Row, left, render as aligned, right};

use super::classes::Class;
use super::document::kernel_release;
use super::measure::{Cell, Profile};
use super::sample::Source;
use crate::report::format;

/// The tables of `cells`, sampled `frequency` times a second.
pub fn render(cells: &[Cell], frequency: u64) -> String {
    let mut tables: Vec<String> = cells.iter().map(table).collect();
    tables.push(legend(cells, frequency));
    tables.join("\n\n")
}

fn table(cell: &Cell) -> String {
    let profiles = &cell.profiles;
    let columns: Vec<Column> = [left("", "")]
        .into_iter()
        .chain(profiles.iter().map(|_| right("", "")))
        .chain(profiles.iter().skip(1).map(|_| right("", "")))
        .collect();
    let mut rows = vec![heading(profiles), Row::Rule];
    let seen = |class: &Class| profiles.iter().any(|profile| profile.tally.of(*class).samples > 0);
    rows.extend(Class::costs().filter(seen).map(|class| {
        quantity(class.name(), profiles, |profile| profile.per_message(profile.tally.of(class).ns))
    }));
    rows.push(Row::Rule);
    rows.push(quantity("sum", profiles, Profile::sum_ns));
    rows.push(quantity("measured: busy time of the core", profiles, |profile| profile.measured_ns));
    rows.push(property("sum against measured", profiles, |profile| against(Some(profile.error()))));
    rows.push(quantity("of it in the server's process", profiles, Profile::server_ns));
    rows.push(property("against its measured CPU time", profiles, |profile| {
        against(profile.process_error())
    }));
    rows.push(property("samples", profiles, |profile| profile.tally.cost().samples.to_string()));
    rows.push(property("unclassified", profiles, |profile| percent(profile.tally.unclassified())));
    rows.push(quantity("idle, no cost", profiles, |profile| {
        profile.per_message(profile.tally.of(Class::Idle).ns)
    }));
    format!("{}, ns a message\n{}", cell.factors, aligned(&columns, &rows).join("\n"))
}

fn heading(profiles: &[Profile]) -> Row {
    let names = profiles.iter().map(|profile| profile.server.clone());
    let first = &profiles[0].server;
    let differences = profiles.iter().skip(1).map(|profile| format!("{} - {first}", profile.server));
    Row::Cells([String::new()].into_iter().chain(names).chain(differences).collect())
}

/// A row of what has a difference.
fn quantity(label: &str, profiles: &[Profile], value: impl Fn(&Profile) -> f64) -> Row {
    let values: Vec<f64> = profiles.iter().map(value).collect();
    let differences = values.iter().skip(1).map(|other| signed(other - values[0]));
    let texts = values.iter().map(|value| format!("{value:.1}"));
    Row::Cells([label.to_owned()].into_iter().chain(texts).chain(differences).collect())
}

/// A row of what has none.
fn property(label: &str, profiles: &[Profile], text: impl Fn(&Profile) -> String) -> Row {
    let empty = profiles.iter().skip(1).map(|_| String::new());
    Row::Cells([label.to_owned()].into_iter().chain(profiles.iter().map(text)).chain(empty).collect())
}

fn against(error: Option<f64>) -> String {
    error.map_or_else(|| "-".into(), |error| signed(100.0 * error) + " %")
}

/// With one decimal, and nothing as nothing more.
fn signed(value: f64) -> String {
    format!("{:+.1}", (value * 10.0).round() / 10.0 + 0.0)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn legend(cells: &[Cell], frequency: u64) -> String {
    let profiles = || cells.iter().flat_map(|cell| &cell.profiles);
    let release = kernel_release();
    let mut said = match profiles().next().map(|profile| profile.source) {
        Some(Source::Cycles) => {
            format!("Sampled by the processor's cycles, {frequency} times a second, on Linux {release}.")
        }
        _ => format!(
            "Sampled by the CPU clock, {frequency} times a second, on Linux {release}. It cannot see work with interrupts off: \
             the sample comes when they are on again. Such work is charged to the function that switches them on, to its \
             caller where that is an unlocking function, and to user code at the end of a system call. Samples in such functions: {}.",
            enabling(cells)
        ),
    };
    said.push_str(
        " The sum holds what sampling itself costs, as the measured time does. A class of n samples is uncertain by about its \
         part 1/sqrt(n).",
    );
    let lost: u64 = profiles().map(|profile| profile.lost).sum();
    if lost > 0 {
        said.push_str(&format!(" {lost} samples were lost for want of room."));
    }
    format::wrap(&said).join("\n")
}

/// Of each server, the part of its samples in functions that have just switched interrupts on.
fn enabling(cells: &[Cell]) -> String {
    let mut servers: BTreeMap<&str, (u64, BTreeMap<&str, u64>)> = BTreeMap::new();
    for profile in cells.iter().flat_map(|cell| &cell.profiles) {
        let (all, functions) = servers.entry(&profile.server).or_default();
        *all += profile.tally.cost().samples;
        for (name, count) in &profile.tally.enabling {
            *functions.entry(name).or_default() += count;
        }
    }
    let of = |(server, (all, functions)): (&&str, &(u64, BTreeMap<&str, u64>))| {
        let part = |count: u64| percent(count as f64 / (*all).max(1) as f64);
        let most = most_frequent(functions.iter().map(|(name, count)| (*name, *count)), 3);
        let most: Vec<_> = most.into_iter().map(|(name, count)| format!("{name} {}", part(count))).collect();
        format!("{server} {} ({})", part(functions.values().sum()), most.join(", "))
    };
    servers.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// The first `count` of `functions` by their samples.
fn most_frequent<'a>(functions: impl Iterator<Item = (&'a str, u64)>, count: usize) -> Vec<(&'a str, u64)> {
    let mut functions: Vec<_> = functions.collect();
    functions.sort_by_key(|&(name, samples)| (std::cmp::Reverse(samples), name));
    functions.truncate(count);
    functions
}

/// A line for each run beside which other processes had much of the core.
pub fn warnings(cells: &[Cell]) -> Vec<String> {
    const MUCH: f64 = 0.02;
    let mut lines = Vec::new();
    for cell in cells {
        for profile in &cell.profiles {
            let part =
                profile.tally.of(Class::OtherProcesses).ns as f64 / profile.tally.cost().ns.max(1) as f64;
            if part > MUCH {
                lines.push(format!(
                    "warning: {}, {}: other processes had {} of the core's time, and made the server's dearer",
                    cell.factors,
                    profile.server,
                    percent(part)
                ));
            }
        }
    }
    lines
}

/// A line for each run that something speaks against.
pub fn doubts(cells: &[Cell]) -> Vec<String> {
    let of = |cell: &Cell| {
        let doubted = cell.profiles.iter().filter(|profile| !profile.doubts.is_empty());
        let line = |profile: &Profile| {
            format!("{}, {}: not valid: {}", cell.factors, profile.server, profile.doubts.join("; "))
        };
        doubted.map(line).collect::<Vec<_>>()
    };
    cells.iter().flat_map(of).collect()
}

/// A line for each server of whose samples in a cell no rule knows more than the part `most`, with the functions that are missing.
pub fn missing_rules(cells: &[Cell], most: f64) -> Vec<String> {
    let mut lines = Vec::new();
    for cell in cells {
        for profile in cell.profiles.iter().filter(|profile| profile.tally.unclassified() > most) {
            let unknown = profile.tally.unknown.iter().map(|(name, count)| (name.as_str(), *count));
            let names: Vec<_> = most_frequent(unknown, 10)
                .into_iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            lines.push(format!(
                "{}, {}: no rule knows {} of the samples, and {} is the most; add to experiments/src/profile/classes.toml: {}",
                cell.factors,
                profile.server,
                percent(profile.tally.unclassified()),
                percent(most),
                names.join(", ")
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tally::Share;
    use crate::profile::testing::cell;

    #[test]
    fn servers_stand_side_by_side_with_what_the_second_costs_more() {
        let expected = "\
req-res 256 B x 8, ns a message
                                  epoll   uring  uring - epoll
──────────────────────────────────────────────────────────────
copy                              100.0   110.0          +10.0
epoll                              99.0     0.0          -99.0
unclassified                        0.0   100.0         +100.0
──────────────────────────────────────────────────────────────
sum                               199.0   210.0          +11.0
measured: busy time of the core   200.0   200.0           +0.0
sum against measured             -0.5 %  +5.0 %
of it in the server's process     190.0   190.0           +0.0
against its measured CPU time    +5.6 %  +5.6 %
samples                             100     100
unclassified                      0.0 %   8.0 %
idle, no cost                       7.0     0.0           -7.0";
        assert_eq!(table(&cell()), expected);
        assert_eq!([signed(-0.04), signed(-0.06)], ["+0.0", "-0.1"]);
    }

    #[test]
    fn who_shared_the_core_with_much_of_others_is_warned_of() {
        let mut cell = cell();
        assert!(warnings(&[cell.clone()]).is_empty());
        cell.profiles[1].tally.classes.insert(Class::OtherProcesses, Share { ns: 900, samples: 45 });
        let lines = warnings(&[cell]);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("uring: other processes had 30.0 % of the core's time"), "{}", lines[0]);
    }

    #[test]
    fn a_run_that_something_speaks_against_is_named_with_it() {
        let mut cell = cell();
        assert!(doubts(&[cell.clone()]).is_empty());
        cell.profiles[0].doubts.push("drain: late".into());
        assert_eq!(doubts(&[cell]), ["req-res 256 B x 8, epoll: not valid: drain: late"]);
    }

    #[test]
    fn a_server_with_too_many_unknown_functions_is_told_which_most_frequent_first() {
        let lines = missing_rules(&[cell()], 0.05);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("req-res 256 B x 8, uring: no rule knows 8.0 % of the samples"));
        assert!(lines[0].ends_with("classes.toml: more_often 5, some_function 3"), "{}", lines[0]);
        assert!(missing_rules(&[cell()], 0.08).is_empty());
    }

    #[test]
    fn what_the_clock_cannot_see_is_said_with_the_functions_that_it_is_charged_to() {
        let said = legend(&[cell()], 4999).replace('\n', " ");
        assert!(said.contains("Sampled by the CPU clock, 4999 times a second"), "{said}");
        assert!(said.contains("epoll 20.0 % (_raw_spin_unlock_irqrestore 20.0 %); uring 20.0 %"), "{said}");
    }
}
