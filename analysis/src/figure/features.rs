//! What each feature changes: a forest plot.

use crate::chart::{Axis, Body, Estimate, Extent, Format, Panel, Role, Row, RowMark, Rows, Sheet};

use super::input::About;

/// What changes when one feature is taken away or added.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The feature.
    pub feature: String,
    /// What it is measured in: a cell or a workload. Each has a group of rows.
    pub group: String,
    /// Difference in nanoseconds of CPU time per message; above zero it costs more.
    pub delta_ns: Option<Estimate>,
}

/// A forest plot of effects, around no difference.
#[must_use]
pub fn forest(title: &str, effects: &[Effect], about: &About) -> Sheet {
    let rows = effects.iter().enumerate().map(|(index, effect)| row(effects, index, effect)).collect();
    let body = Rows {
        x: Axis::new("Δ CPU time per message", Extent::Around, Format::Nanoseconds),
        reference: 0.0,
        sides: ("cheaper".to_owned(), "dearer".to_owned()),
        rows,
    };
    Sheet {
        title: title.to_owned(),
        subtitle: about.interval.clone(),
        quick: about.quick,
        description: format!("{title}. {}", effects.iter().map(say).collect::<Vec<String>>().join("; ")),
        notes: vec!["An interval that contains 0 claims nothing.".to_owned()],
        columns: 1,
        one_scale: false,
        panels: vec![Panel { title: String::new(), body: Body::Rows(body) }],
    }
}

fn row(effects: &[Effect], index: usize, effect: &Effect) -> Row {
    let begins_group = index == 0 || effects[index - 1].group != effect.group;
    let group = if effect.group.is_empty() { String::new() } else { format!("{}: ", effect.group) };
    Row {
        label: format!("{group}{}", effect.feature),
        begins_group,
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
