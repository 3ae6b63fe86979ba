//! What each feature changes: a forest plot.

use crate::chart::{Axis, Body, Estimate, Extent, Format, Panel, Role, Row, RowMark, Rows, Sheet};

use super::input::{About, names};

/// What changes when one feature is taken away or added.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The feature.
    pub feature: String,
    /// What it is measured in: a cell or a workload. Each has a panel.
    pub group: String,
    /// Difference in nanoseconds of CPU time per message; above zero it costs more.
    pub delta_ns: Option<Estimate>,
}

/// A forest plot of effects around no difference, a panel a group.
#[must_use]
pub fn forest(title: &str, effects: &[Effect], about: &About) -> Sheet {
    let groups = names(effects, |effect| &effect.group);
    let panels = groups.iter().map(|group| panel(effects, group));
    Sheet {
        title: title.to_owned(),
        subtitle: about.interval.clone(),
        quick: about.quick,
        description: format!("{title}. {}", effects.iter().map(say).collect::<Vec<String>>().join("; ")),
        notes: vec!["An interval that contains 0 claims nothing.".to_owned()],
        columns: 1,
        one_scale: true,
        panels: panels.collect(),
    }
}

fn panel(effects: &[Effect], group: &str) -> Panel {
    let body = Rows {
        x: Axis::new("difference in CPU time per message", Extent::Around, Format::Nanoseconds),
        reference: 0.0,
        sides: ("cheaper".to_owned(), "dearer".to_owned()),
        rows: effects.iter().filter(|effect| effect.group == group).map(row).collect(),
    };
    Panel { title: group.to_owned(), body: Body::Rows(body) }
}

fn row(effect: &Effect) -> Row {
    Row {
        label: effect.feature.clone(),
        begins_group: false,
        marks: vec![RowMark { name: "difference".to_owned(), role: Role::Other(0), value: effect.delta_ns }],
        verdict: in_numbers(effect),
    }
}

fn in_numbers(effect: &Effect) -> String {
    let ns = |value: f64| format!("{value:+.0}").replace('-', "−");
    match effect.delta_ns.map(|delta| (delta.value(), delta.interval())) {
        Some((value, Some((low, high)))) => format!("{} [{}, {}]", ns(value), ns(low), ns(high)),
        Some((value, None)) => ns(value),
        None => "no valid run".to_owned(),
    }
}

fn say(effect: &Effect) -> String {
    format!("{} {}: {}", effect.group, effect.feature, in_numbers(effect))
}
