//! The document: every figure of the tables, with what it was made by.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use super::classes::Class;
use super::measure::{Cell, Profile};
use super::sample::Source;
use crate::run::programs;
use crate::spec::factors::Factors;

/// The version of the document that this build writes.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    version: &'a str,
    revision: String,
    kernel_release: String,
    frequency_hz: u64,
    cells: Vec<CellEntry<'a>>,
}

#[derive(Serialize)]
struct CellEntry<'a> {
    cell: String,
    factors: &'a Factors,
    servers: Vec<ServerEntry<'a>>,
}

#[derive(Serialize)]
struct ServerEntry<'a> {
    server: &'a str,
    clock: Source,
    messages: u64,
    samples: u64,
    lost_samples: u64,
    sum_ns_per_message: f64,
    measured_ns_per_message: f64,
    process_ns_per_message: f64,
    process_measured_ns_per_message: Option<f64>,
    unclassified_share: f64,
    doubts: &'a [String],
    classes: Vec<ClassEntry>,
    unclassified_functions: &'a BTreeMap<String, u64>,
    interrupts_on_functions: &'a BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct ClassEntry {
    class: Class,
    ns_per_message: f64,
    samples: u64,
}

/// The document of `cells`, sampled `frequency` times a second.
///
/// # Errors
/// Never: every value has a form in JSON.
pub fn json(cells: &[Cell], frequency: u64) -> serde_json::Result<String> {
    let cells = cells.iter().map(|cell| CellEntry {
        cell: cell.factors.key(),
        factors: &cell.factors,
        servers: cell.profiles.iter().map(server).collect(),
    });
    let document = Document {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        revision: programs::revision(),
        kernel_release: kernel_release(),
        frequency_hz: frequency,
        cells: cells.collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn server(profile: &Profile) -> ServerEntry<'_> {
    let classes = Class::NAMED.into_iter().map(|(class, _)| {
        let share = profile.tally.of(class);
        ClassEntry { class, ns_per_message: profile.per_message(share.ns), samples: share.samples }
    });
    ServerEntry {
        server: &profile.server,
        clock: profile.source,
        messages: profile.messages,
        samples: profile.tally.cost().samples,
        lost_samples: profile.lost,
        sum_ns_per_message: profile.sum_ns(),
        measured_ns_per_message: profile.measured_ns,
        process_ns_per_message: profile.server_ns(),
        process_measured_ns_per_message: profile.process_ns,
        doubts: &profile.doubts,
        unclassified_share: profile.tally.unclassified(),
        classes: classes.collect(),
        unclassified_functions: &profile.tally.unknown,
        interrupts_on_functions: &profile.tally.enabling,
    }
}

/// The release of the running kernel, as `uname -r` prints it.
pub fn kernel_release() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease");
    release.map_or_else(|_| programs::UNAVAILABLE.into(), |release| release.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::testing::cell;

    #[test]
    fn every_figure_of_a_table_stands_in_the_document() {
        let document: serde_json::Value = serde_json::from_str(&json(&[cell()], 4999).unwrap()).unwrap();
        assert_eq!(
            (&document["frequency_hz"], &document["cells"][0]["cell"]),
            (&4999.into(), &"req-res/256B/c8".into())
        );
        let uring = &document["cells"][0]["servers"][1];
        let copy = &uring["classes"][0];
        assert_eq!(
            (&copy["class"], &copy["ns_per_message"], &copy["samples"]),
            (&"copy".into(), &110.0.into(), &92.into())
        );
        assert_eq!((&uring["clock"], &uring["samples"]), (&"cpu-clock".into(), &100.into()));
        assert_eq!(
            (&uring["sum_ns_per_message"], &uring["measured_ns_per_message"]),
            (&210.0.into(), &200.0.into())
        );
        assert_eq!(uring["unclassified_share"], 0.08);
    }
}
