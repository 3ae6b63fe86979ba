//! Engines over payloads and connections.

use experiments::report::format as number;
use experiments::spec::factors::Factors;
use experiments::spec::workload::Workload;

use crate::chart::{Axis, Better, Body, Extent, Format, GroupSeries, Groups, Heat, MarkKind, Panel, Sheet};

use super::input::{
    About, Compared, Measured, distinct, label_bytes, names, reader_name, say, title, workloads,
};

/// A metric as a figure shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// What is measured, as a title says it: `Server CPU time per message`.
    pub(crate) title: String,
    pub(crate) axis: Axis,
    pub(crate) mark: MarkKind,
}

impl Shown {
    /// Messages per second, as bars: what the study of 2023 charted.
    pub(crate) fn responses() -> Self {
        let axis = Axis::new("responses per second", Extent::FromZero, Format::Thousands);
        Self { title: "Responses per second".to_owned(), axis, mark: MarkKind::Bar }
    }

    pub(crate) fn cpu() -> Self {
        let axis = Axis::new("CPU time per message (log)", Extent::Log, Format::Nanoseconds);
        Self { title: "Server CPU time per message".to_owned(), axis, mark: MarkKind::Dot }
    }

    pub(crate) fn instructions() -> Self {
        let axis = Axis::new("instructions per message (log)", Extent::Log, Format::Thousands);
        Self { title: "Instructions per message, all together".to_owned(), axis, mark: MarkKind::Dot }
    }

    pub(crate) fn syscalls() -> Self {
        let axis = Axis::new("system calls per message (log)", Extent::Log, Format::Plain);
        Self { title: "Server system calls per message".to_owned(), axis, mark: MarkKind::Dot }
    }
}

/// A panel a payload, categories are connections, a series an engine.
pub(crate) fn by_payload(workload: Workload, measured: &[Measured], shown: &Shown, about: &About) -> Sheet {
    let own: Vec<Measured> = measured.iter().filter(|m| m.at.workload() == workload).cloned().collect();
    let payloads = distinct(&own, |m| m.at.payload_bytes);
    let panels = payloads.iter().map(|&payload| panel(&own, payload, shown, about));
    let title = format!("{}: {}", title(workload), lowered(&shown.title));
    about.sheet(title, describe(&own, shown), panels.collect())
}

/// The groups of one payload.
pub(super) fn panel(measured: &[Measured], payload_bytes: usize, shown: &Shown, about: &About) -> Panel {
    let connections = distinct(measured, |m| m.at.connections);
    let engines = names(measured, |m| &m.engine);
    let series = engines.iter().zip(about.servers.roles(&engines)).map(|(engine, role)| {
        let value = |&connections: &usize| {
            let is = |m: &&Measured| {
                m.engine == *engine && m.at.payload_bytes == payload_bytes && m.at.connections == connections
            };
            measured.iter().find(is).and_then(|m| m.value)
        };
        GroupSeries { name: reader_name(engine), role, values: connections.iter().map(value).collect() }
    });
    Panel {
        title: label_bytes(payload_bytes),
        body: Body::Groups(Groups {
            x_label: "connections".to_owned(),
            categories: connections.iter().map(usize::to_string).collect(),
            y: shown.axis.clone(),
            mark: shown.mark,
            series: series.collect(),
        }),
    }
}

fn lowered(title: &str) -> String {
    let mut rest = title.chars();
    let first = rest.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    first + rest.as_str()
}

fn describe(measured: &[Measured], shown: &Shown) -> String {
    let say = |m: &Measured| match m.value {
        Some(value) => format!("{}, {}: {}", say(&m.at), m.engine, shown.axis.format.say(value.value())),
        None => format!("{}, {}: no valid run", say(&m.at), m.engine),
    };
    let cells: Vec<String> = measured.iter().map(say).collect();
    format!("{} by payload × connections. {}.", shown.title, cells.join("; "))
}

/// Ratios of one server to another over the whole grid, a panel a workload.
pub(crate) fn ratios(what: &str, better: Better, compared: &[Compared], about: &About) -> Sheet {
    let workloads = workloads(compared, |c| &c.at);
    let panels = workloads.iter().map(|&workload| {
        let own: Vec<Compared> = compared.iter().filter(|c| c.at.workload() == workload).cloned().collect();
        let title = if workloads.len() > 1 { title(workload) } else { String::new() };
        Panel { title, body: Body::Heat(heat(&own, better, about)) }
    });
    let sense = match better {
        Better::Higher => "Above",
        Better::Lower => "Below",
    };
    let sense = format!("{sense} 1 {} is better.", about.sides().0);
    let subject = match workloads[..] {
        [only] => format!("{}: {}", title(only), lowered(what)),
        _ => what.to_owned(),
    };
    let title = format!("{subject}, {}", about.ratio());
    let sheet = about.sheet(title, describe_ratios(what, compared, about), panels.collect());
    Sheet { subtitle: format!("{sense} {}", about.interval), ..sheet }
}

/// The grid of one workload, whose cells payload and connections tell apart.
pub(super) fn heat(compared: &[Compared], better: Better, about: &About) -> Heat {
    let (of, to) = about.sides();
    let payloads = distinct(compared, |c| c.at.payload_bytes);
    let connections = distinct(compared, |c| c.at.connections);
    let cell = |payload_bytes: usize, connections: usize| {
        let is = |at: &Factors| at.payload_bytes == payload_bytes && at.connections == connections;
        compared.iter().find(|c| is(&c.at)).and_then(|c| c.ratio.clone())
    };
    let row = |&payload: &usize| connections.iter().map(|&connections| cell(payload, connections)).collect();
    Heat {
        x_label: "connections".to_owned(),
        columns: connections.iter().map(usize::to_string).collect(),
        y_label: "payload".to_owned(),
        rows: payloads.iter().map(|&payload| label_bytes(payload)).collect(),
        cells: payloads.iter().map(row).collect(),
        better,
        compared: of,
        base: to,
    }
}

fn describe_ratios(what: &str, compared: &[Compared], about: &About) -> String {
    let (of, to) = about.sides();
    let say = |c: &Compared| {
        let ratio = c.ratio.as_ref().map(|ratio| number::ratio(ratio.value()));
        let ratio = ratio.unwrap_or_else(|| "nothing to compare".to_owned());
        format!("{}, {}: {ratio}", c.at.workload().in_words(), say(&c.at))
    };
    let cells: Vec<String> = compared.iter().map(say).collect();
    format!("{what}, {of} divided by {to}, by payload × connections. {}.", cells.join("; "))
}
