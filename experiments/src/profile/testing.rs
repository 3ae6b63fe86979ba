//! A cell for tests, with round numbers.

use std::collections::BTreeMap;

use uring_echo::record::Mode;

use super::classes::Class;
use super::measure::{Cell, Profile};
use super::sample::Source;
use super::tally::{Share, Tally};
use crate::spec::factors::Factors;

fn profile(server: &str, classes: &[(Class, u64, u64)]) -> Profile {
    let classes = classes.iter().map(|&(class, ns, samples)| (class, Share { ns, samples })).collect();
    let unknown = BTreeMap::from([("some_function".to_owned(), 3), ("more_often".to_owned(), 5)]);
    let enabling = BTreeMap::from([("_raw_spin_unlock_irqrestore".to_owned(), 20)]);
    let in_process = Share { ns: 1900, samples: 90 };
    let tally = Tally { classes, unknown, enabling, server: in_process, ..Tally::default() };
    let (source, server) = (Source::CpuClock, server.to_owned());
    Profile {
        server,
        tally,
        source,
        lost: 0,
        messages: 10,
        measured_ns: 200.0,
        process_ns: Some(180.0),
        doubts: Vec::new(),
    }
}

/// Two servers in a cell.
pub(super) fn cell() -> Cell {
    let epoll = profile("epoll", &[(Class::Copy, 1000, 50), (Class::Epoll, 990, 50), (Class::Idle, 70, 4)]);
    let uring = profile("uring", &[(Class::Copy, 1100, 92), (Class::Unclassified, 1000, 8)]);
    Cell { factors: Factors::new(Mode::ReqRes, 256, 8), profiles: vec![epoll, uring] }
}
