//! Victims beside hogs.

use crate::chart::{Axis, Body, Estimate, Extent, Format, GroupSeries, Groups, MarkKind, Panel, Sheet};

use super::input::{About, names, reader_name, roles};

/// What the measured connections got beside one kind of hog.
#[derive(Clone, Debug, PartialEq)]
pub struct Victims {
    /// The server or its variant.
    pub engine: String,
    /// The kind of hog, `none` without one.
    pub hog_kind: String,
    /// 99th percentile of the victims' latency, in nanoseconds.
    pub p99_ns: Option<Estimate>,
    /// Replies to all victims, per second.
    pub replies_per_s: Option<Estimate>,
}

/// Latency and replies of victims, a category a kind of hog.
#[must_use]
pub fn victims(victims: &[Victims], about: &About) -> Sheet {
    let kinds = names(victims, |v| &v.hog_kind);
    let p99 = Axis::new("p99 of the victims (log)", Extent::Log, Format::Nanoseconds);
    let replies = Axis::new("replies to victims per second (log)", Extent::Log, Format::Thousands);
    let panels = vec![
        panel("How long victims wait", victims, &kinds, (p99, |v| v.p99_ns)),
        panel("What victims get", victims, &kinds, (replies, |v| v.replies_per_s)),
    ];
    Sheet {
        title: "What connections get beside a hog".to_owned(),
        subtitle: about.interval.clone(),
        quick: about.quick,
        description: format!(
            "99th percentile and replies per second of victims, by kind of hog: {}.",
            kinds.join(", ")
        ),
        notes: Vec::new(),
        columns: 2,
        one_scale: false,
        panels,
    }
}

fn panel(
    title: &str,
    victims: &[Victims],
    kinds: &[String],
    shown: (Axis, fn(&Victims) -> Option<Estimate>),
) -> Panel {
    let (y, value) = shown;
    let engines = names(victims, |v| &v.engine);
    let series = engines.iter().zip(roles(&engines)).map(|(engine, role)| {
        let of = |kind: &String| {
            victims.iter().find(|v| v.engine == *engine && v.hog_kind == *kind).and_then(value)
        };
        let values = kinds.iter().map(of).collect();
        GroupSeries { role, name: reader_name(engine), values }
    });
    Panel {
        title: title.to_owned(),
        body: Body::Groups(Groups {
            x_label: "kind of hog".to_owned(),
            categories: kinds.to_vec(),
            series: series.collect(),
            y,
            mark: MarkKind::Dot,
        }),
    }
}
