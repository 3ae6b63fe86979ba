//! Our ratios beside the published ones.

use crate::chart::{
    Axis, Body, Extent, Format, Panel, Ratio, Reference, Role, Row, RowMark, Rows, Sheet, Start,
};

use experiments::spec::factors::Factors;
use experiments::spec::workload::Workload;

use super::input::{About, Compared, distinct, say, title, workloads};

/// Whether ours and theirs are on the same side of 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Both are above 1, or both below.
    Same,
    /// One is above, one below.
    Opposite,
    /// Of ours neither less nor more may be said: it is on neither side.
    Open,
    /// One of the two is missing.
    Unpaired,
}

impl Agreement {
    pub(crate) fn of(published: Option<&Ratio>, ours: Option<&Ratio>) -> Self {
        let (Some(published), Some(ours)) = (published, ours) else { return Self::Unpaired };
        match ours.is_clear() {
            Some(true) if (published.value() > 1.0) == (ours.value() > 1.0) => Self::Same,
            Some(true) => Self::Opposite,
            Some(false) | None => Self::Open,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same => "same side",
            Self::Opposite => "opposite",
            Self::Open => "open",
            Self::Unpaired => "unpaired",
        }
    }
}

/// A place with a published ratio and ours.
struct Pair {
    at: Factors,
    published: Option<Ratio>,
    ours: Option<Ratio>,
}

impl Pair {
    fn agreement(&self) -> Agreement {
        Agreement::of(self.published.as_ref(), self.ours.as_ref())
    }

    fn row(&self, begins_group: bool) -> Row {
        let mark = |name: &str, role, ratio: &Option<Ratio>| RowMark {
            name: name.to_owned(),
            role,
            value: ratio.as_ref().map(Ratio::estimate),
        };
        let marks = vec![
            mark("published in 2023", Role::Series(3), &self.published),
            mark("ours", Role::Series(2), &self.ours),
        ];
        let start = if begins_group { Start::Apart } else { Start::Within };
        Row { label: say(&self.at), start, marks, verdict: self.agreement().name().to_owned() }
    }
}

/// What the study called the place `at`. Its streams had as much on their way as the sockets took, and it had no other ones.
pub(crate) fn published_as(at: &Factors) -> Factors {
    Factors { in_flight_bytes: None, ..at.clone() }
}

/// Pairs of ratios, a row a place that we measured.
pub(crate) fn pairs(what: &str, published: &[Compared], ours: &[Compared], about: &About) -> Sheet {
    let find =
        |all: &[Compared], at: &Factors| all.iter().find(|c| c.at == *at).and_then(|c| c.ratio.clone());
    let pairs: Vec<Pair> = distinct(ours, |c| c.at.clone())
        .into_iter()
        .map(|at| Pair { published: find(published, &published_as(&at)), ours: find(ours, &at), at })
        .collect();
    let panels = workloads(&pairs, |pair| &pair.at).into_iter().map(|of| panel(&pairs, of));
    let count = |agreement| pairs.iter().filter(|pair| pair.agreement() == agreement).count();
    let (same, opposite) = (count(Agreement::Same), count(Agreement::Opposite));
    let summary = format!(
        "{} cells: {same} on the same side of 1, {opposite} on opposite sides, {} open, {} unpaired.",
        pairs.len(),
        count(Agreement::Open),
        count(Agreement::Unpaired)
    );
    let title = format!("{what}, {}: ours beside the study of 2023", about.ratio());
    let description = format!("Published and own ratios of {what}, payload × connections. {summary}");
    Sheet {
        subtitle: format!("{summary} {}", about.interval),
        notes: vec!["Open: of ours, neither less nor more may be said.".to_owned()],
        one_scale: true,
        ..about.sheet(title, description, panels.collect())
    }
}

fn panel(pairs: &[Pair], workload: Workload) -> Panel {
    let own: Vec<&Pair> = pairs.iter().filter(|pair| pair.at.workload() == workload).collect();
    let rows = own.iter().enumerate().map(|(index, pair)| {
        let begins = index == 0 || own[index - 1].at.payload_bytes != pair.at.payload_bytes;
        pair.row(begins)
    });
    Panel {
        title: title(workload),
        body: Body::Rows(Rows {
            x: Axis::new("io_uring ÷ epoll (log)", Extent::Ratio, Format::Ratio),
            reference: Some(Reference {
                value: 1.0,
                sides: ("epoll better".to_owned(), "io_uring better".to_owned()),
                band: None,
            }),
            rows: rows.collect(),
        }),
    }
}
